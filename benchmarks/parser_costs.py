"""What re-ranking and joint decoding cost, in plain decodes of NEW; sentences a second.

    python benchmarks/parser_costs.py --old DIR --new DIR [--pointer DIR]
        [--seq2seq-old DIR --seq2seq-new DIR]

The directories hold trained parsers, as `compat-eval train` writes them; by default
those of experiments/parsing and experiments/semantic, without which nothing is
measured. Untrained ones would not do: their flat scores make trees hard to find. All
sides parse UD English EWT test (semantic parsers: utterances of TOPv2) in one thread,
taken in turns, a batch of about equally many tokens at a time; a repeat counts CPU
seconds. Re-ranking is what OLD does: it reads the sentence and scores ten candidates.
Without a trained stack-pointer or semantic parser their rows stay as they were.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from record import record

from compat_eval.adapters import ADAPTERS, ModelOptions
from compat_eval.core.examples import Examples
from compat_eval.mitigations.combine.joint_decoding import joint_decoding
from compat_eval.models.parsing.arcs import LabelledArcs
from compat_eval.models.parsing.batching import packed
from compat_eval.runner.ask import ask
from compat_eval.runner.questions import Predict
from compat_eval.tasks.dependency.conllu import read_conllu
from compat_eval.tasks.dependency.task import Dependency
from compat_eval.tasks.dependency.trees import examples_of

ROOT = Path(__file__).parents[1]
MODELS = ROOT / ".work" / "parsing" / "models"
SEMANTIC = ROOT / ".work" / "semantic" / "models"
DATA = Path(os.environ.get("COMPAT_EVAL_DATA", "data"))
TREEBANK = DATA / "ud_english_ewt" / "en_ewt-ud-test.conllu"
UTTERANCES = DATA / "topv2" / "event_test.tsv"
N_CANDIDATES, RATE, BATCH_TOKENS = 10, 0.15, 2000
BARS = {
    "joint decoding": 2.2,
    "exact 10 best": 3.5,
    "dropout-p, shared encoder": 8.0,
    "dropout-p": 13.0,
    "OLD scores 10 candidates": 1.2,
}
"""The most that each may cost, in plain decodes of NEW; asked.py has the same."""
KINDS = ("biaffine", "stack-pointer", "seq2seq")
"""Of parsers whose speeds are written."""
OUTSIDE = 0.05
"""The most of an evaluation that may be spent outside the model and the decoder.

An evaluation is what makes the accuracies of a model out of loaded sentences: encoding
and batching, forward pass, decoder, grading at all four levels.
"""

Side = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Sentences:
    """A split in batches of about equally many tokens."""

    examples: Examples

    @property
    def inputs(self) -> list[Any]:
        found: list[Any] = self.examples.column("input").to_pylist()
        return found

    def batched(self, items: Sequence[Any]) -> Iterator[list[Any]]:
        words = [
            one.split() if isinstance(one, str) else one["words"] for one in self.inputs
        ]
        lengths = np.array([len(each) + 1 for each in words], np.int64)
        for rows in packed(lengths, BATCH_TOKENS):
            yield [items[row] for row in rows]


def main() -> None:
    """Measure, and write a row for each figure."""
    options = _arguments()
    torch.set_num_threads(1)
    if options.only_seq2seq:
        sides, counts = _seq2seq(options)
        report(measure(sides, options.repeats), [], counts, options.results)
        return
    missing = [p for p in (options.old, options.new, options.data) if not p.exists()]
    if missing:
        sys.exit(
            f"{missing[0]} is missing: make experiments-parsing trains the parsers"
        )
    test = examples_of(read_conllu(options.data))
    here = Sentences(test.take(np.arange(0, len(test), options.every)))
    _outside(options.new, here)  # the first run reads what stays in memory
    shares = [_outside(options.new, here) for _ in range(options.repeats)]
    old, new = _load(options.old), _load(options.new)
    sides = {
        "biaffine, decode": _decoding(new, here),
        **_cost_sides(old, new, here),
        "biaffine, re-rank": _scoring(old, new, here, "dropout-p", p=RATE),
    }
    if (options.pointer / "config.json").is_file():
        pointer = _load(options.pointer)
        sides["stack-pointer, decode"] = _decoding(pointer, here)
        sides["stack-pointer, re-rank"] = _scoring(
            pointer, new, here, "dropout-p", p=RATE
        )
    counts = dict.fromkeys(sides, len(here.examples))
    if (options.seq2seq_new / "config.json").is_file():
        further, more = _seq2seq(options)
        sides, counts = {**sides, **further}, {**counts, **more}
    seconds = measure(sides, options.repeats)
    report(seconds, shares, counts, options.results)


def _seq2seq(options: argparse.Namespace) -> tuple[dict[str, Side], dict[str, int]]:
    """Return the sides of semantic parsers, and how many utterances each has."""
    asked = _utterances()
    old, new = _load(options.seq2seq_old), _load(options.seq2seq_new)
    sides = {
        "seq2seq, decode": _decoding(new, asked),
        "seq2seq, re-rank": _scoring(old, new, asked, "beam", b=N_CANDIDATES),
    }
    return sides, dict.fromkeys(sides, len(asked.examples))


def _utterances() -> Sentences:
    """Return the utterances of one domain of TOPv2."""
    lines = UTTERANCES.read_text("utf-8").splitlines()[1:]
    inputs = [line.split("\t")[1] for line in lines]
    ids = list(map(str, range(len(inputs))))
    return Sentences(Examples(pa.table({"id": ids, "input": inputs})))


def _cost_sides(old: Any, new: Any, here: Sentences) -> dict[str, Side]:  # noqa: ANN401
    thinned = new.proposer("dropout-p", p=RATE)
    shared = new.proposer("dropout-p", p=RATE, shared_encoder=True)
    return {
        "joint decoding": _decoding(joint_decoding(old, new, weight=0.5), here),
        "exact 10 best": _proposing(new, here),
        "dropout-p, shared encoder": _proposing(shared, here),
        "dropout-p": _proposing(thinned, here),
        "OLD scores 10 candidates": _scoring(old, new, here, "dropout-p", p=RATE),
    }


def _load(directory: Path) -> Any:  # noqa: ANN401
    return ADAPTERS.load("compat")(str(directory), ModelOptions()).load()


def _decoding(model: Any, here: Sentences) -> Side:  # noqa: ANN401
    batches = list(here.batched(model.encode(here.inputs)))
    return lambda: [model.predict(batch) for batch in batches]


def _proposing(proposer: Any, here: Sentences) -> Side:  # noqa: ANN401
    batches = list(here.batched(proposer.encode(here.inputs)))
    rng = np.random.default_rng(0)
    return lambda: [proposer.propose(b, k=N_CANDIDATES, rng=rng) for b in batches]


def _scoring(
    old: Any,  # noqa: ANN401
    new: Any,  # noqa: ANN401
    here: Sentences,
    generator: str,
    **options: Any,  # noqa: ANN401
) -> Side:
    """Score ten candidates of NEW: OLD reads, and sums up."""
    proposer, rng = new.proposer(generator, **options), np.random.default_rng(0)
    found = [
        proposer.propose(batch, k=N_CANDIDATES, rng=rng)
        for batch in here.batched(new.encode(here.inputs))
    ]
    batches = list(here.batched(old.encode(here.inputs)))
    pairs = list(zip(batches, found, strict=True))
    return lambda: [old.log_probability(batch, each) for batch, each in pairs]


def measure(sides: Mapping[str, Side], repeats: int) -> dict[str, list[float]]:
    """Return CPU seconds of each side, once a repeat, taken in turns."""
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for repeat in range(repeats):
        for name, run in sides.items():
            began = time.process_time()
            run()
            seconds[name].append(time.process_time() - began)
        shown = ", ".join(f"{name} {each[-1]:.2f} s" for name, each in seconds.items())
        print(f"repeat {repeat + 1}: {shown}", flush=True)
    return seconds


class _Inside:
    """CPU seconds within some functions, while they are replaced."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:  # noqa: ANN401
            began = time.process_time()
            try:
                return function(*arguments)
            finally:
                self.seconds += time.process_time() - began

        return run


def _outside(directory: Path, here: Sentences) -> float:
    """Return the share of an evaluation outside forward pass and decoder."""
    source = ADAPTERS.load("compat")(str(directory), ModelOptions())
    loaded, inside = source.load(), _Inside()
    kind = type(loaded)
    kept = kind.labelled_arcs, LabelledArcs.best
    kind.labelled_arcs = inside.timed(kind.labelled_arcs)
    LabelledArcs.best = inside.timed(LabelledArcs.best)  # type: ignore[method-assign]
    try:
        began = time.process_time()
        task = Dependency()
        answers = ask(_Loaded(source, loaded), here.examples, Predict())
        task.grade(here.examples, answers)
        total = time.process_time() - began
    finally:
        kind.labelled_arcs, LabelledArcs.best = kept  # type: ignore[method-assign]
    return 1 - inside.seconds / total


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A source whose model is in memory already."""

    source: Any
    model: Any

    @property
    def reference(self) -> str:
        return str(self.source.reference)

    def fingerprint(self) -> str:
        return str(self.source.fingerprint())

    def describe(self) -> dict[str, Any]:
        return dict(self.source.describe())

    def load(self) -> Any:  # noqa: ANN401
        return self.model


def report(
    seconds: Mapping[str, list[float]],
    shares: Sequence[float],
    counts: Mapping[str, int],
    path: Path,
) -> None:
    """Write the rows and print them.

    Args:
        seconds: Of each side, once a repeat.
        shares: Of an evaluation outside model and decoder, once a repeat.
        counts: How many sentences each side has.
        path: The file of results.

    """
    plain = seconds.get("biaffine, decode", [])
    rows = [
        record(
            f"parsers, {name}, plain decodes: against the asked {bar}",
            [cost / one for cost, one in zip(seconds[name], plain, strict=True)],
            [bar] * len(plain),
            higher_is_better=False,
            packages=("torch",),
            path=path,
        )
        for name, bar in BARS.items()
        if name in seconds
    ]
    rows += [
        record(
            f"parsers, {kind}, re-rank, sentences/s, 1 thread: against its own decode",
            *(
                [counts[side] / each for each in seconds[side]]
                for side in (f"{kind}, re-rank", f"{kind}, decode")
            ),
            higher_is_better=True,
            packages=("torch",),
            path=path,
        )
        for kind in KINDS
        if f"{kind}, re-rank" in seconds
    ]
    if shares:
        name = f"parsers, share outside model and decoder: against the asked {OUTSIDE}"
        rows.append(
            record(
                name,
                shares,
                [OUTSIDE] * len(shares),
                higher_is_better=False,
                packages=("torch",),
                path=path,
            )
        )
    for row in rows:
        figures = f"{row['ours']:.3g} / {row['other']:.3g}, {row['ratio']:.2f}"
        print(f"{row['name']}: {figures}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--old", type=Path, default=MODELS / "biaffine-1")
    parser.add_argument("--new", type=Path, default=MODELS / "biaffine-3")
    parser.add_argument("--pointer", type=Path, default=MODELS / "stack-pointer-3")
    parser.add_argument("--seq2seq-old", type=Path, default=SEMANTIC / "base-1")
    parser.add_argument("--seq2seq-new", type=Path, default=SEMANTIC / "base-3")
    parser.add_argument("--only-seq2seq", action="store_true")
    parser.add_argument("--data", type=Path, default=TREEBANK)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--every", type=int, default=1, help="every how many sentences")
    parser.add_argument(
        "--results", type=Path, default=Path(__file__).with_name("results.json")
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
