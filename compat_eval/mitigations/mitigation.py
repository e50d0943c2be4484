"""What a mitigation is: what it needs, its settings, its cost, and what it does.

A `Combination` makes one model of models that exist. A `Recipe` trains one. A `Bridge`
leads an encoder's queries to an index that stays. Command line, help, docs and JSON
Schema all come from the settings' class.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from keyword import iskeyword
from pathlib import Path
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    ClassVar,
    Generic,
    Literal,
    TypeVar,
    Union,
    get_args,
    get_origin,
)

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from compat_eval.core.errors import CapabilityError, ModelError, UsageError
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.core.progress import Progress
from compat_eval.core.protocols import ModelSource, Predicts, Task
from compat_eval.mitigations.learning import Learning
from compat_eval.runner.cache import Cache
from compat_eval.runner.questions import Predict, Question

_M_co = TypeVar("_M_co", bound=Predicts, covariant=True)
_C = TypeVar("_C")


class MitigationSettings(BaseModel):
    """The settings of a mitigation: a frozen class, a described field each.

    Attributes:
        grids: By field, the values that are tried on dev where a user writes `auto`
            or nothing for a field without a default; the mildest first.
        learned: Fields that a combination's `learn` settles where they are `None` or
            `dev`, and a value for each with which models can be tried before.
        undeclared: Which further settings `takes` allows, in words.

    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    grids: ClassVar[Mapping[str, tuple[Any, ...]]] = {}
    learned: ClassVar[Mapping[str, Any]] = {}
    undeclared: ClassVar[str] = ""

    def __init__(self, **values: Any) -> None:  # noqa: ANN401
        """Check the values; texts as users write them are read.

        Raises:
            UsageError: One is unknown, missing, or of the wrong kind.

        """
        fields = type(self).model_fields
        read = {
            name: _without_none(value, fields.get(name))
            for name, value in values.items()
        }
        try:
            super().__init__(**read)
        except ValidationError as error:
            wrong = [_told(one, fields) for one in error.errors()]
            raise UsageError("; ".join(dict.fromkeys(wrong))) from error

    @classmethod
    def takes(cls, name: str, beside: Mapping[str, Any]) -> bool:  # noqa: ARG003 - for subclasses
        """Say whether there is such a setting, beside others that are given."""
        return name in cls.model_fields

    @classmethod
    def options(cls) -> Mapping[str, str]:
        """Return what each setting must be and means, in words, with its default."""
        return {
            name: f"{expected(one)}: {one.description or ''}".rstrip(": ")
            + _else(one)
            + cls._tried(name)
            for name, one in cls.model_fields.items()
        }

    @classmethod
    def _tried(cls, name: str) -> str:
        """Say which values dev tries of a setting, where it may choose."""
        if name not in cls.grids:
            return ""
        return f"; auto tries {', '.join(map(_as_written, cls.grids[name]))}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FurtherRole:
    """A role in which further models may take part, each named once.

    Attributes:
        summary: What such a model does.
        weight: Of one that is given none; `None` where models have no weights.
        required: Whether there must be one.

    """

    summary: str
    weight: float | None = None
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """How often models are asked for one example; 1 and 1 compare OLD and NEW.

    Attributes:
        old_passes: Of OLD and of further models in its place; a share of the examples
            where not all are asked.
        new_passes: Of NEW and of further new models.
        candidates: How many OLD and each earlier model score in one pass.

    """

    old_passes: float
    new_passes: float
    candidates: int = 0


@dataclass(frozen=True, slots=True)
class Learned:
    """What a combination learned.

    Attributes:
        values: Of settings, JSON-ready, or something with a JSON-ready `told`.
        notes: What people should know of it, in sentences.

    """

    values: Mapping[str, Any]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Combination(Generic[_M_co]):
    """A mitigation that makes one model of models that exist.

    It can be called with the settings as keywords: `bcr(old, new, k=5)`.

    Attributes:
        name: How users call it.
        summary: What it does, in a sentence.
        needs: What the models must be able to do, in a sentence.
        combine: `combine(old, new, settings, **further) -> model`, of loaded models and
            an instance of `settings`. Further models come by role (a keyword of Python
            with `_` behind it), each as (weight, model) where the role has weights. A
            model that cannot do what is needed is refused, see `require`.
        settings: Class of its settings.
        further: Roles of further models.
        cost: What it costs, of its settings and the number of further models; `None`
            where that is not known.
        learn: `learn(learning, settings) -> Learned`: values of the settings' `learned`
            fields; `None` where there is nothing to learn.
        one_model: Whether what it makes has weights of its own (`HasWeights`) and is
            kept as a model that needs no other.

    """

    name: str
    summary: str
    needs: str
    combine: Callable[..., _M_co]
    settings: type[MitigationSettings] = MitigationSettings
    further: Mapping[str, FurtherRole] = field(default_factory=dict)
    cost: Callable[[Any, int], Cost] | None = None
    learn: Callable[[Learning, Any], Learned] | None = None
    one_model: bool = False

    def __call__(
        self,
        old: object,
        new: object,
        **options: Any,  # noqa: ANN401
    ) -> _M_co:
        """Return OLD and NEW as one model.

        Args:
            old: The old model, loaded.
            new: The new one.
            options: Settings, and further models as `combine` takes them.

        Raises:
            UsageError: An option makes no sense.
            CapabilityError: A model cannot do what is needed.
            ModelError: What was made cannot answer.

        """
        roles = {keyword(role) for role in self.further}
        further = {name: value for name, value in options.items() if name in roles}
        plain = {name: value for name, value in options.items() if name not in roles}
        made = self.combine(old, new, settings_of(self, plain), **further)
        if not isinstance(made, Predicts):
            raise ModelError(
                f"mitigation {self.name} returned a {type(made).__name__}, "
                "which cannot predict"
            )
        return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """What a recipe learns from, and where it works.

    Attributes:
        examples: What to learn from, with `input` and `gold`.
        answers: OLD's answers to them, in their order: the teacher's; no rows where
            the recipe asks for none.
        further: Further models by role, opened and not loaded.
        ask: `ask(model, examples) -> answers` of any model, to what the recipe asks.
        load: `load(split, dev) -> (examples, dev)` of the suite, without clusters and
            slices; `dev` may be `held out` or `none`.
        dev: What to stop early by, with its own gold; `None` for nothing.
        task: Says what is right.
        data: What the examples are called, for the record.
        old: OLD, opened and not loaded.
        new: NEW, likewise.
        seed: Random seed.
        out: Directory of the model. What an interrupted call left is there.
        aside: Directory of what other trainings may use again.
        progress: Follows the work.
        cache: Where answers are stored; `None` for nowhere.
        data_dir: Where data files are looked for first; `None` for the usual place.
        offline: Whether the network is never used.

    """

    examples: Examples
    answers: Predictions
    further: Mapping[str, Sequence[ModelSource]]
    ask: Callable[[ModelSource, Examples], Predictions]
    load: Callable[[str, str], tuple[Examples, Examples | None]]
    dev: Examples | None
    task: Task
    data: str
    old: ModelSource
    new: ModelSource
    seed: int
    out: Path
    aside: Path
    progress: Progress
    cache: Cache | None = None
    data_dir: Path | None = None
    offline: bool = False


class RecipeSettings(MitigationSettings):
    """What every recipe lets users choose."""

    split: str | None = Field(
        None, description="split to train on; by default that which NEW was trained on"
    )
    dev: str | None = Field(
        None, description="split to stop early by; by default NEW's"
    )
    train_seed: int | None = Field(
        None, ge=0, description="random seed of the training; by default NEW's"
    )
    overlap: Literal["refuse", "drop", "allow"] = Field(
        "refuse", description="training examples that are also compared on"
    )


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A mitigation that trains a model in NEW's place.

    Attributes:
        name: How users call it.
        summary: What it does, in a sentence.
        needs: What OLD, NEW and the suite must have, in a sentence.
        train: `train(training, settings) -> reference` of the model, such as
            `compat:DIR`. The same call after an interruption goes on where it was.
        settings: Class of its settings.
        asks: What OLD and further models are asked about the examples to learn from;
            `None` where the recipe needs no answers.
        further: Roles of further models, which teach beside OLD; without weights.
        check: `check(name, old, new, settings)` refuses what cannot be trained, before
            any model is asked; `None` for nothing.
        learns_dev: Whether it learns from dev, too, of the settings; `None` for never.
        twin: The mitigation without training that is always shown beside it, as users
            write it, of the settings; `None` for none.
        stands_for: Of an encoder that it trains, of the settings: whether it asks the
            `queries` on OLD's index, or makes the `index` that NEW asks; or neither.
            `None` where it trains no encoder.

    """

    name: str
    summary: str
    needs: str
    train: Callable[[Training, Any], str]
    settings: type[RecipeSettings] = RecipeSettings
    asks: Question | None = field(default_factory=Predict)
    further: Mapping[str, FurtherRole] = field(default_factory=dict)
    check: Callable[[str, ModelSource, ModelSource, Any], None] | None = None
    learns_dev: Callable[[Any], bool] | None = None
    twin: Callable[[Mapping[str, Any]], str] | None = None
    stands_for: Callable[[Any], Literal["queries", "index"] | None] | None = None

    def cost(self, settings: object, n_further: int) -> Cost:
        """Return what answering costs: what NEW alone does."""
        return Cost(old_passes=0, new_passes=1)


@dataclass(frozen=True, kw_only=True)
class Bridge:
    """A mitigation of an encoder whose index stays: what its queries find there.

    Attributes:
        name: How users call it.
        summary: What it does, in a sentence.
        needs: What it needs, in a sentence.
        cross: `cross(bridging, settings) -> bridged`, see `embeddings.bridge`.
        settings: Class of its settings.
        cost: What one query costs, of its settings and 0.

    """

    name: str
    summary: str
    needs: str
    cross: Callable[[Any, Any], Any]
    settings: type[MitigationSettings]
    cost: Callable[[Any, int], Cost]
    further: ClassVar[Mapping[str, FurtherRole]] = {}


Mitigation = Combination[Any] | Recipe | Bridge


def schema_of(mitigation: Mitigation) -> dict[str, Any]:
    """Return the JSON Schema of all that users may set of a mitigation.

    What dev may choose from stands as `examples`, behind `auto`.
    """
    found = mitigation.settings.model_json_schema()
    found["title"] = mitigation.name
    found["description"] = f"{mitigation.summary}. Needs: {mitigation.needs}"
    properties, grids = found.setdefault("properties", {}), mitigation.settings.grids
    needed = [name for name in found.pop("required", ()) if name not in grids]
    for name, grid in grids.items():
        properties.setdefault(name, {})["examples"] = ["auto", *grid]
    for role, one in mitigation.further.items():
        models = {"type": "array", "items": {"type": "string"}}
        properties[role] = {**models, "description": one.summary}
        needed += [role] if one.required else []
    return {**found, "required": needed} if needed else found


def settings_of(mitigation: Mitigation, options: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """Return a mitigation's settings.

    Raises:
        UsageError: An option makes no sense; the message begins with the name.

    """
    try:
        return mitigation.settings(**options)
    except UsageError as error:
        raise UsageError(f"{mitigation.name}: {error}") from error


def keyword(role: str) -> str:
    """Return the keyword of Python that stands for a role."""
    return f"{role}_" if iskeyword(role) else role


def require(model: object, capability: type[_C], method: str, side: str) -> _C:
    """Return a model that has a capability.

    Raises:
        CapabilityError: It lacks it.

    """
    if not isinstance(model, capability):
        raise CapabilityError(
            f"{method} needs {side} to have the capability {capability.__name__}; "
            f"{type(model).__name__} lacks it"
        )
    return model


_KINDS = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "a word",
    NoneType: "none",
}
_BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}


def expected(one: FieldInfo) -> str:
    """Return what a setting must be.

    Examples:
        >>> from pydantic import Field
        >>> expected(FieldInfo.from_annotated_attribute(float, Field(ge=0, le=1)))
        'a number in [0, 1]'

    """
    kinds = _kinds(one.annotation)
    words = [
        " or ".join(map(str, get_args(kind)))
        if get_origin(kind) is Literal
        else "as it was learned"
        if get_origin(kind) in (dict, list)
        else _KINDS.get(kind, "a word")
        for kind in kinds
    ]
    bounds = {
        name: getattr(limit, name)
        for limit in one.metadata
        for name in _BOUNDS
        if getattr(limit, name, None) is not None
    }
    if bounds.keys() == {"ge", "le"}:
        limits = f" in [{bounds['ge']:g}, {bounds['le']:g}]"
    else:
        limits = "".join(f", {_BOUNDS[n]} {v:g}" for n, v in bounds.items())
    return f"{' or '.join(words)}{limits}"


def _else(one: FieldInfo) -> str:
    """Return a setting's default, in brackets; nothing where it needs more words."""
    if one.is_required() or one.default is None:
        return ""
    value = one.default
    return f" [{str(value).lower() if isinstance(value, bool) else value}]"


def _kinds(hint: Any) -> tuple[Any, ...]:  # noqa: ANN401
    if get_origin(hint) in (Union, UnionType):
        return tuple(kind for one in get_args(hint) for kind in _kinds(one))
    if get_origin(hint) is Annotated:
        return _kinds(get_args(hint)[0])
    return (hint,)


def _without_none(value: Any, one: FieldInfo | None) -> Any:  # noqa: ANN401
    """Read the word `none`, where words are no values: `dev=none` names no split."""
    kinds = () if one is None else _kinds(one.annotation)
    nothing = NoneType in kinds and str not in kinds
    return None if value == "none" and nothing else value


def _told(problem: Any, fields: Mapping[str, FieldInfo]) -> str:  # noqa: ANN401
    name = str(problem["loc"][0]) if problem["loc"] else ""
    if problem["type"] == "missing":
        return f"needs {name}=VALUE"
    if problem["type"] == "extra_forbidden":
        return f"has no option {name!r}; known: {', '.join(sorted(fields))}"
    if name not in fields:
        return str(problem["msg"]).removeprefix("Value error, ")
    return f"{name} must be {expected(fields[name])}; got {problem['input']!r}"


def _as_written(value: Any) -> str:  # noqa: ANN401 - of a setting
    return f"{value:g}" if isinstance(value, float) else str(value)


def plainest(text: str) -> bool | int | float | str:
    """Return the plainest value that a text can be.

    Examples:
        >>> plainest("10"), plainest("0.1"), plainest("true"), plainest("a")
        (10, 0.1, True, 'a')

    """
    if text in ("true", "false"):
        return text == "true"
    digits = text.removeprefix("-")
    if digits.isascii() and digits.isdigit():
        return int(text)
    found = number(text)
    return found if math.isfinite(found) else text


def number(text: str) -> float:
    """Return the number that a text is, nan where it is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan
