"""Why no signal is given although the question was good: ours to fix, and worth asking again."""

from typing import Final

from feature_repo.errors import SourceUnavailable

SOON: Final = 2
LATER: Final = 60


class Refusal(SourceUnavailable):
    """No signal for a good question (HTTP 503): ask again later.

    Attributes
    ----------
    error
        The reason in one word, for programs.
    detail
        The reason in a sentence, for people: what was found, what is needed, what to do.
    retry_after
        After how many seconds asking again makes sense.
    """

    def __init__(self, error: str, detail: str, retry_after: int = LATER) -> None:
        super().__init__(f"{error}: {detail}")
        self.error = error
        self.detail = detail
        self.retry_after = retry_after
