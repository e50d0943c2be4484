"""The rows of results.json."""

from typing import Any

from experiments.semantic.places import MODELS, PER_DOMAIN
from experiments.semantic.recipes import CONFIG, FIFTH, LARGE
from experiments.semantic.splits import LEVELS
from experiments.semantic.updates import (
    JUDGED,
    fixed,
    oracles,
    settings,
    treatments_of,
)
from experiments.updates import rows
from experiments.updates.choices import DELTA, choices
from experiments.updates.treated import Update

EXPERIMENT = rows.Experiment(
    task="semantic",
    data="TOPv2 event, messaging, navigation",
    levels=LEVELS,
    cut="nfi_cut",
    config={
        **CONFIG,
        "large": LARGE,
        "fifth": FIFTH,
        "delta": DELTA,
        "utterances_per_domain": PER_DOMAIN,
    },
    models=MODELS,
    dev="eval",
)


def result_rows(update: Update) -> list[dict[str, Any]]:
    """Return the rows of an update, all settings, with those marked that dev chose."""
    of = treatments_of(update)
    tried = settings(of)
    picked = choices(of, tried, split="eval", levels=JUDGED)
    found = [
        *fixed(of),
        *oracles(of, picked["bcr:dropout-p"]),
    ]
    chosen = [(one, True) for one in found]
    chosen += [(one, one.setting == picked[one.name]) for one in tried]
    return rows.result_rows(of, chosen, EXPERIMENT)
