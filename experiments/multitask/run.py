"""Six ways to train one network on five tasks, in two set-ups.

    make experiments-multitask

Every training is kept in COMPAT_EVAL_WORK and is not repeated; an interrupted one goes
on. Settings are chosen by dev scores of two seeds; only then is test looked at.
"""

import json
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from compat_eval.cli.progress import progress_bar
from compat_eval.core.examples import Examples
from compat_eval.core.files import write_whole
from compat_eval.core.fingerprint import digest
from compat_eval.models.multitask.answering import load
from compat_eval.models.training.train import train_model
from compat_eval.statistics.student import student_quantile
from experiments.multitask.methods import (
    ASYNCHRONOUS,
    BASELINES,
    METHODS,
    SEEDS,
    TRIED,
    TUNING_SEEDS,
    settings_of,
)
from experiments.multitask.page import results_page
from experiments.multitask.setups import SETUPS
from experiments.updates.files import write_results
from experiments.updates.places import work_folder

HERE = Path(__file__).resolve().parent
WORK = work_folder("multitask").resolve()


def main(names: list[str]) -> None:
    """Run some set-ups; write the page once all have been run."""
    for name in names or list(SETUPS):
        found = json.dumps(results_of(name), indent=1, sort_keys=True)
        write_whole(WORK / f"{name}.json", f"{found}\n".encode())
    if all((WORK / f"{name}.json").exists() for name in SETUPS):
        rows = [json.loads((WORK / f"{name}.json").read_text()) for name in SETUPS]
        write_results(HERE, rows, results_page(rows))
        print(f"wrote {HERE / 'RESULTS.md'}")


def results_of(setup: str) -> dict[str, Any]:
    """Choose each method's settings on dev, and judge it on test."""
    tried = {method: tried_on_dev(setup, method) for method in METHODS}
    methods = {}
    for method in METHODS:
        chosen = max(tried[method], key=lambda one: one["mean"])
        runs = [
            run(setup, method, chosen["settings"], seed, ("dev", "test"))
            for seed in SEEDS
        ]
        methods[method] = {
            "chosen": chosen["settings"],
            "tried": tried[method],
            "runs": runs,
            "test": mean_of([one["test"]["mean"] for one in runs]),
            "dev": mean_of([one["dev"]["mean"] for one in runs]),
        }
    return {
        "setup": setup,
        "title": SETUPS[setup].title,
        "seeds": SEEDS,
        "tasks": {name: len(part) for name, _, part in SETUPS[setup].parts("train")},
        "methods": methods,
        "differences": {other: differences(methods, other) for other in BASELINES},
    }


def tried_on_dev(setup: str, method: str) -> list[dict[str, Any]]:
    """Return each setting with its dev scores."""
    rows = []
    for own in TRIED[method]:
        runs = [run(setup, method, own, seed, ("dev",)) for seed in TUNING_SEEDS]
        scores = [one["dev"]["mean"] for one in runs]
        rows.append({"settings": own, "dev": scores, "mean": mean_of(scores)})
    return rows


def run(
    setup: str,
    method: str,
    own: Mapping[str, Any],
    seed: int,
    splits: tuple[str, ...],
) -> dict[str, Any]:
    """Train unless that was done; return the scores of some splits."""
    config = settings_of(method, own)
    out = WORK / "models" / digest([setup, config, seed])[:16]
    record = train_model(
        "multitask",
        examples(setup, "train"),
        examples(setup, "dev"),
        seed=seed,
        out=out,
        config=config,
        progress=progress_bar(quiet=True),
        data=setup,
    )
    events = [event for entry in record["history"] for event in entry["events"]]
    steps = record["history"][-1]["step"]
    found = {split: scores(out, setup, split) for split in splits}
    print(setup, method, dict(own), seed, {k: v["mean"] for k, v in found.items()})
    return {"seed": seed, "steps": steps, "events": events, **found}


@cache
def examples(setup: str, split: str) -> Examples:
    return SETUPS[setup].examples(split)


def scores(out: Path, setup: str, split: str) -> dict[str, Any]:
    """Return the share of units that a model has right, by task and as their mean."""
    kept = out / f"{split}-scores.json"
    if kept.exists():
        found: dict[str, Any] = json.loads(kept.read_text())
        return found
    by_task = {}
    config = json.loads((out / "config.json").read_text())
    labels = {one["name"]: tuple(one["labels"]) for one in config["tasks"]}
    for name, kind, part in SETUPS[setup].parts(split):
        model: Any = load(out, labels=labels[name], device="cpu", task=name)
        items = model.encode(part.column("input").to_pylist())
        answers = [
            answer
            for at in range(0, len(items), 128)
            for answer in model.predict(items[at : at + 128])["prediction"].to_pylist()
        ]
        gold = part.column("gold").to_pylist()
        if kind == "tagging":
            answers, gold = (" ".join(one).split() for one in (answers, gold))
        right = [one == other for one, other in zip(answers, gold, strict=True)]
        by_task[name] = float(np.mean(right))
    found = {"tasks": by_task, "mean": mean_of(list(by_task.values()))}
    write_whole(kept, json.dumps(found).encode())
    return found


def differences(methods: Mapping[str, Any], other: str) -> dict[str, Any]:
    """Return asynchronous less another method on test: the mean, and each task."""
    pairs = [
        (one["test"], two["test"])
        for one, two in zip(
            methods[ASYNCHRONOUS]["runs"], methods[other]["runs"], strict=True
        )
    ]
    tasks = pairs[0][0]["tasks"]
    return {
        "mean": interval([one["mean"] - two["mean"] for one, two in pairs]),
        "tasks": {
            name: interval(
                [one["tasks"][name] - two["tasks"][name] for one, two in pairs]
            )
            for name in tasks
        },
    }


def interval(values: list[float]) -> list[float]:
    """Return a mean, and its 95 % interval by Student's t over paired seeds."""
    n = len(values)
    half = student_quantile(n - 1, 0.975) * float(np.std(values, ddof=1)) / n**0.5
    mean = mean_of(values)
    return [mean, mean - half, mean + half]


def mean_of(values: list[float]) -> float:
    return float(np.mean(values))


if __name__ == "__main__":
    main(sys.argv[1:])
