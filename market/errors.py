"""Errors, grouped by what the caller does about them. Their text never holds a secret."""

from collections.abc import Iterable


class InputError(ValueError):
    """Bad input: the message says what was got, what is allowed and what to do (exit code 2)."""


class UnknownName(InputError):
    """A name that is none of a closed list.

    Attributes
    ----------
    what
        What was to be named: `unknown ticker`, `--task`.
    got
        The name that was given.
    allowed
        The names there are.
    """

    def __init__(self, what: str, got: object, allowed: Iterable[str], advice: str = "") -> None:
        self.what, self.got, self.allowed = what, got, tuple(allowed)
        # All of them, so that the error can be pickled: it may come out of another process.
        super().__init__(what, got, self.allowed, advice)

    def __str__(self) -> str:
        what, got, allowed, advice = self.args
        verb = "is" if len(allowed) == 1 else "are"
        words = f"{what}: got {got!r:.40}, allowed {verb} {', '.join(allowed)}"
        return f"{words}; {advice}" if advice else words


class SchemaViolation(InputError):
    """Data does not have the declared shape: stop, nothing lands."""


class DamagedFile(InputError):
    """A file is not as it was written: nothing reads it, restore it or make it again."""


class StoreUnavailable(InputError):
    """A store of this machine, or the disk below it, does not do its part (exit code 3)."""


class ConfigurationError(InputError):
    """Something has to be set up first: fix the configuration."""


class MissingCredential(ConfigurationError):
    """A key is needed and none is set."""


class NotEntitled(ConfigurationError):
    """The key is valid, the plan does not include this."""


class SourceUnavailable(RuntimeError):
    """A vendor did not answer usefully: try again later."""


class KeyUnavailable(SourceUnavailable):
    """A source has nothing for one key, which says nothing of its other keys."""
