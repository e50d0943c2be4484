"""Every model and treatment on a split: answered and graded once, then kept."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from compat_eval.core.correctness import Correctness
from compat_eval.mitigations.bcr import BackwardCongruent, backward_congruent
from compat_eval.mitigations.oracle import Aim, oracle_choice
from compat_eval.models.tree_seq2seq_model import TreeSeq2Seq
from experiments.parsing.graded import Graded, read, save
from experiments.parsing.lines import Lines
from experiments.semantic.places import WORK, load, topv2
from experiments.semantic.splits import Split, WritesTrees, plain

N_CANDIDATES = 10
ORACLE_LEVEL = "span_subtree"
_LINES = Lines("answering")


@dataclass(frozen=True, slots=True)
class Generator:
    """One way to make candidates.

    Attributes:
        name: Such as `dropout-p`.
        options: Such as its rate.

    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def slug(self) -> str:
        return "-".join([self.name, *map(str, self.options.values())])


@cache
def split_of(name: str) -> Split:
    return Split(name, topv2(name))


@cache
def model_of(name: str) -> TreeSeq2Seq:
    return load(name)


def alone(name: str, split: str) -> Graded:
    """Grade one model as it is."""
    return _plain(split, name, lambda: model_of(name))


def ensembled(names: Sequence[str], split: str) -> Graded:
    """Grade an ensemble: the mean of the members' probabilities."""
    first, *others = (model_of(name) for name in names)
    called = "ensemble-" + "-".join(names)
    return _plain(split, called, lambda: first.averaged(others))


def jointly(old: str, new: str, weight: float, split: str) -> Graded:
    """Grade NEW and OLD that write together, OLD with a weight."""
    return _plain(
        split,
        f"joint-{weight}-{old}-{new}",
        lambda: model_of(new).mixture(1 - weight, [(weight, model_of(old))]),
    )


def _plain(split: str, name: str, model: Callable[[], WritesTrees]) -> Graded:
    path = _path(split, name)
    if not path.is_file():
        _LINES.note(f"{split}: {name}")
        writer, here = model(), split_of(split)
        began = time.process_time()
        answers = plain(writer, here)
        save(path, here.grade(answers, time.process_time() - began))
    return read(path)


def reranked(generator: Generator, old: str, new: str, split: str) -> Graded:
    """Grade NEW's candidates re-ranked by OLD's mean log p of a token."""
    path = _path(split, f"bcr-{generator.slug}-{old}-{new}")
    if not path.is_file():
        found, proposing = candidates(generator, new, split)
        here, model = split_of(split), _reranker(generator, old, new)
        _LINES.note(f"{split}: {path.stem}")
        items = list(zip(model.encode(here.inputs), found, strict=True))
        began = time.process_time()
        picked = [
            answer
            for batch in here.batched(items)
            for answer in model.picked([i for i, _ in batch], [c for _, c in batch])
        ]
        cost = proposing + time.process_time() - began
        save(path, here.grade(here.in_order(picked), cost))
    return read(path)


def oracle(generator: Generator, old: str, new: str, split: str, aim: Aim) -> Graded:
    """Grade the best choice among NEW's candidates for one who knows gold."""
    path = _path(split, f"oracle-{aim}-{generator.slug}-{old}-{new}")
    if not path.is_file():
        found, _ = candidates(generator, new, split)
        here = split_of(split)
        picks = oracle_choice(
            _graded_candidates(generator, new, split),
            alone(old, split).levels[ORACLE_LEVEL],
            aim,
        )
        answers = [of_one[at] for of_one, at in zip(found, picks, strict=True)]
        save(path, here.grade(answers, 0.0))
    return read(path)


@cache
def _graded_candidates(
    generator: Generator, new: str, split: str
) -> tuple[Correctness, ...]:
    found, _ = candidates(generator, new, split)
    here = split_of(split)
    return tuple(
        here.grade([of_one[at] for of_one in found], 0.0).levels[ORACLE_LEVEL]
        for at in range(N_CANDIDATES)
    )


def candidates(
    generator: Generator, new: str, split: str
) -> tuple[list[list[str]], float]:
    """Return NEW's candidates in the order of the examples, and their CPU time."""
    path = WORK / "candidates" / split / f"{generator.slug}-{new}.json"
    if not path.is_file():
        _LINES.note(f"{split}: {generator.slug} candidates of {new}")
        here, model = split_of(split), _reranker(generator, new, new)
        items = model.encode(here.inputs)
        began = time.process_time()
        found = [
            of_one
            for batch in here.batched(items)
            for of_one in model.candidates(batch)
        ]
        spent = time.process_time() - began
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = {"candidates": here.in_order(found), "cpu_seconds": spent}
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(kept), "utf-8")
        partial.replace(path)
    kept = json.loads(path.read_text("utf-8"))
    return kept["candidates"], kept["cpu_seconds"]


def _reranker(generator: Generator, old: str, new: str) -> BackwardCongruent:
    return backward_congruent(
        model_of(old),
        model_of(new),
        generator=generator.name,
        k=N_CANDIDATES,
        normalised="mean",
        **generator.options,
    )


def _path(split: str, name: str) -> Path:
    return WORK / "graded" / split / f"{name}.safetensors"
