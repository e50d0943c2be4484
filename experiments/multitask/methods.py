"""The methods: what is common to them, and what of each is tried on dev."""

from collections.abc import Mapping, Sequence
from typing import Any

BASELINES = ("equal", "uncertainty", "dwa", "gradnorm", "pcgrad")
ASYNCHRONOUS = "asynchronous"
METHODS = (*BASELINES, ASYNCHRONOUS)
SEEDS = (1, 2, 3, 4, 5)
TUNING_SEEDS = (1, 2)
"""Seeds on which settings are chosen, by the mean dev score."""

COMMON: Mapping[str, Any] = {
    "steps": 600,
    "check_every": 25,
    "batch_size": 16,
    "n_buckets": 2**13,
    "width": 48,
    "hidden": 96,
    "decay": True,
    "learning_rate": 8e-3,
}
"""The same budget and the same trunk for every method."""

TRIED: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "equal": ({},),
    "uncertainty": ({},),
    "dwa": ({}, {"balancing_settings": {"temperature": 0.5}}),
    "gradnorm": ({}, {"balancing_settings": {"alpha": 0.5}}),
    "pcgrad": ({},),
    ASYNCHRONOUS: (
        {"rewind": True, "patience": 6, "temperature": 1.0},
        {"rewind": False, "patience": 6, "temperature": 1.0},
        {"rewind": False, "patience": 6, "temperature": 2.0},
        {"rewind": False, "patience": 9, "temperature": 2.0},
        {
            "rewind": False,
            "patience": 9,
            "temperature": 2.0,
            "balancing": "dwa",
            "balancing_settings": {"temperature": 0.5},
        },
        {
            "rewind": False,
            "patience": 9,
            "temperature": 2.0,
            "balancing": "gradnorm",
        },
    ),
}
"""Settings of each method; where none is written it is the paper's."""


def settings_of(method: str, own: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a training."""
    if method == ASYNCHRONOUS:
        return {**COMMON, "convergence": "asynchronous", "keep": "best", **own}
    return {**COMMON, "balancing": method, **own}
