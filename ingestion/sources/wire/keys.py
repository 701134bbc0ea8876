"""Keys of vendors: one of another form is never sent, and never shown."""

import re
from dataclasses import dataclass

from pydantic import SecretStr

from market.errors import MissingCredential


@dataclass(frozen=True)
class KeyForm:
    """What the key of a vendor looks like, and what to do without one.

    Attributes
    ----------
    vendor
        Its name, for messages.
    variable
        The environment variable that holds it.
    form
        The whole of a key.
    allowed
        The same in words.
    register
        Where one is given out.
    noun
        What the vendor calls it: key or token.
    without
        What to do without one.
    """

    vendor: str
    variable: str
    form: re.Pattern[str]
    allowed: str
    register: str
    noun: str = "key"
    without: str = "go on without it"

    def check(self, key: SecretStr | None, unset: str = "unset it") -> SecretStr:
        """Return a key that can be sent.

        Raises
        ------
        MissingCredential
            If there is none, or it is none of the vendor's.
        """
        if key is None:
            one = "one" if self.noun == "key" else f"a {self.noun}"
            raise MissingCredential(
                f"{self.vendor} needs a key, got none: set {self.variable} to {one} from "
                f"{self.register}, or {self.without}"
            )
        if not self.form.fullmatch(key.get_secret_value()):
            raise MissingCredential(
                f"{self.variable}: got {len(key)} characters that are no {self.noun} of "
                f"{self.vendor}, allowed are {self.allowed}; correct it, or {unset}"
            )
        return key
