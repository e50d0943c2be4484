"""What is demanded of an update, checked when it is made."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import InitVar, dataclass, field
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from compat_eval.core.errors import SuiteError
from compat_eval.core.grades import Level
from compat_eval.core.statistic import Share, Statistic
from compat_eval.statistics.families.flips import AGREEMENT_STATISTICS, FLIP_STATISTICS
from compat_eval.statistics.families.scores import score_statistics
from compat_eval.statistics.intervals.evidence import Side

Semantics: TypeAlias = Literal["certify", "detect", "protected"]
Correction: TypeAlias = Literal["holm", "none"]

LOSS, PROTECTED = "loss", "protected"
_ALL_PERCENT = 100
_LARGEST_LIMIT = 1e9
_SCORES = Level("score", "unit", "units", scale="score")
_KNOWN = {**FLIP_STATISTICS, **AGREEMENT_STATISTICS, **score_statistics(_SCORES)}
"""What is known of any task's levels, be their units right or wrong or have scores."""

_OF_A_TASK = ("_old", "_new", "_change", "_ratio", "_share")
"""How names of statistics end that only a task knows."""
_OF_STREAMS = (
    "forgetting",
    "forgetting_first",
    "forgetting_max",
    "backward_transfer",
    "forward_transfer",
)
"""What only a stream of models has; see `statistics.families.continual`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A statistic of an update and its limit.

    Attributes:
        quantity: Name of a statistic of the update (`nfr`, `nfi`, `accuracy_change`,
            …; of the task's own statistics their value of old or new, or the change
            of it: `macro_f1_new`, `macro_f1_change`), `loss` (a change for the worse
            of a statistic, in its own direction) or `protected` (examples that may
            not break).
        at_most: The upper limit.
        at_least: The lower limit. A gate has exactly one limit; rates are
            fractions. Protected examples have none.
        of: The statistic whose loss is limited, such as `accuracy` or `macro_f1`.
        semantics: `certify` passes only where the evidence proves the limit;
            `detect` fails only where it proves a breach. By default statistics of
            what breaks (nfr, nfi, relative_nfr, btc, bec) are certified and all
            others detected. Filled in; `protected` for protected examples.
        level: The level that is judged; `None` for the task's first.
        slice: One slice only; `None` for all examples.
        relative: Whether the limit of a change is a fraction of old's value.
        ids: The protected examples, by name.
        loss: Another way to write `quantity="loss"`:
            `{"of": "accuracy", "at_most": 0.005}`.

    Raises:
        SuiteError: The statistic is unknown, or its limit makes no sense.

    Examples:
        >>> Gate(quantity="nfr", at_most=0.005).semantics
        'certify'
        >>> Gate(loss={"of": "accuracy", "at_most": 0.005}).quantity
        'loss'

    """

    quantity: str = ""
    at_most: float | None = None
    at_least: float | None = None
    of: str | None = None
    semantics: Semantics | None = None
    level: str | None = None
    slice: str | None = None
    relative: bool = False
    ids: tuple[str, ...] = ()
    loss: InitVar[Mapping[str, Any] | None] = None

    def __post_init__(self, loss: Mapping[str, Any] | None) -> None:
        if loss is not None:
            self._spell_out(loss)
        defects = list(_defects(self))
        if defects:
            raise SuiteError("; ".join(defects))
        if self.semantics is None:
            object.__setattr__(self, "semantics", self._default_semantics())

    @property
    def side(self) -> Side:
        """Which side of the limit is allowed."""
        return "at_least" if self.at_least is not None else "at_most"

    @property
    def limit(self) -> float:
        """The limit; 0 for protected examples, none of which may break."""
        limit = self.at_least if self.at_most is None else self.at_most
        return 0.0 if limit is None else float(limit)

    @property
    def is_loss(self) -> bool:
        """Whether a change for the worse is limited."""
        return self.quantity == LOSS

    @property
    def named(self) -> str:
        """Name of the statistic that it limits, or whose loss it limits."""
        return self.of if self.is_loss and self.of is not None else self.quantity

    @property
    def uses_statistics(self) -> bool:
        """Whether chance plays a part in the verdict."""
        return self.quantity != PROTECTED

    def statistic(self, known: Mapping[str, Statistic]) -> Statistic | None:
        """Return what is limited, among statistics by name; `None` if it is not there.

        Of a loss that is the change, whose sign is its own.
        """
        return limited(known, self.quantity, of=self.of, relative=self.relative)

    def check(self, known: Mapping[str, Statistic]) -> None:
        """Look whether the limit makes sense, once the task's statistics are known.

        Raises:
            SuiteError: It does not.

        """
        plain = limited(known, self.quantity, of=self.of)
        defects = list(_limit_defects(self, plain))
        if self.relative and plain is not None and plain.relative is None:
            defects.append("relative belongs to a change")
        defects += _wrong_sides(self, plain)
        if defects:
            raise SuiteError(f"a gate on {self.named}: {'; '.join(defects)}")

    def _default_semantics(self) -> Semantics:
        if self.quantity == PROTECTED:
            return "protected"
        known = _KNOWN.get(self.quantity)
        return "certify" if known is not None and known.certified else "detect"

    def _spell_out(self, loss: Mapping[str, Any]) -> None:
        if self.quantity not in ("", LOSS) or self.of is not None:
            raise SuiteError("needs either quantity or loss, not both")
        unknown = sorted(set(loss) - {"of", "at_most"})
        if unknown or "of" not in loss or "at_most" not in loss:
            raise SuiteError(
                f"loss must be {{of: <metric>, at_most: <limit>}}, got {dict(loss)}"
            )
        object.__setattr__(self, "quantity", LOSS)
        object.__setattr__(self, "of", loss["of"])
        object.__setattr__(self, "at_most", loss["at_most"])


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherClaims:
    """The claims of other runs that share one error with this one, by their p-values.

    Attributes:
        kept: That limits are kept, of gates that certify.
        broken: That limits are broken, of all gates with statistics.

    """

    kept: tuple[float, ...] = ()
    broken: tuple[float, ...] = ()

    def __add__(self, other: "OtherClaims") -> "OtherClaims":
        """Return the claims of both."""
        return OtherClaims(
            kept=self.kept + other.kept, broken=self.broken + other.broken
        )

    def to_dict(self) -> dict[str, list[float]]:
        """Return JSON-ready fields."""
        return {"kept": list(self.kept), "broken": list(self.broken)}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "OtherClaims":
        """Read back what `to_dict` wrote."""
        return cls(kept=tuple(fields["kept"]), broken=tuple(fields["broken"]))


ALONE = OtherClaims()


@dataclass(frozen=True, slots=True, kw_only=True)
class Demands:
    """All that is demanded of an update, and how sure its verdicts must be.

    Attributes:
        gates: The gates with limits.
        protected_ids: Examples that may not break at all.
        protected_slices: Slices of which no example may break.
        correction: How gates share the allowed error: `holm`, or `none` (each has all
            of it).
        confidence: Of intervals and gates, in (0.5, 1).
        others: Claims of other suites of a release, among which Holm judges these.
        config: The same as a gates file writes it, without defaults.

    """

    gates: tuple[Gate, ...] = ()
    protected_ids: tuple[str, ...] = ()
    protected_slices: tuple[str, ...] = ()
    correction: Correction = "holm"
    confidence: float = 0.95
    others: OtherClaims = ALONE
    config: Mapping[str, Any] = field(
        default_factory=lambda: MappingProxyType({}), repr=False
    )

    def all_gates(self) -> tuple[Gate, ...]:
        """Return the gates, those of protected examples last."""
        return (*self.gates, *self._protecting())

    def _protecting(self) -> Iterator[Gate]:
        if self.protected_ids:
            yield Gate(quantity=PROTECTED, ids=self.protected_ids)
        for part in self.protected_slices:
            yield Gate(quantity=PROTECTED, slice=part)


def limited(
    known: Mapping[str, Statistic],
    quantity: str,
    *,
    of: str | None = None,
    relative: bool = False,
) -> Statistic | None:
    """Return the statistic that a gate's fields name; `None` if it is not known."""
    if quantity == LOSS:
        changes = (one for one in known.values() if one.change_of == of)
        found = next(changes, None)
    else:
        found = known.get(quantity)
    return found.relative if relative and found is not None else found


def of_update(
    counted: Mapping[str, Statistic], of_roles: Iterable[Statistic]
) -> dict[str, Statistic]:
    """Return everything about an update that a gate can limit, by name.

    Args:
        counted: The statistics of counted cells.
        of_roles: The task's own; those of a role give its value of old and of new, and
            the change.

    """
    found = dict(counted)
    for one in of_roles:
        if one.of == "update":
            found[one.name] = one
            continue
        for own in (one.of_old(), one.of_new(), one.change()):
            found[own.name] = own
    return found


def known_quantities() -> tuple[str, ...]:
    """Return what gates can limit of every task."""
    return (*_KNOWN, LOSS, PROTECTED)


def _defects(gate: Gate) -> Iterator[str]:
    """Yield everything that is wrong with a gate, in words."""
    if gate.quantity not in known_quantities() and not _of_a_task(gate.quantity):
        known = ", ".join(known_quantities())
        given = repr(gate.quantity) if gate.quantity else "none"
        yield (
            f"quantity must be one of {known}, or one of the task's own statistics "
            f"with _old, _new or _change behind its name; got {given}"
        )
    elif gate.quantity == PROTECTED:
        yield from _protected_defects(gate)
    else:
        yield from _limited_defects(gate)
        yield from _misplaced(gate)


def _limited_defects(gate: Gate) -> Iterator[str]:
    limits = {"at_most": gate.at_most, "at_least": gate.at_least}
    given = {name: limit for name, limit in limits.items() if limit is not None}
    if len(given) != 1:
        have = "both" if given else "neither"
        yield f"needs exactly one of at_most and at_least; got {have}"
    yield from _limit_defects(gate, limited(_KNOWN, gate.quantity, of=gate.of))
    if gate.semantics not in (None, "certify", "detect"):
        yield f"semantics must be certify or detect; got {gate.semantics!r}"
    if gate.quantity == LOSS and not gate.of:
        yield "loss must name its metric: loss: {of: accuracy, at_most: 0.005}"
    if gate.quantity == LOSS and gate.at_least is not None:
        yield "loss takes at_most: it limits a change for the worse"


def _misplaced(gate: Gate) -> Iterator[str]:
    if gate.of and gate.quantity != LOSS:
        yield f"of belongs to loss, not to {gate.quantity}"
    known = _KNOWN.get(gate.quantity)
    if gate.relative and known is not None and known.relative is None:
        yield f"relative belongs to accuracy_change or loss, not to {gate.quantity}"
    if gate.ids:
        yield f"ids belong to protected examples, not to {gate.quantity}"


def _protected_defects(gate: Gate) -> Iterator[str]:
    if gate.at_most is not None or gate.at_least is not None:
        yield "protected examples take no limit: none of them may break"
    if bool(gate.ids) == bool(gate.slice):
        have = "both" if gate.ids else "neither"
        yield f"protected needs exactly one of ids and slice; got {have}"
    if gate.semantics not in (None, "protected"):
        yield f"protected examples use no statistics; got semantics {gate.semantics!r}"


def _limit_defects(gate: Gate, statistic: Statistic | None) -> Iterator[str]:
    """Yield what is wrong with the limits of a gate, in words."""
    low, high = (-math.inf, math.inf) if statistic is None else statistic.ends
    if gate.quantity == LOSS:
        low = 0.0
    # What is relative to old's value may more than double.
    endless = gate.relative and gate.quantity != LOSS
    for name, limit in (("at_most", gate.at_most), ("at_least", gate.at_least)):
        if limit is None:
            continue
        number = float(limit) if _is_number(limit) else math.nan
        if not (math.isfinite(number) and low <= number <= high):
            yield _out_of_range(name, limit, number, low=low, high=high)
        elif abs(number) > _LARGEST_LIMIT:
            yield f"{name} {number:g} is no demand: no result lies beyond it"
        elif number == low and name == "at_least":
            yield f"at_least {_plain(low)} is no demand: no result can be below it"
        elif number == high and name == "at_most" and not endless:
            yield f"at_most {_plain(high)} is no demand: no result can be above it"


def _out_of_range(
    name: str, limit: object, number: float, *, low: float, high: float
) -> str:
    kind = "a number" if math.isinf(high) else "a fraction"
    close = ")" if math.isinf(high) else "]"
    start = "(" if math.isinf(low) else "["
    said = f"{name} must be {kind} in {start}{_plain(low)}, {_plain(high)}{close}; "
    if not math.isinf(high) and 1 < abs(number) <= _ALL_PERCENT:
        return said + f"got {limit!r}. For {number:g} % write {number / 100:g}."
    return said + f"got {limit!r}"


def _of_a_task(quantity: str) -> bool:
    named = quantity.isidentifier() and quantity.endswith(_OF_A_TASK)
    return named or quantity in _OF_STREAMS


def _wrong_sides(gate: Gate, statistic: Statistic | None) -> Iterator[str]:
    """Yield what is wrong with a limit that lets anything bad pass.

    What is known of old alone may be limited on either side, for it judges the
    question; and so may shares of flips from above, which all are changes to users.
    """
    if gate.is_loss or statistic is None or statistic.roles == ("old",):
        return
    flips = isinstance(statistic.interval, Share) and statistic.of_itself == 0
    right: Side = "at_most" if statistic.better == "lower" else "at_least"
    if gate.side != right and not (flips and gate.side == "at_most"):
        yield (
            f"{gate.side} is no demand, for {statistic.better} is better: write {right}"
        )


def _is_number(limit: object) -> bool:
    return isinstance(limit, int | float) and not isinstance(limit, bool)


def _plain(number: float) -> str:
    if math.isinf(number):
        return "infinity" if number > 0 else "-infinity"
    return f"{number:g}"
