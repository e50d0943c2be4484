"""Updates of tiny language models that answer with an intent, and MUSCLE beside them.

    make experiments-language-models

GPT-2s of two layers, trained from random weights on utterances of CLINC150 in fifteen
intents, each followed by its intent in words: a question that a generative model
answers. OLD has half of the examples, NEW all of them and another random seed; every
NEW is trained on towards OLD with the mitigations that ship. Needs the data
(COMPAT_EVAL_DATA). What was trained is found again, below COMPAT_EVAL_WORK; `run.py 1`
does the first pair alone.

Each mitigation has a few settings; dev chooses among them: of those that lose at most
.5 points of NEW's accuracy the one with the fewest negative flips, pooled over pairs.
"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

import compat_eval
from compat_eval.cli.progress import progress_bar
from compat_eval.models.training.train import train_model
from compat_eval.suite.examples import load_examples
from compat_eval.suite.load import load_suite
from compat_eval.workflows.mitigations import slug_of

HERE = Path(__file__).resolve().parent
_WORK = Path(os.environ.get("COMPAT_EVAL_WORK", HERE.parents[1] / ".work"))
WORK = _WORK.resolve() / "language_models"
DOMAIN, LOSS, SPLITS = "banking", 0.005, ("dev", "test")
PAIRS = (1, 2, 3, 4, 5)
END, UNKNOWN = "<end>", "<unk>"
SUITE = """\
name: intents-in-words
version: "1"
task: generation
data:
  train: {file: train.jsonl}
  train-small: {file: train-small.jsonl}
  dev: {file: dev.jsonl}
  test: {file: test.jsonl}
fields: {id: id, input: input, gold: gold}
"""
METHODS = {
    "as long, without OLD": ["token-focal:share=0,learning_rate=0.001"],
    "focal distillation": [
        "token-focal:share=0.2,learning_rate=0.001",
        "token-focal:learning_rate=0.001",
    ],
    "MUSCLE": ["muscle:learning_rate=0.001", "muscle:learning_rate=0.004"],
    "MUSCLE, where OLD is right": ["muscle:mask=old-right,learning_rate=0.001"],
}
SETTINGS = [one for some in METHODS.values() for one in some]


def main() -> None:
    torch.set_num_threads(1)
    WORK.mkdir(parents=True, exist_ok=True)
    asked = tuple(map(int, sys.argv[1:])) or PAIRS
    prepare()
    for number in asked:
        pair(number)
    if all((WORK / f"pair-{number}.json").is_file() for number in PAIRS):
        write()


def prepare() -> None:
    """Write examples, suite, and the tokenizer and shape of the networks."""
    if (WORK / "start" / "config.json").is_file():
        return
    data = Path(os.environ.get("COMPAT_EVAL_DATA") or sys.exit("set COMPAT_EVAL_DATA"))
    whole = json.loads((data / "clinc150/data_full.json").read_text("utf-8"))
    domains = json.loads((data / "clinc150/domains.json").read_text("utf-8"))
    intents = set(domains[DOMAIN])
    splits = {"train": "train", "dev": "val", "test": "test"}
    written: dict[str, list[dict[str, str]]] = {}
    for split, name in splits.items():
        some = [(text, gold) for text, gold in whole[name] if gold in intents]
        written[split] = [
            {
                "id": f"{split}-{at}",
                "input": f"{text} =>",
                "gold": gold.replace("_", " "),
            }
            for at, (text, gold) in enumerate(some)
        ]
    written["train-small"] = written["train"][::2]
    for split, rows in written.items():
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (WORK / f"{split}.jsonl").write_text(lines, "utf-8")
    (WORK / "suite.yaml").write_text(SUITE, "utf-8")
    _start([f"{row['input']} {row['gold']}" for row in written["train"]])


def _start(texts: list[str]) -> None:
    tokenizer: Any = Tokenizer(models.WordLevel(unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer: Any = trainers.WordLevelTrainer(
        vocab_size=1000, special_tokens=[END, UNKNOWN], show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    fast: Any = transformers.PreTrainedTokenizerFast
    start = WORK / "start"
    fast(tokenizer_object=tokenizer, eos_token=END).save_pretrained(start)
    config: Any = transformers.GPT2Config(
        vocab_size=tokenizer.get_vocab_size(),
        n_embd=64,
        n_layer=2,
        n_head=4,
        n_positions=48,
        bos_token_id=0,
        eos_token_id=0,
    )
    transformers.GPT2LMHeadModel(config).save_pretrained(start)


def model(split: str, seed: int) -> Path:
    """Return a language model that is trained from random weights."""
    out = WORK / f"{split}-{seed}"
    suite = load_suite(str(WORK / "suite.yaml"))
    train_model(
        "causal-lm",
        load_examples(suite, split),
        load_examples(suite, "dev"),
        seed=seed,
        out=out,
        config={
            "start": str(WORK / "start"),
            "fresh": True,
            "epochs": 12,
            "batch_size": 16,
            "learning_rate": 3e-3,
            "patience": 4,
        },
        progress=progress_bar(quiet=True),
        data=f"intents-in-words 1 {split}, dev dev",
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
        compared = compat_eval.compare(
            f"compat:{old}",
            f"compat:{new}",
            suite=str(WORK / "suite.yaml"),
            split=split,
            mitigate=SETTINGS,
            cache=WORK / "cache",
            out=WORK / "runs" / f"{number}-{split}",
            overwrite=True,
        )
        assert compared is not None
        path = WORK / "runs" / f"{number}-{split}" / "comparison.json"
        updates = json.loads(path.read_text("utf-8"))["tasks"][0]["updates"]
        found[split] = {
            one["new"]: one["levels"]["sample"]["statistics"]
            for one in updates
            if one["old"] == "old"
        }
    kept.write_text(json.dumps(found, indent=1), "utf-8")


def write() -> None:
    """Write results.json and RESULTS.md."""
    pairs = [json.loads((WORK / f"pair-{n}.json").read_text("utf-8")) for n in PAIRS]
    rows: list[dict[str, Any]] = []
    for name, settings in {"untreated": [""], **METHODS}.items():
        best = chosen(pairs, settings)
        for setting in settings:
            for split in SPLITS:
                told: dict[str, Any] = {
                    "method": name,
                    "setting": setting,
                    "split": split,
                }
                told["chosen"] = setting == best
                rows += of_pairs(told, pairs)
    text = json.dumps({"rows": rows}, indent=1, ensure_ascii=False)
    (HERE / "results.json").write_text(text + "\n", "utf-8")
    (HERE / "RESULTS.md").write_text(page(rows), "utf-8")


def statistics(one: dict[str, Any], split: str, setting: str) -> dict[str, Any]:
    role = f"new+{slug_of(setting)}" if setting else "new"
    found: dict[str, Any] = one[split][role]
    return found


def mean(pairs: list[dict[str, Any]], split: str, setting: str, name: str) -> float:
    return float(
        np.mean([statistics(one, split, setting)[name]["value"] for one in pairs])
    )


def chosen(pairs: list[dict[str, Any]], settings: list[str]) -> str:
    """Return the setting that dev chooses, see above."""

    def lost(setting: str) -> float:
        now = mean(pairs, "dev", setting, "accuracy_new")
        return mean(pairs, "dev", "", "accuracy_new") - now

    harmless = [one for one in settings if lost(one) <= LOSS]
    if not harmless:
        return min(settings, key=lost)
    return min(harmless, key=lambda one: mean(pairs, "dev", one, "nfr"))


def of_pairs(
    told: dict[str, Any], pairs: list[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Yield the row of each pair, and that of all."""
    split, setting = told["split"], told["setting"]
    names = ("nfr", "pfr", "accuracy_old", "accuracy_new")
    for number, one in zip(PAIRS, pairs, strict=True):
        found = statistics(one, split, setting)
        values = {name: found[name] for name in names}
        yield {**told, "pair": number, **values}
    pooled = {name: mean(pairs, split, setting, name) for name in names}
    cut = 1 - pooled["nfr"] / mean(pairs, split, "", "nfr")
    yield {**told, "pair": "all", **pooled, "nfr_cut": cut}


_HEAD = """\
# Updates of tiny language models that answer with an intent

Written by `make experiments-language-models`; see `run.py` for what was done. Five
pairs, half of the examples → all of them with another random seed; 450 examples of
test. Settings were chosen on dev; `results.json` has the rows of dev, and of every pair
with its intervals. *As long, without OLD* trains NEW on for as many steps on gold
alone. Keeping OLD has no negative flips, no positive ones, and OLD's accuracy:
{old:.1%}. The models have learned their training data by heart (loss below .02 nats a
token), so that what OLD thinks of these differs little from gold.

"""
_COLUMNS = (
    "| | negative flips | of untreated's | positive flips | accuracy | "
    "NFR of the pairs | `compare … --mitigate` |\n|---|---|---|---|---|---|---|\n"
)


def page(rows: list[dict[str, Any]]) -> str:
    """Return RESULTS.md."""
    of_test = [row for row in rows if row["split"] == "test" and row["chosen"]]
    lines = []
    for row in (row for row in of_test if row["pair"] == "all"):
        apart = [
            f"{one['nfr']['value']:.1%}"
            for one in of_test
            if one["method"] == row["method"] and one["pair"] != "all"
        ]
        setting = f"`{row['setting']}`" if row["setting"] else ""
        lines.append(
            f"| {row['method']} | {row['nfr']:.2%} | {0.0 - row['nfr_cut']:+.0%} | "
            f"{row['pfr']:.2%} | {row['accuracy_new']:.2%} | {', '.join(apart)} | "
            f"{setting} |"
        )
    old = float(np.mean([r["accuracy_old"] for r in of_test if r["pair"] == "all"]))
    return _HEAD.format(old=old) + _COLUMNS + "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
