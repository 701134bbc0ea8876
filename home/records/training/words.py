"""The types that the records of a training share."""

from typing import Annotated, TypeVar

from pydantic import Field

T = TypeVar("T")

#: Scores by name; null where a score is not defined.
Figures = dict[str, float | None]
Interval = Annotated[list[float], Field(min_length=2, max_length=2)]
#: A setting of a training, by its name in a record.
Setting = str | int | float | bool | None
#: A field that some documents do not have: none is written where there is none.
Absent = Annotated[T | None, Field(exclude_if=lambda value: value is None)]
