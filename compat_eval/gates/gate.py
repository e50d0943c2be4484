"""One demand on an update, checked when it is made."""

from collections.abc import Iterator, Mapping
from dataclasses import InitVar, dataclass
from typing import Any, Literal, TypeAlias

from compat_eval.core.errors import SuiteError
from compat_eval.gates.limits import LOSS, PROTECTED, known_quantities, limit_defects
from compat_eval.statistics.intervals.evidence import Side

Semantics: TypeAlias = Literal["certify", "detect", "protected"]

CERTIFIED = frozenset({"nfr", "nfi", "relative_nfr", "btc", "bec"})
"""Quantities of what breaks: their gates certify unless told otherwise."""

CHANGES = frozenset({"accuracy_change", LOSS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A quantity and its limit.

    Attributes:
        quantity: One of the flip quantities (`nfr`, `nfi`, `accuracy_change`, …),
            `loss` (a change for the worse of a metric, in its own direction) or
            `protected` (examples that may not break).
        at_most: The upper limit.
        at_least: The lower limit. A gate has exactly one limit; rates are
            fractions. Protected examples have none.
        of: The metric whose loss is limited, such as `accuracy` or `macro_f1`.
        semantics: `certify` passes only where the evidence proves the limit;
            `detect` fails only where it proves a breach. By default quantities of
            what breaks (nfr, nfi, relative_nfr, btc, bec) are certified and all
            others detected. Filled in; `protected` for protected examples.
        level: The level that is judged; `None` for the task's first.
        slice: One slice only; `None` for all examples.
        relative: Whether the limit of a change is a fraction of old's value.
        ids: The protected examples, by name.
        loss: Another way to write `quantity="loss"`:
            `{"of": "accuracy", "at_most": 0.005}`.

    Raises:
        SuiteError: The quantity is unknown, or its limit makes no sense.

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
            object.__setattr__(self, "semantics", default_semantics(self.quantity))

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
    def uses_statistics(self) -> bool:
        """Whether chance plays a part in the verdict."""
        return self.quantity != PROTECTED

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


def default_semantics(quantity: str) -> Semantics:
    """Return how a quantity is judged where nobody says."""
    if quantity == PROTECTED:
        return "protected"
    return "certify" if quantity in CERTIFIED else "detect"


def _defects(gate: Gate) -> Iterator[str]:
    """Yield everything that is wrong with a gate, in words."""
    if gate.quantity not in known_quantities():
        known = ", ".join(known_quantities())
        given = repr(gate.quantity) if gate.quantity else "none"
        yield f"quantity must be one of {known}; got {given}"
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
    for name, limit in given.items():
        yield from limit_defects(
            name, limit, gate.quantity, of=gate.of, relative=gate.relative
        )
    if gate.semantics not in (None, "certify", "detect"):
        yield f"semantics must be certify or detect; got {gate.semantics!r}"
    if gate.quantity == LOSS and not gate.of:
        yield "loss must name its metric: loss: {of: accuracy, at_most: 0.005}"
    if gate.quantity == LOSS and gate.at_least is not None:
        yield "loss takes at_most: it limits a change for the worse"


def _misplaced(gate: Gate) -> Iterator[str]:
    if gate.of and gate.quantity != LOSS:
        yield f"of belongs to loss, not to {gate.quantity}"
    if gate.relative and gate.quantity not in CHANGES:
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
