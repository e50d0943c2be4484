"""Results as rows: one a treatment, setting and level."""

import math
from typing import Any

import numpy as np

from compat_eval.metrics.flips import CELLS
from experiments.parsing.graded import LEVELS
from experiments.parsing.places import training_record
from experiments.parsing.pooled import Pooled, accuracy_gain, mean_cut
from experiments.parsing.recipes import CONFIG
from experiments.parsing.updates import DELTA, Treated, Update, choices


def result_rows(update: Update) -> list[dict[str, Any]]:
    """Return the rows of results.json, on test."""
    picked = choices(update)
    before = update.untreated()
    untreated = _Answered(before)
    rows = _rows(untreated, untreated, update, chosen=True)
    for treated in update.treatments():
        is_chosen = treated.setting is None or treated.setting == picked[treated.name]
        rows += _rows(_Answered(treated), untreated, update, chosen=is_chosen)
    p = picked.get("bcr:dropout-p")
    if p is not None:
        for treated in [*update.fewer(p), *update.oracles(p)]:
            rows += _rows(_Answered(treated), untreated, update, chosen=False)
    return rows


class _Answered:
    """A treatment on test."""

    def __init__(self, treated: Treated) -> None:
        self.treated = treated
        self.answers = treated.answers("test")
        self.pooled = Pooled.of(self.answers)
        self.cpu_seconds = float(np.mean([new.cpu_seconds for _, new in self.answers]))


def _rows(
    one: _Answered, untreated: _Answered, update: Update, *, chosen: bool
) -> list[dict[str, Any]]:
    cut, cut_interval = mean_cut(untreated.pooled, one.pooled)
    return [
        {
            "update": update.title,
            "treatment": one.treated.name,
            "setting": one.treated.setting,
            "chosen_on_dev": chosen,
            "task": "dependency",
            "data": "UD English EWT 2.16",
            "level": level,
            "split": "test",
            "seeds": one.treated.seeds,
            "counts": dict(zip(CELLS, map(int, one.pooled.totals(level)), strict=True)),
            "metrics": {
                **{
                    name: _or_none(value)
                    for name, value in one.pooled.metrics(level).items()
                },
                **_against(one, untreated, level),
                "mean_nfi_cut": _or_none(cut),
            },
            "intervals": {
                **{
                    name: [_or_none(bound) for bound in bounds]
                    for name, bounds in one.pooled.intervals(level).items()
                },
                "accuracy_gain": accuracy_gain(untreated.pooled, one.pooled, level)[1:],
                "mean_nfi_cut": [_or_none(bound) for bound in cut_interval],
            },
            "cost": _cost(one, untreated, update),
            "config": {**CONFIG, "delta": DELTA},
        }
        for level in LEVELS
    ]


def _against(one: _Answered, untreated: _Answered, level: str) -> dict[str, float]:
    return {"accuracy_gain": accuracy_gain(untreated.pooled, one.pooled, level)[0]}


def _or_none(value: float) -> float | None:
    """Return a number, or `None` where it is undefined: JSON knows no nan."""
    return None if math.isnan(value) else value


def _cost(one: _Answered, untreated: _Answered, update: Update) -> dict[str, float]:
    trained = [_cpu_seconds(name) for name in update.new]
    return {
        "train_seconds": float(np.mean(trained)),
        "predict_seconds": one.cpu_seconds,
        "relative_to_untreated": one.cpu_seconds / untreated.cpu_seconds,
    }


def _cpu_seconds(name: str) -> float:
    history = training_record(name)["history"]
    return float(sum(epoch["cpu_seconds"] for epoch in history))
