"""Every parser and treatment on a split: answered and graded once, then kept."""

import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from compat_eval.mitigations.bcr import BackwardCongruent, backward_congruent
from compat_eval.mitigations.ensemble import ensemble
from compat_eval.models.biaffine_parser import BiaffineParser
from compat_eval.models.parser_arcs import mixed
from compat_eval.models.parser_sentence import Tree
from experiments.parsing.graded import Graded, grade, read, save
from experiments.parsing.lines import Lines
from experiments.parsing.places import WORK, Parser, load, treebank
from experiments.parsing.splits import Split, plain

WEIGHTS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
RATES = (0.05, 0.1, 0.15, 0.2)
N_CANDIDATES = 10
_LINES = Lines("answering")


@cache
def split_of(name: str) -> Split:
    return Split(name, treebank(name))


@cache
def parser_of(name: str) -> Parser:
    return load(name)


def arc_factored(name: str) -> BiaffineParser:
    parser = parser_of(name)
    assert isinstance(parser, BiaffineParser), f"{name} is not arc-factored"
    return parser


def alone(name: str, split: str) -> Graded:
    """Grade one parser as it is."""
    path = _path(split, name)
    if not path.is_file():
        _LINES.note(f"{split}: {name}")
        model, here = parser_of(name), split_of(split)
        items = model.encode(here.inputs)
        began = time.process_time()
        answers = plain(model, items, here)
        save(path, grade(here.examples, answers, time.process_time() - began))
    return read(path)


def ensembled(names: Sequence[str], split: str) -> Graded:
    """Grade an ensemble."""
    path = _path(split, "ensemble-" + "-".join(names))
    if not path.is_file():
        _LINES.note(f"{split}: {path.stem}")
        model, here = ensemble([parser_of(name) for name in names]), split_of(split)
        items = model.encode(here.inputs)
        began = time.process_time()
        answers = plain(model, items, here)
        save(path, grade(here.examples, answers, time.process_time() - began))
    return read(path)


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


def reranked(
    olds: Sequence[str], new: str, split: str, *, p: float | None = None
) -> Mapping[str, Graded]:
    """Grade re-ranking by each old parser, over the same candidates.

    Args:
        olds: Parsers that score the candidates.
        new: The parser that makes them.
        split: Which sentences.
        p: Rate of dropout-p; without, the candidates are the k best, exact or
            as the beam finds them.

    """
    called = best_of(new) if p is None else f"dropout-p-{p}"
    paths = {old: _path(split, f"bcr-{called}-{old}-{new}") for old in olds}
    missing = [old for old, path in paths.items() if not path.is_file()]
    if missing:
        _LINES.note(f"{split}: {called} candidates of {new}")
        models = {old: _reranker(parser_of(old), parser_of(new), p) for old in missing}
        found, proposing = _candidates(next(iter(models.values())), split_of(split))
        for old, model in models.items():
            _rerank(model, found, split_of(split), proposing, paths[old])
    return {old: read(path) for old, path in paths.items()}


def _reranker(old: Parser, new: Parser, p: float | None) -> BackwardCongruent:
    if p is None:
        return backward_congruent(old, new, k=N_CANDIDATES)
    return backward_congruent(old, new, generator="dropout-p", k=N_CANDIDATES, p=p)


def _candidates(
    model: BackwardCongruent, split: Split
) -> tuple[list[list[list[Any]]], float]:
    """Return the candidates of each batch, and what they cost."""
    batches = list(split.batched(model.encode(split.inputs)))
    began = time.process_time()
    found = [model.candidates(batch) for batch in batches]
    return found, time.process_time() - began


def _rerank(
    model: BackwardCongruent,
    found: Sequence[Sequence[Sequence[Any]]],
    split: Split,
    proposing: float,
    path: Path,
) -> None:
    batches = list(split.batched(model.encode(split.inputs)))
    began = time.process_time()
    picked = [
        answer
        for batch, here in zip(batches, found, strict=True)
        for answer in model.picked(batch, here)
    ]
    cost = proposing + time.process_time() - began
    answers = split.column([Tree.of(answer) for answer in picked])
    save(path, grade(split.examples, answers, cost))


def best_of(name: str) -> str:
    """Return what a parser's best trees are called."""
    return "beam" if name.startswith("stack-pointer") else "k-best"


def _path(split: str, name: str) -> Path:
    return WORK / "graded" / split / f"{name}.safetensors"
