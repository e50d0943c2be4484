"""The rows of results.json."""

from dataclasses import replace
from typing import Any

from experiments.parsing.places import MODELS, seen_in_training
from experiments.parsing.recipes import CONFIG
from experiments.parsing.splits import LEVELS
from experiments.parsing.updates import about_candidates, every, treatments_of
from experiments.updates import rows
from experiments.updates.choices import DELTA, choices
from experiments.updates.treated import Update

EXPERIMENT = rows.Experiment(
    task="dependency",
    data="UD English EWT 2.16",
    levels=LEVELS,
    cut="mean_nfi_cut",
    config={**CONFIG, "delta": DELTA, "intervals_over": "documents"},
    models=MODELS,
)


def result_rows(update: Update) -> list[dict[str, Any]]:
    """Return the rows of an update, all settings."""
    of = treatments_of(update)
    tried = every(of)
    picked = choices(of, tried, split="dev", levels=LEVELS)
    found = [(one, one.setting in (None, picked.get(one.name))) for one in tried]
    p = picked.get("bcr:dropout-p")
    if p is not None:
        found += [(one, False) for one in about_candidates(of, p)]
    config = {
        **EXPERIMENT.config,
        "allowed": update.allowed,
        "test_sentences_seen_in_training": seen_in_training("test"),
    }
    return rows.result_rows(of, found, replace(EXPERIMENT, config=config))
