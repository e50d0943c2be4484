"""Two parsers' outputs graded: seconds, beside spaCy's scorer and Stanza's.

    python benchmarks/parser_evaluation.py --sentences 2000 --repeats 5

The sentences are the test split of UD English EWT; the two outputs are its trees with
a share of heads and relations moved at random. No model runs. Ours reads gold,
grades words and trees at four levels, pairs the two outputs, and gives counts and
intervals. spaCy's `Scorer.score_deps` gives UAS and LAS of documents that are in
memory already; Stanza's `ud_scores` reads the files of one output after the other.
All must find the same LAS first.
"""

import argparse
import os
import random
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import spacy
from record import record
from spacy.scorer import Scorer
from spacy.tokens import Doc
from spacy.training import Example
from stanza.models.common.utils import ud_scores

from compat_eval.core.recorded import Recorded, Request
from compat_eval.readers import READERS
from compat_eval.readers.files import read_gold
from compat_eval.workflows.run import compare

CLOSE = 1e-9
WRONG = {"old": 0.12, "new": 0.10}
TREEBANK = "ud_english_ewt/en_ewt-ud-test.conllu"


@dataclass(frozen=True, slots=True)
class Files:
    """CoNLL-U files of one text.

    Attributes:
        gold: The treebank's trees.
        systems: Two outputs, `old` and `new`.

    """

    gold: Path
    systems: Mapping[str, Path]


def main() -> None:
    """Measure, and write a row for each side."""
    options = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        files = make_files(options.treebank, options.sentences, Path(folder))
        sides = make_sides(files)
        check_same(files)
        seconds = measure(sides, options.repeats)
    n = options.sentences
    _show(
        f"two parses of {n} sentences graded from memory, s: against spaCy's scorer",
        seconds["ours from memory"],
        seconds["spacy"],
        "spacy",
    )
    _show(
        f"two parses of {n} sentences graded from files, s: against Stanza's scorer",
        seconds["ours from files"],
        seconds["stanza"],
        "stanza",
    )


def make_files(treebank: Path, n: int, folder: Path) -> Files:
    """Write the first sentences of a treebank, and two outputs with mistakes."""
    sentences = treebank.read_text("utf-8").split("\n\n")[:n]
    systems = {}
    for seed, (name, share) in enumerate(WRONG.items()):
        rng = random.Random(seed)  # noqa: S311 - mistakes, not secrets
        parsed = [with_mistakes(sentence, share, rng) for sentence in sentences]
        systems[name] = _written(folder / f"{name}.conllu", parsed)
    return Files(_written(folder / "gold.conllu", sentences), systems)


def with_mistakes(sentence: str, share: float, rng: random.Random) -> str:
    """Hang a share of the words elsewhere: still a tree, with the same root.

    A word may hang from the root's word, so only words without words below them
    are moved there, and get another relation.
    """
    rows = [line.split("\t") for line in sentence.splitlines()]
    words = [row for row in rows if row[0].isdecimal()]
    heads = {row[6] for row in words}
    [root] = [row[0] for row in words if row[6] == "0"]
    for row in words:
        moved = row[6] not in {"0", root} and row[0] not in heads
        if moved and rng.random() < share:
            row[6], row[7] = root, "dep"
    return "\n".join("\t".join(row) for row in rows)


def make_sides(files: Files) -> dict[str, Callable[[], Any]]:
    """Return what each side does once, everything it may prepare being prepared."""
    documents = {
        name: examples(files.gold, path) for name, path in files.systems.items()
    }
    recorded = {name: side(files, name) for name in files.systems}
    paths = {name: f"preds:{path}" for name, path in files.systems.items()}
    return {
        "ours from memory": partial(ours, files.gold, recorded),
        "spacy": lambda: [spacy_scores(documents[name]) for name in WRONG],
        "ours from files": partial(ours, files.gold, paths),
        "stanza": lambda: [
            ud_scores(str(files.gold), str(files.systems[name])) for name in WRONG
        ],
    }


def ours(gold: Path, sides: Mapping[str, str | Recorded]) -> Any:  # noqa: ANN401
    return compare(sides["old"], sides["new"], task="dependency", gold=gold)


def side(files: Files, name: str) -> Recorded:
    """Return an output as a model's predictions would be: heads and relations."""
    asked = Request(name=name, kind="dependency", level="las", fields={})
    gold = read_gold(files.gold, asked)
    request = replace(asked, examples=gold)
    found = READERS.load("preds")(str(files.systems[name]), request)
    assert isinstance(found, Recorded)
    plain = found.predictions.table.select(["id", "prediction"])
    return replace(found, predictions=type(found.predictions)(plain))


def examples(gold: Path, system: Path) -> list[Example]:
    """Return pairs of documents, as spaCy's scorer wants them."""
    vocab = spacy.blank("en").vocab
    pairs = zip(_documents(system, vocab), _documents(gold, vocab), strict=True)
    return [Example(predicted, reference) for predicted, reference in pairs]


def spacy_scores(pairs: list[Example]) -> dict[str, Any]:
    """Score words as spaCy does in `evaluate`, punctuation left out by relation."""
    return Scorer.score_deps(pairs, "dep", ignore_labels=("punct",), getter=_dep)


def check_same(files: Files) -> None:
    """Make sure that all sides find the same LAS, punctuation included.

    Raises:
        SystemExit: They do not.

    """
    for name, path in files.systems.items():
        theirs = ud_scores(str(files.gold), str(path))["LAS"].f1
        scored = Scorer.score_deps(examples(files.gold, path), "dep", getter=_dep)
        sides = dict.fromkeys(WRONG, f"preds:{path}")
        metrics = ours(files.gold, sides).judged.statistics
        found = metrics["official_las_f1"].new.value
        if abs(found - theirs) > CLOSE:
            raise SystemExit(f"{name}: LAS {found} is not Stanza's {theirs}")
        if abs(scored["dep_las"] - theirs) > 0.05:  # noqa: PLR2004 - subtypes count
            raise SystemExit(f"{name}: LAS {scored['dep_las']} of spaCy, not {theirs}")


def measure(
    sides: Mapping[str, Callable[[], Any]], repeats: int
) -> dict[str, list[float]]:
    """Return the seconds of each side, the sides taken in turns."""
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for repeat in range(repeats + 1):
        for name, run in sides.items():
            started = time.perf_counter()
            run()
            if repeat:  # the first fills caches
                seconds[name].append(time.perf_counter() - started)
    return seconds


def _documents(path: Path, vocab: Any) -> list[Doc]:  # noqa: ANN401
    found = []
    for sentence in path.read_text("utf-8").strip().split("\n\n"):
        rows = [line.split("\t") for line in sentence.splitlines()]
        words = [row for row in rows if row[0].isdecimal()]
        heads = [at if w[6] == "0" else int(w[6]) - 1 for at, w in enumerate(words)]
        relations = ["ROOT" if w[6] == "0" else w[7] for w in words]
        forms = [w[1] for w in words]
        found.append(Doc(vocab, words=forms, heads=heads, deps=relations))
    return found


def _dep(token: Any, name: str) -> str:  # noqa: ANN401
    return str(getattr(token, f"{name}_"))


def _written(path: Path, sentences: list[str]) -> Path:
    path.write_text("\n\n".join(sentences) + "\n\n", "utf-8")
    return path


def _show(name: str, ours: list[float], other: list[float], package: str) -> None:
    row = record(
        name,
        ours,
        other,
        higher_is_better=False,
        packages=(package, "numpy", "pyarrow"),
    )
    print(f"{name}: {row['ours']:.3f} / {row['other']:.3f}, {row['ratio']:.1f} times")


def _arguments() -> argparse.Namespace:
    data = Path(os.environ.get("COMPAT_EVAL_DATA", "data"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--treebank", type=Path, default=data / TREEBANK)
    parser.add_argument("--sentences", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    main()
