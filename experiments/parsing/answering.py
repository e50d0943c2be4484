"""Every parser on a split, alone or several as one: graded once, then kept."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from compat_eval.mitigations.ensemble import ensemble
from compat_eval.models.biaffine_parser import BiaffineParser
from compat_eval.models.parser_arcs import mixed
from compat_eval.models.parser_sentence import Tree
from experiments.parsing.graded import Graded, grade, read, save
from experiments.parsing.lines import Lines
from experiments.parsing.parsers import arc_factored, parser_of, split_of
from experiments.parsing.places import WORK
from experiments.parsing.splits import AnswersTrees, Split, plain

WEIGHTS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_LINES = Lines("answering")


def alone(name: str, split: str) -> Graded:
    """Grade one parser as it is."""
    path = _path(split, name)
    if not path.is_file():
        _LINES.note(f"{split}: {name}")
        _answer(parser_of(name), split_of(split), path)
    return read(path)


def ensembled(names: Sequence[str], split: str) -> Graded:
    """Grade an ensemble."""
    path = _path(split, "ensemble-" + "-".join(names))
    if not path.is_file():
        _LINES.note(f"{split}: {path.stem}")
        _answer(ensemble([parser_of(name) for name in names]), split_of(split), path)
    return read(path)


def _answer(model: AnswersTrees, split: Split, path: Path) -> None:
    items = model.encode(split.inputs)
    began = time.process_time()
    answers = plain(model, items, split)
    save(path, grade(split.examples, answers, time.process_time() - began))


def jointly(old: str, new: str, split: str) -> Mapping[float, Graded]:
    """Grade joint decoding at each weight; both parsers read a batch only once."""
    paths = {w: _path(split, f"joint-{w}-{old}-{new}") for w in WEIGHTS}
    if not all(path.is_file() for path in paths.values()):
        _LINES.note(f"{split}: joint decoding of {old} and {new}")
        _decode_jointly(arc_factored(old), arc_factored(new), split_of(split), paths)
    return {weight: read(path) for weight, path in paths.items()}


def _decode_jointly(
    old: BiaffineParser, new: BiaffineParser, split: Split, paths: Mapping[float, Path]
) -> None:
    olds, news = old.encode(split.inputs), new.encode(split.inputs)
    trees: dict[float, list[Tree]] = {weight: [] for weight in paths}
    cost = dict.fromkeys(paths, 0.0)
    pairs = zip(split.batched(olds), split.batched(news), strict=True)
    for of_old, of_new in pairs:
        began = time.process_time()
        o, n = old.labelled_arcs(of_old), new.labelled_arcs(of_new)
        reading = time.process_time() - began
        for weight in paths:
            began = time.process_time()
            trees[weight] += mixed([(1 - weight, n), (weight, o)]).best()
            cost[weight] += reading + time.process_time() - began
    for weight, path in paths.items():
        answers = split.column(trees[weight])
        save(path, grade(split.examples, answers, cost[weight]))


def _path(split: str, name: str) -> Path:
    return WORK / "graded" / split / f"{name}.safetensors"
