"""Updates of tiny language models of utterances, and MUSCLE: flips of single tokens.

    python -m experiments.language_models.documents [PAIR ...]

GPT-2s of two layers, trained from random weights on the utterances of CLINC150 in three
domains, as documents that nobody labels. OLD has half of the utterances, NEW all of
them and another random seed; every NEW is trained on towards OLD with the mitigations
that ship, and for as long without OLD. A token is broken where OLD's most probable one
is that of the document and NEW's is not. Needs the data (COMPAT_EVAL_DATA). What was
trained is found again, below COMPAT_EVAL_WORK.

Each mitigation has a few settings; dev chooses among them: of those whose perplexity is
at most 1 % above NEW's the one with the fewest negative flips of tokens, in the mean
over pairs. Intervals are of Student's t over the pairs, of the differences to
untreated.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

import compat_eval
from compat_eval.cli.progress import progress_bar
from compat_eval.models.training.train import train_model
from compat_eval.statistics.student import student_quantile
from compat_eval.suite.examples import load_examples
from compat_eval.suite.load import load_suite
from compat_eval.workflows.mitigations import slug_of
from experiments.language_models.run import WORK as BESIDE
from experiments.language_models.run import start_model

HERE = Path(__file__).resolve().parent
WORK = BESIDE / "documents"
DOMAINS, SPLITS, PAIRS = ("banking", "travel", "home"), ("dev", "test"), (1, 2, 3, 4, 5)
MOST_LOSS = 1.01
SUITE = """\
name: utterances-as-documents
version: "1"
task: language_modeling
data:
  train: {file: train.jsonl}
  train-small: {file: train-small.jsonl}
  dev: {file: dev.jsonl}
  test: {file: test.jsonl}
fields: {id: id, input: input}
"""
METHODS = {
    "as long, without OLD": ["token-focal:overlap=drop,share=0,learning_rate=0.001"],
    "focal distillation": [
        "token-focal:overlap=drop,share=0.2,learning_rate=0.001",
        "token-focal:overlap=drop,learning_rate=0.001",
    ],
    "MUSCLE": ["muscle:overlap=drop,learning_rate=0.001"],
    "MUSCLE, where OLD is right": [
        "muscle:overlap=drop,mask=old-right,learning_rate=0.001"
    ],
}
SETTINGS = [one for some in METHODS.values() for one in some]
NAMES = ("nfr", "pfr", "accuracy_new", "churn", "worse_rate", "perplexity_ratio")


def main() -> None:
    torch.set_num_threads(1)
    WORK.mkdir(parents=True, exist_ok=True)
    prepare()
    for number in tuple(map(int, sys.argv[1:])) or PAIRS:
        pair(number)
    if all((WORK / f"pair-{number}.json").is_file() for number in PAIRS):
        write()


def prepare() -> None:
    """Write documents, suite, and the tokenizer and shape of the networks."""
    if (WORK / "start" / "config.json").is_file():
        return
    data = Path(os.environ.get("COMPAT_EVAL_DATA") or sys.exit("set COMPAT_EVAL_DATA"))
    whole = json.loads((data / "clinc150/data_full.json").read_text("utf-8"))
    domains = json.loads((data / "clinc150/domains.json").read_text("utf-8"))
    intents = {intent for domain in DOMAINS for intent in domains[domain]}
    written = {
        split: [
            {"id": f"{split}-{at}", "input": text}
            for at, (text, gold) in enumerate(whole[name])
            if gold in intents
        ]
        for split, name in {"train": "train", "dev": "val", "test": "test"}.items()
    }
    written["train-small"] = written["train"][::2]
    for split, rows in written.items():
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (WORK / f"{split}.jsonl").write_text(lines, "utf-8")
    (WORK / "suite.yaml").write_text(SUITE, "utf-8")
    start_model(WORK / "start", [row["input"] for row in written["train"]])


def model(split: str, seed: int) -> Path:
    """Return a language model that is trained from random weights."""
    out, suite = WORK / f"{split}-{seed}", load_suite(str(WORK / "suite.yaml"))
    train_model(
        "causal-lm",
        load_examples(suite, split),
        load_examples(suite, "dev"),
        seed=seed,
        out=out,
        config={
            "start": str(WORK / "start"),
            "fresh": True,
            "epochs": 8,
            "batch_size": 16,
            "learning_rate": 3e-3,
            "patience": 3,
        },
        progress=progress_bar(quiet=True),
        data=f"utterances-as-documents 1 {split}, dev dev",
    )
    return out


def pair(number: int) -> None:
    """Compare a pair under every mitigation, on dev and on test."""
    kept = WORK / f"pair-{number}.json"
    if kept.is_file():
        return
    old, new = model("train-small", number), model("train", 10 + number)
    found: dict[str, dict[str, Any]] = {}
    for split in SPLITS:
        out = WORK / "runs" / f"{number}-{split}"
        compat_eval.compare(
            f"compat:{old}",
            f"compat:{new}",
            suite=str(WORK / "suite.yaml"),
            split=split,
            mitigate=SETTINGS,
            cache=WORK / "cache",
            out=out,
            overwrite=True,
        )
        told = json.loads((out / "comparison.json").read_text("utf-8"))
        found[split] = {
            one["new"]: of_update(one)
            for one in told["tasks"][0]["updates"]
            if one["old"] == "old"
        }
    kept.write_text(json.dumps(found, indent=1), "utf-8")
    print(f"pair {number}: done", flush=True)


def of_update(update: dict[str, Any]) -> dict[str, float]:
    """Return what is told of an update, by name."""
    levels = {k: one["statistics"] for k, one in update["levels"].items()}
    named = levels["token"] | levels["document"]
    named["churn"] = levels["top_token"]["churn"]
    named["perplexity_ratio"] = update["statistics"]["perplexity_ratio"]["change"]
    return {name: named[name]["value"] for name in (*NAMES, "accuracy_old")}


def write() -> None:
    """Write documents.json and DOCUMENTS.md."""
    pairs = [json.loads((WORK / f"pair-{n}.json").read_text("utf-8")) for n in PAIRS]
    rows = []
    for name, settings in {"untreated": [""], **METHODS}.items():
        best = chosen(pairs, settings)
        for setting in settings:
            for split in SPLITS:
                told = {"method": name, "setting": setting, "split": split}
                rows.append(told | {"chosen": setting == best} | row(pairs, told))
    text = json.dumps({"pairs": len(PAIRS), "rows": rows}, indent=1, ensure_ascii=False)
    (HERE / "documents.json").write_text(text + "\n", "utf-8")
    (HERE / "DOCUMENTS.md").write_text(page(rows), "utf-8")


def values(pairs: list[dict[str, Any]], split: str, setting: str, name: str) -> Any:  # noqa: ANN401
    """Return a statistic of each pair, shape (n_pairs,)."""
    role = f"new+{slug_of(setting)}" if setting else "new"
    return np.array([one[split][role][name] for one in pairs], np.float64)


def chosen(pairs: list[dict[str, Any]], settings: list[str]) -> str:
    """Return the setting that dev chooses, see above."""

    def dearer(setting: str) -> float:
        moved = values(pairs, "dev", setting, "perplexity_ratio")
        return float((moved / values(pairs, "dev", "", "perplexity_ratio")).mean())

    harmless = [one for one in settings if dearer(one) <= MOST_LOSS]
    if not harmless:
        return min(settings, key=dearer)
    return min(harmless, key=lambda one: values(pairs, "dev", one, "nfr").mean())


def row(pairs: list[dict[str, Any]], told: dict[str, Any]) -> dict[str, Any]:
    """Return means over pairs, and by how much flips and perplexity are changed."""
    split, setting = told["split"], told["setting"]
    found: dict[str, Any] = {
        name: float(values(pairs, split, setting, name).mean())
        for name in (*NAMES, "accuracy_old")
    }
    found["nfr_of_pairs"] = values(pairs, split, setting, "nfr").tolist()
    nfr, plain = (values(pairs, split, one, "nfr") for one in (setting, ""))
    found["nfr_change"] = interval((nfr - plain) / plain.mean())
    cost, before = (
        np.log(values(pairs, split, one, "perplexity_ratio")) for one in (setting, "")
    )
    found["nats_change"] = interval(cost - before)
    return found


def interval(differences: Any) -> dict[str, float]:  # noqa: ANN401
    """Return the mean of some pairs' differences, with its 95 % interval."""
    n, mean = len(differences), float(differences.mean())
    half = -student_quantile(n - 1, 0.025) * float(differences.std(ddof=1)) / n**0.5
    return {"value": mean, "low": mean - abs(half), "high": mean + abs(half)}


_HEAD = """\
# Updates of tiny language models of utterances, token by token

Written by `python -m experiments.language_models.documents`, which says what was done.
Five pairs, half of the utterances → all of them with another random seed, compared on
test; settings were chosen on dev, and `documents.json` has the rows of dev, too. *As
long, without OLD* trains NEW on for as many steps on the utterances alone. OLD's most
probable token is the right one in {old:.1%} of all. Intervals are over pairs.

"""
_COLUMNS = (
    "| | tokens broken | of untreated's | fixed | accuracy | other top token | "
    "documents worse | perplexity to OLD's | nats a token to untreated | "
    "`compare … --mitigate` |\n" + "|---" * 10 + "|\n"
)


def page(rows: list[dict[str, Any]]) -> str:
    """Return DOCUMENTS.md."""
    of_test = [one for one in rows if one["split"] == "test" and one["chosen"]]
    lines = []
    for one in of_test:
        setting = f"`{one['setting']}`" if one["setting"] else ""
        cut, nats = one["nfr_change"], one["nats_change"]
        plain = not one["setting"]
        lines.append(
            f"| {one['method']} | {one['nfr']:.2%} | "
            + ("" if plain else f"{_span(cut, '+.0%')}")
            + f" | {one['pfr']:.2%} | {one['accuracy_new']:.2%} | {one['churn']:.1%} | "
            f"{one['worse_rate']:.1%} | {one['perplexity_ratio']:.3f} | "
            + ("" if plain else _span(nats, "+.3f"))
            + f" | {setting} |"
        )
    old = float(np.mean([one["accuracy_old"] for one in of_test]))
    return _HEAD.format(old=old) + _COLUMNS + "\n".join(lines) + "\n"


def _span(found: dict[str, float], form: str) -> str:
    value, low, high = (format(found[name], form) for name in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


if __name__ == "__main__":
    main()
