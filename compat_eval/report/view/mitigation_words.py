"""What mitigations do, in words."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from compat_eval.core.estimate import Estimate
from compat_eval.report import numbers
from compat_eval.report.numbers import number
from compat_eval.report.results import MitigationResult, UnitCounts
from compat_eval.report.text import shortened

_NAME, _LENGTH = 60, 300


def cost_words(cost: Mapping[str, Any], times: Mapping[str, Any]) -> str:
    """Say how often the models are asked for an example, and how long it takes.

    Examples:
        >>> cost_words({"old_passes": 1, "new_passes": 1, "candidates": 10}, {})
        'NEW asked 1×, OLD 1×, 10 candidates'

    """
    parts = []
    if cost:
        parts = [f"NEW asked {cost['new_passes']}×", f"OLD {cost['old_passes']}×"]
        if cost["candidates"]:
            parts.append(numbers.counted(cost["candidates"], "candidate"))
    ratio = times.get("times_untreated")
    if ratio:
        parts.append(f"{ratio:.1f} times the time of NEW")
    return ", ".join(parts) or "–"


def sentence(one: MitigationResult, untreated: UnitCounts) -> str:
    """Say what a mitigation does, and whether it merely brings OLD back."""
    level = untreated.level.name
    changes = one.changes[level]
    before, after = untreated.counts, one.update.levels[level].counts
    name = shortened(one.name, _NAME)
    moved = (
        f"broken {numbers.count(before['broken'])} → {numbers.count(after['broken'])}, "
        f"fixed {numbers.count(before['fixed'])} → {numbers.count(after['fixed'])}"
    )
    accuracy = number(changes["accuracy_change"], "points")
    parts = [
        f"{name}: {moved}. {_effect(one, changes)}",
        f"Accuracy {accuracy.full} against untreated NEW{_kept(changes, untreated)}.",
        _agreement(one.agreement),
    ]
    if one.errors:
        parts.append(
            "The treated model raised an error for "
            f"{numbers.counted(one.errors, 'example')}."
        )
    return " ".join(parts)


def _agreement(shares: Mapping[str, float]) -> str:
    treated, new = (numbers.percent(shares[name]) for name in ("treated", "new"))
    return f"It answers {treated} of the examples as OLD does; untreated NEW {new}."


def _effect(one: MitigationResult, changes: Mapping[str, Estimate]) -> str:
    kind = one.effect
    broken, fixed = (changes[n].value for n in ("broken_cut", "fixed_cut"))
    if kind == "no_cut":
        return "It breaks no less than untreated NEW."
    if math.isnan(fixed):
        return f"It breaks {numbers.percent(broken)} less; untreated NEW fixes nothing."
    if fixed <= 0:
        return f"It breaks {numbers.percent(broken)} less and fixes no less" + (
            ", which may be chance." if kind == "unclear" else "."
        )
    gone = (
        f"It avoids {numbers.percent(broken)} of what NEW broke and loses "
        f"{numbers.percent(fixed)} of what NEW fixed"
    )
    return gone + (_VERDICTS if _asks_old(one) else _WITHOUT_OLD)[kind]


_VERDICTS: Mapping[str, str] = MappingProxyType(
    {
        "drags_back": (
            ", no better than answering some examples as OLD did: it merely drags NEW "
            "back to OLD."
        ),
        "unclear": (
            ". The difference may be chance: it is not shown to do more than drag NEW "
            "back to OLD."
        ),
        "mostly_old": (
            ". That is more than chance, but most of what NEW fixed is gone: it drags "
            "NEW most of the way back to OLD."
        ),
        "selective": ": it does more than drag NEW back to OLD.",
    }
)

_WITHOUT_OLD: Mapping[str, str] = MappingProxyType(
    {
        "drags_back": ", no better than answering some examples as OLD did, at random.",
        "unclear": (
            ". The difference may be chance: it is not shown to do more than answering "
            "some examples as OLD did, at random."
        ),
        "mostly_old": ". That is more than chance, but most of what NEW fixed is gone.",
        "selective": (
            ": it does more than answering some examples as OLD did, at random."
        ),
    }
)


def _asks_old(one: MitigationResult) -> bool:
    """Whether OLD takes part, and so can draw NEW towards itself; as far as known."""
    return bool(one.cost.get("old_passes", 1))


def _kept(changes: Mapping[str, Estimate], untreated: UnitCounts) -> str:
    """Say how much of NEW's gain over OLD is left, where it is shown to gain at all."""
    left = changes["gain_kept"].value
    least = untreated.statistics["accuracy_change"].low
    if math.isnan(left + least) or least <= 0:
        return ""
    verb = "leaves" if left <= 1 else "makes"
    return f", which {verb} {numbers.percent(left, 0)} of NEW's gain over OLD"


def chosen_words(choice: Mapping[str, Any]) -> str:
    """Say which setting dev chose, and by which rule."""
    value = f"{choice['option']}={choice['value']:g}"
    where = f"{choice['split']} ({numbers.counted(choice['n_examples'], 'example')})"
    loss = numbers.limit(choice["delta"], "points").removeprefix("+")
    if choice["harmless"]:
        return shortened(
            f"{value} was chosen on {where}: of the settings shown to lose at most "
            f"{loss} of NEW's accuracy at every level, it cuts NFI most.",
            _LENGTH,
        )
    return shortened(
        f"{value} was taken on {where} because it may lose least: no setting is shown "
        f"to lose at most {loss} of NEW's accuracy at every level.",
        _LENGTH,
    )
