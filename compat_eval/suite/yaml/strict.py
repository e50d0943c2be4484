"""Strict pydantic models that report every mistake at once, each with its cure."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    model_validator,
)
from pydantic.functional_validators import ModelWrapValidatorHandler
from pydantic_core import (
    CoreSchema,
    ErrorDetails,
    InitErrorDetails,
    PydanticCustomError,
    core_schema,
)

from compat_eval.core.option_text import fraction_of
from compat_eval.core.text import did_you_mean


def _without_percent(value: object) -> object:
    """Return the fraction that a percentage such as `2%` stands for."""
    fraction = fraction_of(value) if isinstance(value, str) else None
    return value if fraction is None else fraction


class OrPercent:
    """Marks a number that may be written in percent, as `2%`."""

    def __get_pydantic_core_schema__(
        self, source: type[Any], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_before_validator_function(
            _without_percent, handler(source)
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        percent = {"type": "string", "pattern": "[0-9] ?%$"}
        return {"anyOf": [handler(schema), percent]}


Number = Annotated[float, OrPercent()]

_MAX_SHOWN = 60
"""Characters of a value that a message quotes."""

Problem = tuple[tuple[str | int, ...], str]
"""A path below the model, and what is wrong there and what to do."""


class Strict(BaseModel):
    """A frozen model without unknown keys or silent conversions."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        validate_default=False,
    )

    shorthand: ClassVar[str | None] = None
    """The key that a lone text stands for."""

    shorthand_types: ClassVar[tuple[type, ...]] = (str,)
    """What such a lone value may be."""

    elsewhere: ClassVar[tuple[str, ...]] = ()
    """Keys that a file may hold but that others have read."""

    @classmethod
    def contradictions(cls, raw: dict[str, Any]) -> Iterator[Problem]:  # noqa: ARG003
        """Yield what is wrong between keys, from what the file says."""
        yield from ()

    def defects(self) -> Iterator[Problem]:
        """Yield what is wrong with values whose types are right."""
        yield from ()

    @model_validator(mode="wrap")
    @classmethod
    def _all_at_once(
        cls,
        raw: Any,  # noqa: ANN401
        handler: ModelWrapValidatorHandler[Self],
    ) -> Self:
        if isinstance(raw, cls):
            return raw
        if cls.shorthand is not None and not isinstance(raw, dict):
            if isinstance(raw, bool) or not isinstance(raw, cls.shorthand_types):
                wanted = f"a {cls.shorthand}, or a mapping of names to values"
                raise told(f"must be {wanted}; got {got(raw)}")
            raw = {cls.shorthand: raw}
        problems: list[Problem] = []
        if isinstance(raw, dict):
            problems += cls._unknown(raw)
            problems += cls.contradictions(raw)
        value = None
        try:
            value = handler(raw)
        except ValidationError as error:
            problems += [
                (details["loc"], say(details))
                for details in error.errors()
                if details["type"] != "extra_forbidden"
            ]
        if value is not None:
            problems += value.defects()
        if value is None or problems:
            raise _as_error(cls.__name__, raw, problems)
        return value

    @classmethod
    def _unknown(cls, raw: dict[str, Any]) -> Iterator[Problem]:
        known = [*cls.model_fields, *cls.elsewhere]
        for key in raw:
            if key not in known:
                yield (key,), f"is no key here; {did_you_mean(str(key), known)}"


def got(value: object) -> str:
    """Return a value in a few words; what is nested may hold a secret and is not shown.

    Examples:
        >>> got("x"), got([1, 2]), got({})
        ("'x'", 'a list of 2', 'a mapping')

    """
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    if value is None:
        return "nothing"
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


_WANTED = {
    "missing": "is required",
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping of names to values",
    "mapping_type": "must be a mapping of names to values",
    "model_type": "must be a mapping of names to values",
    "model_attributes_type": "must be a mapping of names to values",
    "string_pattern_mismatch": "must be letters, digits, '-', '_' (or '.' in a name)",
    "string_too_short": "must not be empty",
    "finite_number": "must be a finite number",
}


def say(details: ErrorDetails) -> str:
    """Return one of pydantic's findings in our words, with what was got."""
    kind, value = details["type"], details["input"]
    if kind == "told":
        return str(details["msg"])
    if kind == "missing":
        return "is required but missing; add it"
    what = _WANTED.get(kind)
    if what is None:
        what = details["msg"].removeprefix("Value error, ")
        what = what.replace("Input should be", "must be")
        what = what[:1].lower() + what[1:]
    cure = ""
    if kind == "string_type" and isinstance(value, int | float | bool):
        cure = f"; write it in quotes: '{value}'"
    if kind == "float_type" and isinstance(value, str):
        cure = _of_percent(value)
    if kind.startswith("less_than") and isinstance(value, int | float) and value > 1:
        cure = f"; for {value:g} % write {value / 100:g}"
    return f"{what}; got {got(value)}{cure}"


def _of_percent(text: str) -> str:
    """Return how a percentage is written, as a cure; empty where it is none."""
    number = text.strip().removesuffix("%").strip()
    try:
        return f"; write {float(number) / 100:g}" if "%" in text else ""
    except ValueError:
        return ""


def _as_error(title: str, raw: object, problems: list[Problem]) -> ValidationError:
    details = [
        InitErrorDetails(type=told(text), loc=path, input=raw)
        for path, text in problems
    ]
    return ValidationError.from_exception_data(title, details)


def told(text: str) -> PydanticCustomError:
    """Return an error in our own words, to be raised by a validator."""
    return PydanticCustomError("told", "{text}", {"text": text})
