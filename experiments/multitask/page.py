"""The page of results."""

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.multitask.methods import ASYNCHRONOUS, BASELINES, METHODS, TUNING_SEEDS

_TOP = """# One network, five tasks: six ways to train it

Made by `make experiments-multitask`; the numbers, with every run and all dev rows, are
in `results.json`. Every method has the same trunk, the same steps (discarded ones
included) and the same seeds. Each method's settings were chosen by the mean dev score
of seeds {seeds}; then test was looked at. Asynchronous convergence may build on any
balancing: which one is among what was tried. A score is the share of right units
(texts; words for tags), the mean is over the five tasks. Intervals are 95 % by
Student's t over paired seeds: they cover the randomness of training, not that of the
test examples.
"""


def results_page(rows: Sequence[Mapping[str, Any]]) -> str:
    lines = [_TOP.format(seeds=" and ".join(map(str, TUNING_SEEDS)))]
    for row in rows:
        lines += _setup(row)
    return "\n".join(lines) + "\n"


def _setup(row: Mapping[str, Any]) -> list[str]:
    methods = row["methods"]
    tasks = list(row["tasks"])
    sizes = ", ".join(f"{name} {n:,}" for name, n in row["tasks"].items())
    lines = [f"## {row['title']}", "", f"Training examples: {sizes}.", ""]
    lines += [
        f"| method | dev | test | {' | '.join(tasks)} | asynchronous less this |",
        "|---|---|---|" + "---|" * len(tasks) + "---|",
    ]
    for method in METHODS:
        found = methods[method]
        by_task = [
            _percent(
                sum(one["test"]["tasks"][t] for one in found["runs"])
                / len(found["runs"])
            )
            for t in tasks
        ]
        difference = ""
        if method != ASYNCHRONOUS:
            difference = _points(row["differences"][method]["mean"])
        cells = [method, _percent(found["dev"]), _percent(found["test"]), *by_task]
        lines.append(f"| {' | '.join([*cells, difference])} |")
    return [*lines, "", *_verdict(row), "", *_per_task(row, tasks), *_tried(row)]


def _verdict(row: Mapping[str, Any]) -> list[str]:
    best = max(BASELINES, key=lambda name: row["methods"][name]["test"])
    mean, low, high = row["differences"][best]["mean"]
    word = "wins" if low > 0 else "loses" if high < 0 else "ties (the interval holds 0)"
    sign = "at least" if mean >= 0 else "below"
    said = (
        f"Against the best of the five baselines on test ({best}) asynchronous "
        f"convergence {word}: {_points([mean, low, high])} points. Its mean is {sign} "
        "that of the best baseline."
    )
    return [said]


def _per_task(row: Mapping[str, Any], tasks: Sequence[str]) -> list[str]:
    lines = [
        f"| asynchronous less … | {' | '.join(tasks)} |",
        "|---|" + "---|" * len(tasks),
    ]
    for name in BASELINES:
        cells = [_points(row["differences"][name]["tasks"][task]) for task in tasks]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return [*lines, ""]


def _tried(row: Mapping[str, Any]) -> list[str]:
    lines = [
        "| tried on dev | settings | mean dev score | chosen |",
        "|---|---|---|---|",
    ]
    for method in METHODS:
        found = row["methods"][method]
        for one in found["tried"]:
            said = (
                ", ".join(f"{k} {v}" for k, v in one["settings"].items()) or "defaults"
            )
            chosen = "yes" if one["settings"] == found["chosen"] else ""
            lines.append(f"| {method} | {said} | {_percent(one['mean'])} | {chosen} |")
    events = [
        f"seed {one['seed']}: "
        + (
            ", ".join(
                f"{e['task']} at step {e['step']} (best {e['best_step']})"
                for e in one["events"]
            )
            or "none"
        )
        for one in row["methods"][ASYNCHRONOUS]["runs"]
    ]
    return [*lines, "", "Tasks that converged: " + "; ".join(events) + ".", ""]


def _percent(value: float) -> str:
    return f"{100 * value:.2f}"


def _points(found: Sequence[float]) -> str:
    mean, low, high = (100 * one for one in found)
    return f"{mean:+.2f} ({low:+.2f} to {high:+.2f})"
