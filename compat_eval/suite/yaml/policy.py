"""The keys of a release policy: which suites decide, how much each may lose."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from compat_eval.core.errors import CompatEvalError
from compat_eval.gates.release import PooledGate, matches, pooled_gate
from compat_eval.suite.data.source import Scalar
from compat_eval.suite.yaml.gates import GateRule, Protected
from compat_eval.suite.yaml.schema import Name, TaskRule
from compat_eval.suite.yaml.strict import Number, OrPercent, Problem, Strict, got, told


def _suite_name(name: str) -> str:
    """Refuse names that would read like a gate on several suites, or like none."""
    if not name.isprintable() or name != name.strip() or not name or {*"[]"} & {*name}:
        raise told(f"must be one line of text without brackets; got {got(name)}")
    return name


SuiteName = Annotated[str, AfterValidator(_suite_name)]
"""Tasks of other tools are called as they like."""

LIMITS = ("gates", "protected", "max_drop", "relative_drop")
"""Keys of a suite of a policy that demand something of it."""

_SETTINGS = ("tier", "required", *LIMITS, "metric", "relative_below")


class SuiteRule(Strict):
    """One suite, or one pair of files, of a release."""

    tier: Literal["critical", "supporting", "advisory"] = "supporting"
    """critical and supporting decide; advisory is reported and never decides.
    `tolerate` spares some supporting suites."""
    required: bool | None = None
    """Whether it must be there; the default is yes, and no for advisory ones."""
    suite: str | None = None
    """Name of a shipped suite, or a suite file, whose gates count where none stand
    here."""
    old: str | None = None
    """OLD of this suite: a model, a file of answers, a log or a role of a run."""
    new: str | None = None
    """NEW of this suite."""
    run: str | None = None
    """In place of old and new: a run directory of `compat-eval compare`."""
    task: TaskRule | None = None
    """The task kind, where there is no suite; files without one are classification."""
    gold: str | None = None
    """File with the gold answers, where there is no suite."""
    fields: dict[str, str] = Field(default_factory=dict)
    """Columns of files, ours to theirs."""
    old_fields: dict[str, str] = Field(default_factory=dict)
    """Columns of OLD's file, where they are not those of fields."""
    new_fields: dict[str, str] = Field(default_factory=dict)
    """Columns of NEW's file, likewise."""
    gold_fields: dict[str, str] = Field(default_factory=dict)
    """Columns of the gold file, likewise."""
    keep: dict[str, str] = Field(default_factory=dict)
    """Which rows of files count, as column to value."""
    old_keep: dict[str, str] = Field(default_factory=dict)
    """Which rows of OLD's file count."""
    new_keep: dict[str, str] = Field(default_factory=dict)
    """Which rows of NEW's file count."""
    pair_by: Literal["id", "row", "content"] = "id"
    """How rows of both sides are paired."""
    read: dict[str, Scalar] = Field(default_factory=dict)
    """How files are read, such as delimiter."""
    old_read: dict[str, Scalar] = Field(default_factory=dict)
    """How OLD's file is read, where not like the others."""
    new_read: dict[str, Scalar] = Field(default_factory=dict)
    """How NEW's file is read, likewise."""
    gold_read: dict[str, Scalar] = Field(default_factory=dict)
    """How the gold file is read, likewise."""
    split: str = "test"
    """Split of the suite."""
    normalise: Annotated[tuple[str, ...], Field(strict=False)] = ()
    """Normalise labels: strip, case, number, nfc."""
    on_mismatch: Literal["refuse", "old", "new", "own", "drop"] = "refuse"
    """Where the sides differ about questions."""
    on_missing: Literal["fail", "bound"] = "fail"
    """Where a side lacks examples: fail, or count each at its worst."""
    trust_correct: bool = False
    """Whether to use a file's own grades even where gold contradicts them."""
    max_errors: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Largest share of a side's answers that may be errors."""
    gates: Annotated[tuple[GateRule, ...], Field(strict=False)] = ()
    """The demands on this suite, as in a gates file."""
    protected: Protected = Protected()
    """Examples with zero tolerance and no statistics."""
    max_drop: Annotated[float, Field(ge=0)] | None = None
    """How much the metric may lose: certified. 0.01 is one point of accuracy."""
    relative_drop: Annotated[float, Field(ge=0)] | None = None
    """How much of OLD's value the metric may lose: certified. 0.02 is two percent."""
    relative_below: Annotated[float, Field(ge=0, le=1)] | None = None
    """Apply relative_drop only where OLD's value lies below this."""
    metric: str | None = None
    """What may not drop; the default is accuracy, or the mean score where units have
    scores."""

    @classmethod
    def contradictions(cls, raw: dict[str, Any]) -> Iterator[Problem]:
        """Yield sides that are named twice, or one of two."""
        sides = [key for key in ("old", "new") if raw.get(key) is not None]
        if raw.get("run") is not None and sides:
            yield ("run",), f"takes the place of {' and '.join(sides)}; leave one out"
        if len(sides) == 1:
            yield (sides[0],), "names one side; name both old and new, or neither"
        if raw.get("suite") is not None:
            for key in ("task", "gold"):
                if raw.get(key) is not None:
                    yield (key,), "is said by the suite; leave it out"
        limits = [raw.get(key) is not None for key in ("max_drop", "relative_drop")]
        for key in ("metric", "relative_below"):
            if raw.get(key) is not None and not any(limits):
                yield (key,), "belongs to max_drop or relative_drop"
        if raw.get("required") is False and raw.get("tier") == "critical":
            yield ("required",), "a critical suite must be there; leave it out"
        if raw.get("gates") == []:
            yield ("gates",), "holds no gate; write one, or leave gates: out"

    def defects(self) -> Iterator[Problem]:
        """Yield a limit that is none where OLD is good."""
        if self.relative_below is not None and self.max_drop is None and not self.gates:
            yield (
                ("relative_below",),
                "leaves a better OLD without a limit: give max_drop",
            )

    @property
    def decides(self) -> bool:
        """Whether the verdict of the release depends on it."""
        return self.tier != "advisory"

    @property
    def must_be_there(self) -> bool:
        """Whether the release is blocked where it is missing."""
        return self.decides if self.required is None else self.required

    @property
    def demands_something(self) -> bool:
        """Whether the policy itself limits something here."""
        protects = bool(self.protected.ids or self.protected.slices)
        drops = (self.max_drop, self.relative_drop)
        return bool(self.gates) or protects or any(one is not None for one in drops)

    def compared(self) -> dict[str, Any]:
        """Return what is compared, without what is demanded of it."""
        return self.model_dump(
            mode="json", exclude=set(_SETTINGS), exclude_defaults=True
        )


class PooledRule(Strict):
    """One demand on several suites at once."""

    quantity: str
    """pooled_ or mean_ before accuracy_change, nfr or pfr: over all examples, or with
    each suite alike; or max_drop or fisher, which ask whether any suite lost."""
    at_most: Number | None = None
    """The upper limit."""
    at_least: Number | None = None
    """The lower limit."""
    semantics: Literal["certify", "detect"] | None = None
    """As of other gates; max_drop and fisher detect."""
    suites: Annotated[tuple[str, ...], Field(strict=False)] = ()
    """Which suites, `*` for any characters; all that decide where this is left out."""

    def defects(self) -> Iterator[Problem]:
        """Yield what the gate itself refuses."""
        try:
            self.gate()
        except (CompatEvalError, ValueError, TypeError) as error:
            yield (), str(error)

    def gate(self) -> PooledGate:
        """Return the gate that judges."""
        return pooled_gate(**self.model_dump(exclude_none=True))


class PolicyFile(Strict):
    """What a release must keep, over many suites."""

    name: Name = "release"
    """Short and stable; release directories are named by it."""
    old: str | None = None
    """OLD of all suites that name none; the command line comes first."""
    new: str | None = None
    """NEW of all suites that name none."""
    defaults: dict[str, Any] = Field(default_factory=dict)
    """Keys that every suite has unless it says otherwise."""
    suites: dict[SuiteName, SuiteRule]
    """Each suite by its name in the release. In names of tasks that folders hold, `*`
    stands for any characters: each task that no other key names."""
    pooled: Annotated[tuple[PooledRule, ...], Field(strict=False)] = ()
    """Demands on several suites at once."""
    tolerate: Annotated[int, Field(ge=0)] = 0
    """How many supporting suites may fail or stay undecided."""
    correction: Literal["holm", "none"] = "holm"
    """How all gates that decide share the allowed error."""
    confidence: Annotated[float, Field(gt=0.5, lt=1), OrPercent()] = 0.95
    """Confidence of intervals and of the verdict of the whole release."""

    elsewhere: ClassVar[tuple[str, ...]] = ("version",)

    @classmethod
    def contradictions(cls, raw: dict[str, Any]) -> Iterator[Problem]:
        """Yield a policy that judges nothing."""
        suites = raw.get("suites")
        if "suites" in raw and not suites:
            yield ("suites",), "names no suite, so nothing would be judged"
        defaults = raw.get("defaults")
        for key in defaults if isinstance(defaults, dict) else ():
            if key not in SuiteRule.model_fields:
                yield ("defaults", key), "is no key of a suite"

    def defects(self) -> Iterator[Problem]:
        """Yield suites that stand twice, decide nothing, or are named by no one."""
        tiers = [rule.tier for rule in self.suites.values()]
        if not any(rule.decides for rule in self.suites.values()):
            yield ("suites",), "are all advisory, so nothing would decide"
        elif "critical" not in tiers and self.tolerate >= tiers.count("supporting"):
            yield ("tolerate",), "spares every suite that decides; make it smaller"
        pooled = {
            name
            for rule in self.pooled
            for name in self.suites
            if not rule.suites or _meant(name, rule.suites)
        }
        seen: dict[str, str] = {}
        for name, rule in self.suites.items():
            same = repr(sorted(rule.compared().items()))
            by_name = rule.suite is None and rule.old is None and rule.run is None
            if same in seen and not by_name:
                yield ("suites", name), f"compares the same as {seen[same]}"
            seen.setdefault(same, name)
            silent = not rule.demands_something and rule.suite is None
            if (rule.tier == "critical" and silent) or (
                rule.decides and silent and name not in pooled
            ):
                yield ("suites", name), _NO_GATE
        for at, one in enumerate(self.pooled):
            yield from self._not_here(at, one)

    def _not_here(self, at: int, one: PooledRule) -> Iterator[Problem]:
        for place, name in enumerate(one.suites):
            where = ("pooled", at, "suites", place)
            meant = [one for one in self.suites if _meant(one, (name,))]
            if not meant:
                known = ", ".join(self.suites)
                yield (
                    where,
                    f"names no suite of this policy: {name!r}; there is {known}",
                )
            for suite in meant:
                if not self.suites[suite].decides:
                    yield where, f"names {suite}, which is advisory and has no say"


def _meant(suite: str, named: Sequence[str]) -> bool:
    """Whether a pooled gate is on a suite; of two names either may have `*`."""
    return any(matches(suite, one) or matches(one, suite) for one in named)


_NO_GATE = (
    "decides, but nothing is demanded of it: give it max_drop, relative_drop or gates, "
    "or make it advisory"
)
