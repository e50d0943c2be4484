"""How quantities, levels, cells and verdicts are called on a page."""

from compat_eval.core.estimate import Estimate
from compat_eval.gates import amounts
from compat_eval.report.numbers import Unit, confidence
from compat_eval.report.results import JudgedGate, UnitCounts
from compat_eval.statistics.families.flips import QUANTITIES

VERDICTS = {
    "pass": "PASS",
    "fail": "FAIL",
    "inconclusive": "INCONCLUSIVE",
    "none": "NOT JUDGED",
}
SYMBOLS = {"pass": "✓", "fail": "✗", "inconclusive": "?", "none": "–"}
CELL_SYMBOLS = {"broken": "▼", "fixed": "▲", "kept": "=", "missed": "≠"}
CELL_TITLES = {
    "kept": "kept: both right",
    "broken": "broken: old right, new wrong",
    "fixed": "fixed: old wrong, new right",
    "missed": "missed: both wrong",
}
SEMANTICS = {
    "certify": "certify: passes only if the bound proves that the limit holds",
    "detect": "detect: fails only on a proven breach; a pass proves nothing",
    "protected": "protected: none of these examples may break; no statistics",
}
_LEVELS = {
    "example": "Examples",
    "las": "Labelled attachment (LAS)",
    "uas": "Unlabelled attachment (UAS)",
    "lcm": "Whole trees, labelled (LCM)",
    "ucm": "Whole trees, unlabelled (UCM)",
    "exact_match": "Whole trees (exact match)",
    "span_subtree": "Spans with all below them (span_subtree)",
    "span_label": "Spans by their labels (span_label)",
    "intent": "Outermost intents (intent)",
}
_ACRONYMS = {"f1", "las", "uas", "clas", "mlas", "blex"}
_NOUNS = {
    "example": ("example", "examples"),
    "token": ("token", "tokens"),
    "document": ("document", "documents"),
    "query": ("query", "queries"),
    "uas": ("word", "words"),
    "las": ("word", "words"),
    "span_subtree": ("span", "spans"),
    "span_label": ("span", "spans"),
    "exact_match": ("utterance", "utterances"),
    "intent": ("utterance", "utterances"),
    "ucm": ("sentence", "sentences"),
    "lcm": ("sentence", "sentences"),
}
_WHOLES = {
    "uas": ("sentence", "sentences"),
    "las": ("sentence", "sentences"),
    "span_subtree": ("utterance", "utterances"),
    "span_label": ("utterance", "utterances"),
}


def level_title(level: str) -> str:
    """Return what people call a level; its name where nothing else is known.

    Examples:
        >>> level_title("uas"), level_title("page")
        ('Unlabelled attachment (UAS)', 'page')

    """
    return _LEVELS.get(level, level)


def nouns(level: str) -> tuple[str, str]:
    """Return what one unit of a level is called, and several.

    Examples:
        >>> nouns("las")
        ('word', 'words')

    """
    return noun(level, 1), noun(level, 2)


def evidence_noun(counted: UnitCounts | None, level: str) -> str:
    """Return what the n of a level's intervals counts: its units, or clusters of them.

    Examples:
        >>> evidence_noun(None, "lcm")
        'sentences'

    """
    clustered = counted is not None and counted.clusters is not None
    return "clusters" if clustered else noun(level, 2)


def noun(level: str, number: int) -> str:
    """Return what one unit of a level is called.

    Examples:
        >>> noun("query", 2), noun("page", 1)
        ('queries', 'unit')

    """
    return _NOUNS.get(level, ("unit", "units"))[number != 1]


def whole(level: str, number: int) -> str:
    """Return what an example is called that holds the units of a level.

    Examples:
        >>> whole("las", 2), whole("page", 1)
        ('sentences', 'example')

    """
    return _WHOLES.get(level, ("example", "examples"))[number != 1]


def title(quantity: str) -> str:
    """Return what people call a quantity.

    Examples:
        >>> title("nfr"), title("macro_f1")
        ('Negative flip rate', 'Macro F1')

    """
    known = QUANTITIES.get(quantity)
    if known:
        return known.title
    if quantity == "ece":
        return "Expected calibration error (ECE)"
    words = [w.upper() if w in _ACRONYMS else w for w in quantity.split("_")]
    said = " ".join(words)
    return said[:1].upper() + said[1:]


def description(quantity: str) -> str:
    """Return a sentence about a quantity; empty where none is known."""
    known = QUANTITIES.get(quantity)
    return known.description if known else ""


def unit(quantity: str) -> Unit:
    """Return how a quantity is written.

    Examples:
        >>> unit("nfr"), unit("accuracy_change"), unit("relative_nfr")
        ('share', 'points', 'plain')

    """
    return amounts.unit(quantity)


def gate_title(gate: JudgedGate) -> str:
    """Return what a gate limits, in people's words: `Relative loss of Macro F1`."""
    if gate.statistic == "protected":
        return "Protected examples"
    if gate.statistic == "loss":
        said = f"loss of {title(gate.of)}"
    else:
        said = title(gate.statistic)
    if gate.relative:
        return f"Relative {said[0].lower()}{said[1:]}"
    return said[0].upper() + said[1:]


def gate_unit(gate: JudgedGate) -> Unit:
    """Return how a gate's value and limit are written."""
    return amounts.unit(gate.statistic, of=gate.of, relative=gate.relative)


def interval_name(estimate: Estimate) -> str:
    """Name an estimate's interval, such as `95 % interval`."""
    return f"{confidence(estimate.confidence)} interval"
