"""The rows of results.json."""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from compat_eval.core.files import read_json
from compat_eval.mitigations.choosing import Tried, chosen
from compat_eval.statistics.families.flips import nfi, nfr
from experiments.training.answering import Made, directory_of, plain, train_accuracy
from experiments.training.methods import Method
from experiments.training.places import MODELS
from experiments.training.updates import Plan, every, treatments_of
from experiments.updates import rows
from experiments.updates.pooled import accuracy_gain, interval
from experiments.updates.treated import Treated, Treatments

BESIDE: Mapping[str, Sequence[str]] = {
    "focal, out-of-fold gate": (
        "focal distillation",
        "focal, the same weight everywhere",
        "distillation",
    ),
    "warm start + distillation": ("warm start", "distillation"),
}
"""Treatments that are compared with others, and not with untreated NEW alone."""


def result_rows(plan: Plan) -> list[dict[str, Any]]:
    """Return the rows of an update, all settings."""
    of = treatments_of(plan)
    found = [(_with_facts(one, made), method) for one, method, made in every(plan)]
    picked = _choices(of, plan, found)
    experiment = rows.Experiment(
        task="classification",
        data=plan.suite,
        levels=plan.levels,
        cut="nfr_cut",
        config={"keeps": list(plan.keeps), "intervals_over": "examples"},
        models=MODELS,
    )
    treatments = [
        (one, one.setting is None or picked[one.name] == one.setting)
        for one, _ in found
    ]
    made = rows.result_rows(of, treatments, experiment)
    for row in made:
        if row["treatment"] in ("keep OLD", "untreated"):
            side = 0 if row["treatment"] == "keep OLD" else 1
            row.update(_facts([plain(pair[side]) for pair in plan.update.pairs])())
    deltas = {method.name: method.delta for _, method in found}
    beside = _beside(of, plan, [one for one, chosen in treatments if chosen])
    return [
        {
            **row,
            "delta": deltas.get(row["treatment"]),
            **beside.get((row["treatment"], row["level"], row["split"]), {}),
        }
        for row in made
    ]


def _beside(
    of: Treatments, plan: Plan, chosen: Sequence[Treated]
) -> dict[tuple[str, str, str], dict[str, Any]]:
    """Return what a treatment does beside others, paired, by name, level and split.

    `beside` has for each other treatment the difference in NFR and in accuracy: value,
    low and high.
    """
    by_name = {one.name: one for one in chosen}
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for name, others in BESIDE.items():
        shown = [other for other in others if {name, other} <= by_name.keys()]
        for level, split in product(plan.levels, ("dev", "test")):
            differences = {
                other: _differences(of, by_name[other], by_name[name], level, split)
                for other in shown
            }
            if differences:
                found[name, level, split] = {"beside": differences}
    return found


def _differences(
    of: Treatments, other: Treated, one: Treated, level: str, split: str
) -> dict[str, list[float]]:
    before, after = of.pooled(other, split), of.pooled(one, split)
    value = float(nfr(after.totals(level)) - nfr(before.totals(level)))
    drawn = nfr(after.replicates[level]) - nfr(before.replicates[level])
    return {
        "nfr": [value, *interval(drawn)],
        "accuracy": accuracy_gain(before, after, level),
    }


def _choices(
    of: Treatments, plan: Plan, tried: Sequence[tuple[Treated, Method]]
) -> dict[str, float | str]:
    """Return which setting of each method dev chooses, by the program's rule."""
    untreated = of.pooled(of.untreated(), "dev")
    settings: dict[str, list[tuple[Treated, Tried]]] = {}
    deltas = {}
    for one, method in tried:
        if one.setting is None:
            continue
        answers = of.pooled(one, "dev")
        level = plan.levels[0]
        here = settings.setdefault(one.name, [])
        outcome = Tried(
            setting={"at": len(here)},
            nfi={level: float(nfi(answers.totals(level)))},
            accuracy_low={
                kept: accuracy_gain(untreated, answers, kept)[1] for kept in plan.keeps
            },
        )
        here.append((one, outcome))
        deltas[one.name] = method.delta
    found = {}
    for name, each in settings.items():
        best = chosen([outcome for _, outcome in each], delta=deltas[name])
        setting = next(one.setting for one, outcome in each if outcome is best)
        assert setting is not None
        found[name] = setting
    return found


def _with_facts(one: Treated, made: Sequence[Made]) -> Treated:
    return Treated(
        name=one.name,
        setting=one.setting,
        answers=one.answers,
        seeds=one.seeds,
        mitigate=one.mitigate,
        facts=_facts(made),
    )


def _facts(made: Sequence[Made]) -> Callable[[], Mapping[str, Any]]:
    """Return what rows say of models besides: cost, and accuracy in training."""

    def facts() -> Mapping[str, Any]:
        passes = _passes(made[0])
        return {
            "cost": {
                "train_seconds": _mean([_seconds(one) for one in made]),
                "passes": passes,
                "relative_to_untreated": float(passes),
            },
            "train_accuracy": float(np.mean([train_accuracy(one) for one in made])),
        }

    return facts


def _passes(one: Made) -> int:
    """Return how many models answer an example."""
    if not one.method:
        return 1
    cost = one.spec.cost()
    return cost.get("old_passes", 0) + cost.get("new_passes", 1)


def _seconds(one: Made) -> float:
    """Return what the trainings of a method take; nan where nobody wrote it down."""
    if not one.method or one.trains:
        record = read_json(directory_of(one) / "training.json")
        return sum(epoch.get("cpu_seconds", math.nan) for epoch in record["history"])
    assert one.new is not None
    return sum(_seconds(part) for part in (one.new, *(m for _, m in one.further)))


def _mean(values: Sequence[float]) -> float | None:
    mean = float(np.mean(values))
    return None if math.isnan(mean) else mean
