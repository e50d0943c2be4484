"""Every parser on a split, alone or several as one: graded once, then kept."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from compat_eval.mitigations.combine.ensemble import ensemble
from compat_eval.models.biaffine.parser import BiaffineParser
from compat_eval.models.parsing.arcs import mixed
from compat_eval.models.parsing.sentence import Tree, answer_column
from experiments.parsing.places import WORK, arc_factored, load
from experiments.parsing.splits import GRADING, AnswersTrees, plain, split_of
from experiments.updates.graded import Graded, kept, read, save
from experiments.updates.lines import Lines
from experiments.updates.splits import Split

WEIGHTS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_LINES = Lines("answering")


def alone(name: str, split: str) -> Graded:
    """Grade one parser as it is."""
    return kept(_path(split, name), lambda: _answered(load(name), split))


def ensembled(names: Sequence[str], split: str) -> Graded:
    """Grade an ensemble."""
    path = _path(split, "ensemble-" + "-".join(names))
    return kept(path, lambda: _answered(ensemble([load(n) for n in names]), split))


def _answered(model: AnswersTrees, split: str) -> Graded:
    here = split_of(split)
    return GRADING.grade(here, *plain(model, here))


def jointly(old: str, news: Sequence[str], weight: float, split: str) -> Graded:
    """Grade joint decoding; for all weights at once, each reads a batch only once."""
    names = "-".join([old, *news])
    paths = {w: _path(split, f"joint-{w}-{names}") for w in WEIGHTS}
    if not all(path.is_file() for path in paths.values()):
        _LINES.note(f"{split}: joint decoding of {old} and {', '.join(news)}")
        parsers = [arc_factored(name) for name in (old, *news)]
        _decode_jointly(parsers, split_of(split), paths)
    return read(paths[weight])


def _decode_jointly(
    parsers: Sequence[BiaffineParser], split: Split, paths: Mapping[float, Path]
) -> None:
    """Mix OLD, the first parser, with the others, which share the rest evenly."""
    trees: dict[float, list[Tree]] = {weight: [] for weight in paths}
    cost = dict.fromkeys(paths, 0.0)
    batches = [split.batched(parser.encode(split.inputs)) for parser in parsers]
    for items in zip(*batches, strict=True):
        began = time.process_time()
        read_by = zip(parsers, items, strict=True)
        old, *news = (parser.labelled_arcs(one) for parser, one in read_by)
        reading = time.process_time() - began
        for weight in paths:
            began = time.process_time()
            share = (1 - weight) / len(news)
            parts = [*((share, new) for new in news), (weight, old)]
            trees[weight] += mixed(parts).best()
            cost[weight] += reading + time.process_time() - began
    for weight, path in paths.items():
        answers = answer_column(split.in_order(trees[weight]))
        save(path, GRADING.grade(split, answers, cost[weight]))


def _path(split: str, name: str) -> Path:
    return WORK / "graded" / split / f"{name}.safetensors"
