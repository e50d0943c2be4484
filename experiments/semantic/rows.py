"""Results as rows: one a treatment, setting and level."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from compat_eval.core.arrays import Rows, Values
from compat_eval.metrics.flips import CELLS, nfi, ratio
from experiments.parsing.pooled import Pooled, accuracy_gain, interval
from experiments.semantic.places import PER_DOMAIN
from experiments.semantic.recipes import CONFIG, FIFTH, LARGE, train_seconds
from experiments.semantic.splits import LEVELS
from experiments.semantic.updates import DELTA, Treated, Update, choices


def result_rows(update: Update) -> list[dict[str, Any]]:
    """Return the rows of results.json, on test."""
    picked = choices(update)
    untreated = _Answered(update.untreated())
    rows = _rows(untreated, untreated, update, chosen=True)
    for treated in _treatments(update, picked):
        is_chosen = treated.setting in (None, picked.get(treated.name))
        is_bound = treated.name.startswith("oracle")
        one = _Answered(treated)
        rows += _rows(one, untreated, update, chosen=is_chosen or is_bound)
    return rows


def _treatments(update: Update, picked: Mapping[str, float]) -> list[Treated]:
    settings = [
        one
        for one in update.settings()
        if update.has_frontier or one.setting == picked[one.name]
    ]
    oracles = update.oracles(picked["bcr:dropout-p"])
    return [*update.fixed(), *settings, *oracles]


class _Answered:
    """A treatment on test."""

    def __init__(self, treated: Treated) -> None:
        self.treated = treated
        answers = treated.answers("test")
        self.pooled = Pooled.of(answers)
        self.cpu_seconds = float(np.mean([new.cpu_seconds for _, new in answers]))


def _rows(
    one: _Answered, untreated: _Answered, update: Update, *, chosen: bool
) -> list[dict[str, Any]]:
    return [
        {
            "update": update.title,
            "treatment": one.treated.name,
            "setting": one.treated.setting,
            "chosen_on_dev": chosen,
            "task": "semantic",
            "data": "TOPv2 event, messaging, navigation",
            "level": level,
            "split": "test",
            "seeds": one.treated.seeds,
            "counts": dict(zip(CELLS, map(int, one.pooled.totals(level)), strict=True)),
            **_numbers(one.pooled, untreated.pooled, level),
            "cost": _cost(one, untreated, update),
            "config": {
                **CONFIG,
                "large": LARGE,
                "fifth": FIFTH,
                "delta": DELTA,
                "utterances_per_domain": PER_DOMAIN,
            },
        }
        for level in LEVELS
    ]


def _numbers(one: Pooled, untreated: Pooled, level: str) -> dict[str, Any]:
    gain = accuracy_gain(untreated, one, level)
    cut = nfi_cut(untreated.totals(level), one.totals(level))
    drawn = nfi_cut(untreated.replicates[level], one.replicates[level])
    metrics = {**one.metrics(level), "accuracy_gain": gain[0], "nfi_cut": float(cut)}
    intervals = {
        **one.intervals(level),
        "accuracy_gain": gain[1:],
        "nfi_cut": interval(drawn),
    }
    return {
        "metrics": {name: _or_none(value) for name, value in metrics.items()},
        "intervals": {
            name: [_or_none(bound) for bound in bounds]
            for name, bounds in intervals.items()
        },
    }


def nfi_cut(untreated: Rows, treated: Rows) -> Values:
    """Return by which share NFI is lower than without treatment."""
    return np.asarray(1 - ratio(nfi(treated), nfi(untreated)), np.float64)


def _or_none(value: float) -> float | None:
    """Return a number, or `None` where it is undefined: JSON knows no nan."""
    return None if math.isnan(value) else value


def _cost(one: _Answered, untreated: _Answered, update: Update) -> dict[str, float]:
    return {
        "train_seconds": float(np.mean([train_seconds(name) for name in update.new])),
        "predict_seconds": one.cpu_seconds,
        "relative_to_untreated": one.cpu_seconds / untreated.cpu_seconds,
    }
