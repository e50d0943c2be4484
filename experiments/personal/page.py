"""RESULTS.md of the experiments on personalisation, from results.json alone."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from compat_eval.core.files import write_whole
from compat_eval.statistics.student import student_quantile

Step = Mapping[str, Any]

_HEAD = """# Personalised federated learning

Made by `make experiments-personal`; results.json has what each client has right, on dev
and test, of every method, setting and seed. Each method has the same clients, rounds,
steps and start. Its setting is the one with the best mean accuracy of clients' own
models on dev, over all seeds; nothing was chosen on test.

*by samples* pools clients, *by client* is the mean over clients, both the mean over
seeds, in percent. Intervals (95 %) are of differences paired by seed, Student's t.
"""


_TITLES = (
    "| method, as chosen on dev | own, by samples | own, by client | global, by "
    "samples | self-fl's own less this one's, by client |"
)


def write_page(steps: Sequence[Step], path: Path) -> None:
    """Write the page."""
    names = sorted({one["set"] for one in steps})
    parts = [
        _section(name, [one for one in steps if one["set"] == name]) for name in names
    ]
    write_whole(path, "\n".join([_HEAD, *parts]).encode())


def chosen(steps: Sequence[Step]) -> dict[str, str]:
    """Return the setting of each method that dev chose."""
    found = {}
    for method in sorted({one["method"] for one in steps}):
        own = [one for one in steps if one["method"] == method]
        settings = sorted({one["setting"] for one in own})
        found[method] = max(
            settings,
            key=lambda name: np.mean(
                [by_client(one["dev_own"]) for one in own if one["setting"] == name]
            ),
        )
    return found


def by_samples(counts: Iterable[tuple[int, int]]) -> float:
    """Return the share that is right of all clients' samples."""
    n, right = np.sum([*counts], axis=0)
    return float(right / n)


def by_client(counts: Iterable[tuple[int, int]]) -> float:
    """Return the mean over clients of the share that each has right."""
    return float(np.mean([right / n for n, right in counts if n]))


def paired(
    steps: Sequence[Step], one: str, other: str, key: str
) -> tuple[float, float, float]:
    """Return the mean difference of two settings by client, with its interval."""
    values = {(step["setting"], step["seed"]): by_client(step[key]) for step in steps}
    seeds = sorted(
        {seed for setting, seed in values if setting == one}
        & {seed for setting, seed in values if setting == other}
    )
    apart = np.array([values[one, seed] - values[other, seed] for seed in seeds])
    if len(apart) < 2:  # noqa: PLR2004
        return float(apart.mean()), float("nan"), float("nan")
    half = (
        student_quantile(len(apart) - 1, 0.975)
        * apart.std(ddof=1)
        / np.sqrt(len(apart))
    )
    return float(apart.mean()), float(apart.mean() - half), float(apart.mean() + half)


def _section(name: str, steps: Sequence[Step]) -> str:
    picks = chosen(steps)
    seeds = sorted({one["seed"] for one in steps})
    clients = len(steps[0]["test_own"])
    reference = picks.get("self-fl", "")
    lines = [
        f"## {name}",
        "",
        f"{clients} clients, seeds {', '.join(map(str, seeds))}.",
        "",
        _TITLES,
        "|---|---|---|---|---|",
    ]
    for method, setting in picks.items():
        own = [one for one in steps if one["setting"] == setting]
        pooled = 100 * np.mean([by_samples(one["test_own"]) for one in own])
        each = 100 * np.mean([by_client(one["test_own"]) for one in own])
        whole = 100 * np.mean([by_samples(one["test_global"]) for one in own])
        apart = ""
        if method != "self-fl" and reference:
            mean, low, high = paired(steps, reference, setting, "test_own")
            apart = f"{100 * mean:+.2f} ({100 * low:+.2f} to {100 * high:+.2f})"
        lines.append(
            f"| {setting} | {pooled:.2f} | {each:.2f} | {whole:.2f} | {apart} |"
        )
    return "\n".join([*lines, ""])
