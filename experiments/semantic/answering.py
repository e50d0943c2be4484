"""Every model and treatment on a split: answered and graded once, then kept."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from compat_eval.core.grades import Grades
from compat_eval.mitigations.combine.bcr import BackwardCongruent, backward_congruent
from compat_eval.mitigations.combine.ensemble import ensemble
from compat_eval.mitigations.combine.oracle import Aim, oracle_choice
from compat_eval.models.decoding.search import StepMixture
from experiments.semantic.places import WORK, load
from experiments.semantic.splits import GRADING, WritesTrees, plain, split_of
from experiments.updates.files import whole
from experiments.updates.graded import Graded, kept
from experiments.updates.lines import Lines

N_CANDIDATES = 10
ORACLE_LEVEL = "span_subtree"
_LINES = Lines("candidates")


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


def alone(name: str, split: str) -> Graded:
    """Grade one model as it is."""
    return _plain(split, name, lambda: load(name))


def ensembled(names: Sequence[str], split: str) -> Graded:
    """Grade an ensemble, as the program makes it: the mean log p of every step."""

    def model() -> WritesTrees:
        made = ensemble([load(name) for name in names])
        assert isinstance(made, StepMixture)
        return made

    return _plain(split, "log-ensemble-" + "-".join(names), model)


def jointly(old: str, new: str, weight: float, split: str) -> Graded:
    """Grade NEW and OLD that write together, OLD with a weight."""
    return _plain(
        split,
        f"joint-{weight}-{old}-{new}",
        lambda: load(new).mixture(1 - weight, [(weight, load(old))]),
    )


def _plain(split: str, name: str, model: Callable[[], WritesTrees]) -> Graded:
    here = split_of(split)
    return kept(_path(split, name), lambda: GRADING.grade(here, *plain(model(), here)))


def reranked(generator: Generator, old: str, new: str, split: str) -> Graded:
    """Grade NEW's candidates re-ranked by OLD's mean log p of a token."""

    def picked() -> Graded:
        found, proposing = candidates(generator, new, split)
        here, model = split_of(split), _reranker(generator, old, new)
        items = model.encode(here.inputs)
        answers, picking = here.answered(model.picked, items, found)
        return GRADING.grade(here, answers, proposing + picking)

    return kept(_path(split, f"bcr-{generator.slug}-{old}-{new}"), picked)


def oracle(generator: Generator, old: str, new: str, split: str, aim: Aim) -> Graded:
    """Grade the best choice among NEW's candidates for one who knows gold."""

    def picked() -> Graded:
        found, _ = candidates(generator, new, split)
        picks = oracle_choice(
            _graded_candidates(generator, new, split),
            alone(old, split).levels[ORACLE_LEVEL],
            aim,
        )
        answers = [of_one[at] for of_one, at in zip(found, picks, strict=True)]
        return GRADING.grade(split_of(split), answers, 0.0)

    return kept(_path(split, f"oracle-{aim}-{generator.slug}-{old}-{new}"), picked)


@cache
def _graded_candidates(
    generator: Generator, new: str, split: str
) -> tuple[Grades, ...]:
    found, _ = candidates(generator, new, split)
    here = split_of(split)
    return tuple(
        GRADING.grade(here, [of_one[at] for of_one in found], 0.0).levels[ORACLE_LEVEL]
        for at in range(N_CANDIDATES)
    )


def candidates(
    generator: Generator, new: str, split: str
) -> tuple[list[list[str]], float]:
    """Return NEW's candidates in the order of the examples, and their CPU time."""
    path = WORK / "candidates" / split / f"{generator.slug}-{new}.json"
    if not path.is_file():
        _LINES.note(f"{split}: {generator.slug} of {new}")
        here, model = split_of(split), _reranker(generator, new, new)
        found, spent = here.answered(model.candidates, model.encode(here.inputs))
        with whole(path) as partial:
            text = json.dumps({"candidates": found, "cpu_seconds": spent})
            partial.write_text(text, "utf-8")
    made = json.loads(path.read_text("utf-8"))
    return made["candidates"], made["cpu_seconds"]


def _reranker(generator: Generator, old: str, new: str) -> BackwardCongruent:
    return backward_congruent(
        load(old),
        load(new),
        generator=generator.name,
        k=N_CANDIDATES,
        normalised="mean",
        **generator.options,
    )


def _path(split: str, name: str) -> Path:
    return WORK / "graded" / split / f"{name}.safetensors"
