"""Every parser on a split, alone or several as one: graded once, then kept."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from compat_eval.mitigations.ensemble import ensemble
from compat_eval.models.biaffine_parser import BiaffineParser
from compat_eval.models.parser_arcs import mixed
from compat_eval.models.parser_sentence import Tree, answer_column
from experiments.parsing.places import WORK, arc_factored, load
from experiments.parsing.splits import GRADING, AnswersTrees, plain, split_of
from experiments.updates.graded import Graded, kept, read, save
from experiments.updates.lines import Lines
from experiments.updates.splits import Split

WEIGHTS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
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


def jointly(old: str, new: str, weight: float, split: str) -> Graded:
    """Grade joint decoding; for all weights at once, both read a batch only once."""
    paths = {w: _path(split, f"joint-{w}-{old}-{new}") for w in WEIGHTS}
    if not all(path.is_file() for path in paths.values()):
        _LINES.note(f"{split}: joint decoding of {old} and {new}")
        _decode_jointly(arc_factored(old), arc_factored(new), split_of(split), paths)
    return read(paths[weight])


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
        answers = answer_column(split.in_order(trees[weight]))
        save(path, GRADING.grade(split, answers, cost[weight]))


def _path(split: str, name: str) -> Path:
    return WORK / "graded" / split / f"{name}.safetensors"
