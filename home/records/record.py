"""What every record shares: frozen, strict types, nothing extra, every number finite."""

from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import from_json

from home.strict_json import Json
from market.errors import InputError


class Record(BaseModel):
    """Types are not converted; unknown fields and numbers that are not finite are refused."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

    @classmethod
    def parse(cls, document: object, source: str) -> Self:
        """Return the record that JSON values hold; `source` is what an error calls them.

        Raises
        ------
        InputError
            If a field is missing, unknown or wrong.
        """
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            raise InputError(f"{source}: {first_fault(error)}") from error

    @classmethod
    def from_json(cls, text: str | bytes, source: str) -> Self:
        """Return the record that a JSON document holds; see `parse`."""
        return cls.parse(json_value(text, source), source)

    def document(self) -> dict[str, Json]:
        """Return the record as JSON values, in the order of its fields."""
        return self.model_dump(mode="json")


def json_value(text: str | bytes, source: str) -> Json:
    """Return the value of a JSON document.

    Raises
    ------
    InputError
        If it is none.
    """
    try:
        value: Json = from_json(text)
    except ValueError as error:
        raise InputError(f"{source} is no JSON: {error!s:.80}") from error
    return value


def first_fault(error: ValidationError) -> str:
    """Return the place and the words of the first fault that a validation found."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(step) for step in first["loc"])
    if first["type"] == "missing":
        return f"{where} is missing"
    return f"{where}: {first['msg']}" if where else str(first["msg"])
