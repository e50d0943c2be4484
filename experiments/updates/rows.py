"""Results as rows: one a split, treatment, setting and level."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from compat_eval.core.grades import CELLS
from compat_eval.statistics.families.flips import nfi, nfr
from experiments.updates.pooled import Pooled, accuracy_gain, effect_of, mean_cut
from experiments.updates.treated import Treated, Treatments, Update


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """What the rows of an experiment say besides its numbers.

    Attributes:
        task: Kind of the task.
        data: Name of the data.
        levels: Those with a row each.
        cut: Of NFI or NFR: that of a row's level, or the mean over all levels.
        config: Settings of all models.
        models: Folder with the trained models.
        dev: What the split that chooses is called.

    """

    task: str
    data: str
    levels: Sequence[str]
    cut: Literal["nfi_cut", "mean_nfi_cut", "nfr_cut"]
    config: Mapping[str, Any]
    models: Path
    dev: str = "dev"


def result_rows(
    of: Treatments, treatments: Iterable[tuple[Treated, bool]], experiment: Experiment
) -> list[dict[str, Any]]:
    """Return the rows of results.json, on dev and on test.

    On each split those of OLD in the place of NEW are first, those of untreated NEW
    next.

    Args:
        of: The update.
        treatments: With each, whether it has nothing to choose or dev chose it.
        experiment: Where they belong.

    """
    tried = [(of.keep_old(), True), (of.untreated(), True), *treatments]
    rows = []
    for name, split in (("dev", experiment.dev), ("test", "test")):
        untreated = _Answered(of, of.untreated(), split)
        for treated, chosen in tried:
            one = _Answered(of, treated, split)
            found = _rows(one, untreated, of.update, experiment, chosen=chosen)
            rows += [{**row, "split": name} for row in found]
    return rows


class _Answered:
    """A treatment on a split."""

    def __init__(self, of: Treatments, treated: Treated, split: str) -> None:
        self.treated = treated
        self.answers = treated.answers(split)
        self.pooled = of.pooled(treated, split)
        self.cpu_seconds = float(np.mean([new.cpu_seconds for _, new in self.answers]))

    def pairs(self, level: str) -> list[dict[str, Any]]:
        """Return the counts of each seed pair apart."""
        return [
            {"seeds": seeds, "counts": _counts(Pooled.of([pair]), level)}
            for seeds, pair in zip(self.treated.seeds, self.answers, strict=True)
        ]


def _rows(
    one: _Answered,
    untreated: _Answered,
    update: Update,
    experiment: Experiment,
    *,
    chosen: bool,
) -> list[dict[str, Any]]:
    trained = [train_seconds(experiment.models / name) for name in update.new]
    return [
        {
            "update": update.title,
            "treatment": one.treated.name,
            "setting": one.treated.setting,
            "chosen_on_dev": chosen,
            "task": experiment.task,
            "data": experiment.data,
            "level": level,
            "seeds": one.treated.seeds,
            "counts": _counts(one.pooled, level),
            "pairs": one.pairs(level),
            **_numbers(one.pooled, untreated.pooled, level, experiment.cut),
            "effect": effect_of(untreated.pooled, one.pooled, level),
            "mitigate": one.treated.mitigate,
            "cost": {
                "train_seconds": float(np.mean(trained)),
                "predict_seconds": one.cpu_seconds,
                "relative_to_untreated": one.cpu_seconds / untreated.cpu_seconds,
            },
            "config": experiment.config,
            **one.treated.facts(),
        }
        for level in experiment.levels
    ]


def _counts(pooled: Pooled, level: str) -> dict[str, int]:
    return dict(zip(CELLS, map(int, pooled.totals(level)), strict=True))


def _numbers(one: Pooled, untreated: Pooled, level: str, cut: str) -> dict[str, Any]:
    over: Iterable[str] = untreated.rows if cut == "mean_nfi_cut" else [level]
    rate = nfr if cut == "nfr_cut" else nfi
    cut_value, cut_interval = mean_cut(untreated, one, over, rate=rate)
    gain, *gain_interval = accuracy_gain(untreated, one, level)
    metrics = {**one.metrics(level), "accuracy_gain": gain, cut: cut_value}
    intervals = {
        **one.intervals(level),
        "accuracy_gain": gain_interval,
        cut: cut_interval,
    }
    return {
        "metrics": {name: _or_none(value) for name, value in metrics.items()},
        "intervals": {
            name: [_or_none(bound) for bound in bounds]
            for name, bounds in intervals.items()
        },
    }


def _or_none(value: float) -> float | None:
    """Return a number, or `None` where it is undefined: JSON knows no nan."""
    return None if math.isnan(value) else value


def train_seconds(model: Path) -> float:
    """Return the CPU time of a training."""
    record = json.loads((model / "training.json").read_text("utf-8"))
    times = [epoch.get("cpu_seconds") for epoch in record["history"]]
    if None in times:  # trained when only the whole was timed
        whole = json.loads((model / "cost.json").read_text("utf-8"))
        return float(whole["cpu_seconds"])
    return float(sum(times))
