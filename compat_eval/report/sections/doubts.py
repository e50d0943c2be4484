"""What speaks against taking every flip at face value: noise, fragility, labels."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compat_eval.comparison.analyses.fragility import CONFIDENT
from compat_eval.core.estimate import Estimate
from compat_eval.core.predictions import Predictions
from compat_eval.report import numbers
from compat_eval.report.numbers import number
from compat_eval.report.results import TaskResult
from compat_eval.report.section import ReportedRun, Section
from compat_eval.report.text import anchor, shortened

_MOST_SUSPECTS = 100
_MOST_LABELS = 40
_LENGTH = 60


@dataclass(frozen=True, slots=True)
class _Suspect:
    """An example whose gold label may be wrong; `anchor` is empty without a card."""

    id: str
    anchor: str


@dataclass(frozen=True, slots=True)
class _LabelNote:
    """What one side's label names have that the other's, or the gold, lack."""

    title: str
    labels: tuple[str, ...]
    more: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubts:
    """The doubts, in sentences.

    Attributes:
        gold: Whether examples have gold labels, of which to doubt some.
        noise: What a rerun of the old model flips; says so where none was made.
        fragile: How many broken examples lie within that noise.
        overturn: How many wrong gold labels would overturn the verdict.
        sure: The score from which on an answer is sure; empty where not both models
            gave scores, so that nothing could be suspect.
        suspects: Examples where both models agree confidently against gold.
        more_suspects: How many are not listed; empty for none.
        labels: Differences between label names.

    """

    gold: bool
    noise: str
    fragile: str
    overturn: str
    sure: str
    suspects: tuple[_Suspect, ...]
    more_suspects: str
    labels: tuple[_LabelNote, ...]


def doubts(task: TaskResult, flipped: Collection[str], *, scored: bool) -> Doubts:
    """Return the doubts about a task.

    Args:
        task: What was found.
        flipped: Ids of the examples that have a card.
        scored: Whether both models gave scores.

    """
    fragility = task.analyses.get("fragility") or {}
    suspects = fragility.get("suspects") or []
    rest = len(suspects) - _MOST_SUSPECTS
    noise = task.analyses.get("noise")
    return Doubts(
        gold=task.update.main.level.needs_gold,
        noise=_noise(noise),
        fragile=_fragile(fragility, noise),
        overturn=_overturn(fragility),
        sure=numbers.decimal(CONFIDENT, 1) if scored else "",
        suspects=tuple(_suspect(one, flipped) for one in suspects[:_MOST_SUSPECTS]),
        more_suspects=numbers.counted(rest, "more example") if rest > 0 else "",
        labels=_label_notes(task.analyses.get("labels") or {}),
    )


def _noise(noise: Mapping[str, Any] | None) -> str:
    if noise is None:
        return (
            "Not measured: no A/A run was asked for (--aa), so flips that "
            "reruns alone cause cannot be told from those of the update."
        )
    floor = number(Estimate.from_dict(noise["floor"]), "share")
    flips = numbers.counted(noise["flips"], "example")
    what = str(noise.get("what") or "").strip().rstrip(".")
    return (
        f"Running the old model twice flipped {flips} of "
        f"{numbers.count(noise['examples'])}: a noise floor of {floor.full} at the "
        "first level. Each gate's reason has that of its quantity, level and slice."
        + (f" {what}." if what else "")
    )


def _fragile(fragility: Mapping[str, Any], noise: Mapping[str, Any] | None) -> str:
    fragile = fragility.get("noise_band")
    if noise is None or fragile is None:
        return ""
    envelope = noise.get("margin_envelope")
    within = "" if envelope is None else f" ({numbers.decimal(envelope, 3)} or less)"
    return (
        f"{numbers.counted(fragile, 'flipped example')} "
        f"{'lies' if fragile == 1 else 'lie'} in the noise band: both margins are "
        f"within what reruns move{within}. They are marked in the list above."
    )


def _overturn(fragility: Mapping[str, Any]) -> str:
    flips = fragility.get("labels_to_overturn")
    reason = str(fragility.get("reason") or "").strip()
    reason = f"{reason[:1].upper()}{reason[1:]}".rstrip(".")
    reason = reason and f"{reason}."
    if flips is None:
        return reason
    sentence = (
        f"The verdict would be overturned if {numbers.counted(flips, 'gold label')} "
        f"{'were' if flips != 1 else 'was'} wrong."
    )
    return f"{sentence} {reason}".strip()


def _suspect(example_id: str, flipped: Collection[str]) -> _Suspect:
    place = anchor(example_id) if example_id in flipped else ""
    return _Suspect(shortened(example_id, _LENGTH), place)


def _label_notes(labels: Mapping[str, Sequence[str]]) -> tuple[_LabelNote, ...]:
    titles = {
        "only_old": "Labels that only old has",
        "only_new": "Labels that only new has",
        "missing_old": "Gold labels that old does not have",
        "missing_new": "Gold labels that new does not have",
    }
    return tuple(
        _LabelNote(
            title,
            tuple(shortened(one, _LENGTH) for one in labels[key][:_MOST_LABELS]),
            f"and {numbers.count(len(labels[key]) - _MOST_LABELS)} more"
            if len(labels[key]) > _MOST_LABELS
            else "",
        )
        for key, title in titles.items()
        if labels.get(key)
    )


def _scored(side: Predictions) -> bool:
    return "score" in side and side.column("score").null_count < len(side)


def _view(reported: ReportedRun) -> Doubts:
    results = reported.results
    listed = {flip.id for flip in reported.flips}
    scored = _scored(results.old) and _scored(results.new)
    return doubts(results.task, listed, scored=scored)


SECTION = Section(title="Noise and doubts", view=_view, template="doubts.html.j2")
