"""The whole page as one value."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from os.path import commonprefix
from typing import Any

from compat_eval.core.predictions import Predictions
from compat_eval.report import words
from compat_eval.report.flips import Flip
from compat_eval.report.numbers import counted
from compat_eval.report.results import Results
from compat_eval.report.tally import examples_said, in_parts, tally
from compat_eval.report.text import shortened
from compat_eval.report.view.breakdowns import Breakdowns, breakdowns
from compat_eval.report.view.calibration import Reliability, reliability
from compat_eval.report.view.cards import Deck, deck
from compat_eval.report.view.coflips import CoFlips, coflips
from compat_eval.report.view.doubts import Doubts, doubts
from compat_eval.report.view.flow import Flow, flow
from compat_eval.report.view.gates import GateRow, gate_rows
from compat_eval.report.view.levels import LevelView, levels
from compat_eval.report.view.metrics import MetricRow, metric_rows
from compat_eval.report.view.mitigations import Mitigations, mitigations
from compat_eval.report.view.pictures import pictures
from compat_eval.report.view.provenance import (
    METHODS,
    Fact,
    Facts,
    coverage,
    coverage_problem,
    provenance,
)
from compat_eval.report.view.slices import Forest, SearchRow, forest, search
from compat_eval.report.view.verdict import Verdict, verdict

_LENGTH = 120
_LONG_FOLDER = 24
_SIDES = ("old", "new")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Everything that a report shows, in the order in which it shows it.

    Attributes:
        suite: Name of the suite.
        old: Reference of the old model.
        new: Reference of the new model.
        created: When the run was made, as the manifest says; empty if it does not.
        examples: How many examples were compared, in words.
        kind: The task kind.
        verdict: What the run ended with.
        notes: What a reader must know, in sentences.
        problem: What is wrong with the coverage; empty where nothing is.
        gates: The gates.
        correction: How several gates were judged together; empty for one or none.
        levels: The counts, by level.
        main_level: What people call the level of the flipped examples on the page.
        deck: The flipped examples.
        forest: The slices; `None` where there are none.
        search: What the slice search found.
        breakdowns: What broke by what it is; `None` where the task knows no more.
        coflips: Whether units broke together; `None` where none could.
        flow: How broken examples broke; `None` where none did.
        reliability: A calibration diagram for each model with scores.
        metrics: Further metrics.
        doubts: Noise, fragility, label suspects.
        coverage: How many examples each side answered.
        mitigations: What mitigations would change; `None` where none was tried.
        provenance: The manifest.
        methods: What the intervals mean.

    """

    suite: str
    old: str
    new: str
    created: str
    examples: str
    kind: str
    verdict: Verdict
    notes: tuple[str, ...]
    problem: str
    gates: tuple[GateRow, ...]
    correction: str
    levels: tuple[LevelView, ...]
    main_level: str
    deck: Deck
    forest: Forest | None
    search: tuple[SearchRow, ...]
    breakdowns: Breakdowns | None
    coflips: CoFlips | None
    flow: Flow | None
    reliability: tuple[Reliability, ...]
    metrics: tuple[MetricRow, ...]
    doubts: Doubts
    coverage: tuple[Fact, ...]
    mitigations: Mitigations | None
    provenance: tuple[Facts, ...]
    methods: tuple[str, ...]


def page(results: Results, found: Sequence[Flip]) -> Page:
    """Return the page of a run.

    Args:
        results: What a run found.
        found: Its flips at the main level.

    """
    manifest, task, update = results.run.manifest, results.task, results.task.update
    level, sides = update.main.level, (results.old, results.new)
    total = tally(results, level.name)
    said = examples_said(total, level, parts=in_parts(task, level.name))
    old, new = references(manifest)
    cards = deck(found, total, said, pictures(results, found))
    listed = {flip.id for flip in found[: len(cards.cards)]}
    return Page(
        suite=shortened(results.suite, _LENGTH),
        old=old,
        new=new,
        created=_when(manifest.get("created")),
        examples=counted(task.n_examples, "example"),
        kind=shortened(task.kind, _LENGTH).replace("_", " "),
        verdict=verdict(results),
        notes=results.notes,
        problem=coverage_problem(results),
        gates=gate_rows(results),
        correction=_correction(results),
        levels=levels(results),
        main_level=words.level_title(level),
        deck=cards,
        forest=forest(update, cards.slice_keys),
        search=search(task),
        breakdowns=breakdowns(task),
        coflips=coflips(task),
        flow=flow(task, cards.pair_keys),
        reliability=reliability(task),
        metrics=metric_rows(update),
        doubts=doubts(task, listed, scored=all(map(_scored, sides))),
        coverage=coverage(results),
        mitigations=mitigations(results),
        provenance=provenance(results),
        methods=METHODS,
    )


def references(manifest: Mapping[str, Any]) -> tuple[str, str]:
    """Return what the user wrote for old and new, without a long folder of both.

    A side of which nothing is known is called by its role.
    """
    known = [(manifest.get(side) or {}).get("reference") or side for side in _SIDES]
    shared = commonprefix(known).rpartition("/")[0]  # noqa: RUF071 - cut at a slash
    start = len(shared) + 1 if len(shared) > _LONG_FOLDER else 0
    old, new = (shortened(one[start:], _LENGTH) for one in known)
    return old, new


def _scored(side: Predictions) -> bool:
    return "score" in side and side.column("score").null_count < len(side)


def _when(created: object) -> str:
    """Return a time in ISO form as people read it; other text as it is."""
    if not created:
        return ""
    try:
        moment = datetime.fromisoformat(str(created))
    except ValueError:
        return shortened(created, _LENGTH)
    if moment.tzinfo is not None:
        return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return moment.strftime("%Y-%m-%d %H:%M")


def _correction(results: Results) -> str:
    tested = [one for one in results.gates if not math.isnan(one.p_value)]
    settings = results.settings
    if len(tested) < 2:  # noqa: PLR2004
        return ""
    known = settings.get("confidence")
    level = "" if known is None else f" at α = {1 - known:.4g}"
    if settings.get("correction") == "holm":
        return (
            f"{len(tested)} gates use statistics; Holm's correction judges them{level}."
        )
    return f"{len(tested)} gates use statistics, each judged{level} without correction."
