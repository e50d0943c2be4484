"""How quantities, levels, cells and verdicts are called on a page."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from compat_eval.comparison.result import UnitCounts
from compat_eval.core.estimate import Estimate
from compat_eval.core.grades import Level, Scale
from compat_eval.gates.result import unit as written_unit
from compat_eval.report.numbers import Unit, confidence, count, counted
from compat_eval.report.results import JudgedGate
from compat_eval.statistics.families.flips import FLIP_STATISTICS
from compat_eval.statistics.families.scores import level_statistics

VERDICTS = {
    "pass": "PASS",
    "fail": "FAIL",
    "inconclusive": "INCONCLUSIVE",
    "none": "NOT JUDGED",
    "blocked": "BLOCKED",
}
SYMBOLS = {"pass": "✓", "fail": "✗", "inconclusive": "?", "none": "–", "blocked": "!"}
CELL_SYMBOLS = {
    "kept": "=",
    "broken": "▼",
    "fixed": "▲",
    "missed": "≠",
    "same": "=",
    "worse": "▼",
    "better": "▲",
    "changed": "≠",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CellWords:
    """How what an update does to units is called, by the scale of their level.

    Attributes:
        lost: Units that are worse off, as a heading.
        won: Units that are better off.
        rate: The share of the former.
        change: The change in what the level measures.

    """

    lost: str
    won: str
    rate: str
    change: str


CELL_WORDS: Mapping[Scale, CellWords] = MappingProxyType(
    {
        "right": CellWords(
            lost="Broken",
            won="Fixed",
            rate="Negative flip rate",
            change="Change in accuracy",
        ),
        "score": CellWords(
            lost="Worse",
            won="Better",
            rate="Share that got worse",
            change="Change",
        ),
        "agreement": CellWords(
            lost="Changed",
            won="Same",
            rate="Churn",
            change="Change",
        ),
    }
)
SEMANTICS = {
    "certify": "certify: passes only if the bound proves that the limit holds",
    "detect": "detect: fails only on a proven breach; a pass proves nothing",
    "protected": "protected: none of these examples may break; no statistics",
}
_TITLES = {"ece": "Expected calibration error (ECE)"}
_FORMS = {"_old": "{} of old", "_new": "{} of new", "_change": "Change in {}"}
"""What people call the values that a statistic of a role has in an update."""

_ACRONYMS = {"f1", "las", "uas", "clas", "mlas", "blex"}


def level_title(level: Level) -> str:
    """Return what people call a level; its name where nothing else is known."""
    return level.title or level.name


def units(number: int, level: Level) -> str:
    """Write a count of a level's units: `3 words`."""
    return counted(number, level.unit, level.units)


def heading(found: UnitCounts) -> str:
    """Say what is counted, with the level where it is not simply examples."""
    level = found.level
    said = units(found.units, level)
    return said if level.name == "example" else f"{level_title(level)}: {said}"


def were_fixed(number: int) -> str:
    """Say how many were fixed: `1 was fixed`."""
    return f"{count(number)} {'was' if number == 1 else 'were'} fixed"


def evidence_noun(found: UnitCounts | None, level: Level) -> str:
    """Return what the n of a level's intervals counts: its units, or clusters of them.

    Examples:
        >>> evidence_noun(None, Level("lcm", "sentence", "sentences"))
        'sentences'

    """
    return level.units if found is None or found.clusters is None else "clusters"


def title(quantity: str) -> str:
    """Return what people call a statistic.

    Examples:
        >>> title("nfr"), title("macro_f1"), title("las_new"), title("clas_change")
        ('Negative flip rate', 'Macro F1', 'LAS of new', 'Change in CLAS')

    """
    known = FLIP_STATISTICS.get(quantity)
    if known or quantity in _TITLES:
        return known.title if known else _TITLES[quantity]
    for ending, form in _FORMS.items():
        if quantity.endswith(ending):
            return form.format(title(quantity.removesuffix(ending)))
    words = [w.upper() if w in _ACRONYMS else w for w in quantity.split("_")]
    said = " ".join(words)
    return said[:1].upper() + said[1:]


def description(quantity: str) -> str:
    """Return a sentence about a quantity; empty where none is known."""
    known = FLIP_STATISTICS.get(quantity)
    return known.description if known else ""


def unit(quantity: str, level: Level | None = None) -> Unit:
    """Return how a statistic is written, at a level.

    Examples:
        >>> unit("nfr"), unit("accuracy_change"), unit("relative_nfr")
        ('share', 'points', 'plain')

    """
    known = FLIP_STATISTICS if level is None else level_statistics(level)
    return written_unit(quantity, known=known)


def in_sentence(said: str) -> str:
    """Return a title as it is written within a sentence.

    Examples:
        >>> in_sentence("Negative flip rate"), in_sentence("F1 of new")
        ('negative flip rate', 'F1 of new')

    """
    return said[:1].lower() + said[1:] if said[1:2].islower() else said


def gate_title(gate: JudgedGate) -> str:
    """Return what a gate limits, in people's words: `Relative loss of macro F1`."""
    if gate.statistic == "protected":
        return "Protected examples"
    if gate.statistic == "loss":
        moved = "increase" if gate.rises else "loss"
        said = f"{moved} in {in_sentence(title(gate.of))}"
    else:
        known = level_statistics(gate.level).get(gate.statistic)
        said = known.title if known else title(gate.statistic)
    if gate.relative:
        return f"Relative {said[0].lower()}{said[1:]}"
    return said[0].upper() + said[1:]


def gate_unit(gate: JudgedGate) -> Unit:
    """Return how a gate's value and limit are written."""
    return written_unit(
        gate.statistic,
        of=gate.of,
        relative=gate.relative,
        known=level_statistics(gate.level),
    )


def interval_name(estimate: Estimate) -> str:
    """Name an estimate's interval, such as `95 % interval`."""
    return f"{confidence(estimate.confidence)} interval"
