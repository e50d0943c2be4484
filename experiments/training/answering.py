"""Models, mitigated models and their answers: each made once, then kept.

Everything is made by the program's own parts: recipes train through `mitigate`, what
combines models is what `--mitigate` names, and answers are graded by the suite's task.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from compat_eval.core.arrays import Bools
from compat_eval.core.files import read_json
from compat_eval.core.grades import Grades
from compat_eval.core.protocols import Encodes, GivesLogits, Predicts
from compat_eval.mitigations import MITIGATIONS
from compat_eval.mitigations.mitigation import Combination, Recipe
from compat_eval.mitigations.spec import MitigationSpec
from compat_eval.workflows.mitigate import mitigate
from compat_eval.workflows.options import Options
from experiments.training.models import load, make, split_learned
from experiments.training.places import CACHE, MODELS, WORK
from experiments.training.suites import (
    examples_of,
    known_classes,
    loaded,
    out_of_scope,
    suite_named,
)
from experiments.training.vectors import RememberingClassifier, remember_vectors
from experiments.updates.graded import Graded, kept
from experiments.updates.lines import Lines
from experiments.updates.splits import Split

EVERY, KNOWN, FURTHER = "all classes", "old classes", "new classes"
OUTSIDE = "out of scope"
"""Levels of an update that adds classes. What is out of scope is in no other: OLD knows
it as a class, and what new classes take from it would hide the rest."""

_OF_AN_IMAGE = 16
_TRAIN_SAMPLE = 2000
"""Training examples on which accuracy is measured."""


@dataclass(frozen=True, slots=True)
class Made:
    """A model, and how it came about.

    Attributes:
        model: Name of a model of `models`, without a method.
        method: What makes another model of others, as `--mitigate` takes it, without
            further models; empty for none.
        old: OLD of the method.
        new: NEW of the method.
        further: Further models by role.

    """

    model: str = ""
    method: str = ""
    old: "Made | None" = None
    new: "Made | None" = None
    further: tuple[tuple[str, "Made"], ...] = ()

    @property
    def key(self) -> str:
        """A short name for files, the same for what is made the same way."""
        if not self.method:
            return self.model
        assert self.old is not None
        assert self.new is not None
        parts = [self.method, self.old.key, self.new.key]
        parts += [f"{role}={one.key}" for role, one in self.further]
        digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
        return f"{self.method.partition(':')[0]}-{digest}"

    @property
    def learned(self) -> tuple[str, str]:
        """Suite and split that it learned from, or its NEW did."""
        if not self.method:
            return split_learned(self.model)
        assert self.new is not None
        return self.new.learned

    @property
    def spec(self) -> MitigationSpec:
        """The method with its settings and further models."""
        return MitigationSpec.parse(self.asked())

    def asked(self) -> str:
        """Return the method with further models, as `--mitigate` takes it."""
        further = [(role, reference_of(one)) for role, one in self.further]
        return asked(self.method, further)

    @property
    def trains(self) -> bool:
        """Whether the method trains a model."""
        if not self.method:
            return False
        named = MITIGATIONS.load(self.method.partition(":")[0])
        return isinstance(named, Recipe)


def asked(method: str, further: Sequence[tuple[str, str]]) -> str:
    """Return a method with further models, as `--mitigate` takes it.

    Examples:
        >>> asked("soup", [("with", "compat:a"), ("with", "compat:b")])
        'soup:with=compat:a,with=compat:b'

    """
    named = ",".join(f"{role}={reference}" for role, reference in further)
    between = "," if ":" in method else ":"
    return f"{method}{between}{named}" if named else method


def plain(name: str) -> Made:
    """Return a model as it was trained."""
    return Made(model=name)


def directory_of(one: Made) -> Path:
    """Return where a model is, made first where it is not there."""
    if not one.method:
        make(one.model)
        return MODELS / one.model
    assert one.old is not None
    assert one.new is not None
    out = WORK / "mitigated" / one.key
    last = ".mitigation.json" if one.trains else "config.json"
    if not (out / last).is_file():
        remember_vectors()
        mitigate(
            one.asked(),
            reference_of(one.old),
            reference_of(one.new),
            Options(suite=suite_named(one.learned[0]), cache=CACHE),
            out=out,
            progress=Lines(one.key),
        )
    return out


def reference_of(one: Made) -> str:
    """Return how a trained model is opened."""
    return f"compat:{directory_of(one)}"


def opened(one: Made) -> Predicts:
    """Load a model; what combines models is made in memory."""
    if not one.method or one.trains:
        return load(str(directory_of(one)))
    return _combined(one)


@cache
def _combined(one: Made) -> Predicts:
    """Return models as one; what is learned from dev is what `mitigate` kept."""
    assert one.old is not None
    assert one.new is not None
    spec = one.spec
    if spec.learns:
        kept_as = read_json(directory_of(one) / "config.json")
        if "options" not in kept_as:  # averaged weights are a model of their own
            return load(str(directory_of(one)))
        spec = replace(spec, options=kept_as["options"])
    method = spec.mitigation
    assert isinstance(method, Combination)
    member = opened if method.one_model else _remembered
    further = [member(other) for _, other in one.further]
    made: Predicts = spec.combined(member(one.old), member(one.new), further)
    return made


def _remembered(one: Made) -> Predicts:
    """Return a model that answers a text once, where it gives logits."""
    if one.method:
        return opened(one)
    return _remembering(one)


@cache
def _remembering(one: Made) -> Predicts:
    model = opened(one)
    return RememberingClassifier(model) if isinstance(model, GivesLogits) else model


def graded(one: Made, suite: str, split: str) -> Graded:
    """Grade a model's answers to a split."""
    path = WORK / "graded" / suite / split / f"{one.key}.safetensors"
    return kept(path, lambda: _graded(one, suite, split))


def graded_by_classes(one: Made, suite: str, split: str) -> Graded:
    """Grade a model's answers apart: to old and new classes, and out of scope."""
    examples = split_of(suite, split).examples
    return _by_classes(
        graded(one, suite, split),
        known_classes(suite, examples),
        out_of_scope(examples),
    )


def train_accuracy(one: Made) -> float:
    """Return the accuracy on some of the examples that a model learned from."""
    suite, split = one.learned
    found = graded(one, suite, f"{split}-some")
    return float(found.levels["example"].right.mean())


def _by_classes(found: Graded, known: Bools, outside: Bools) -> Graded:
    """Return answers with a level for each group of classes."""
    right = found.levels["example"].right
    counted = {
        KNOWN: known & ~outside,
        EVERY: ~outside,
        FURTHER: ~known & ~outside,
        OUTSIDE: outside,
    }
    levels = {
        name: Grades(right[these], np.concatenate([[0], np.cumsum(these)]))
        for name, these in counted.items()
    }
    return Graded(levels=levels, cpu_seconds=found.cpu_seconds)


def _graded(one: Made, suite: str, split: str) -> Graded:
    here = split_of(suite, split)
    model = _remembered(one)
    items = model.encode(here.inputs) if isinstance(model, Encodes) else here.inputs
    answers, seconds = here.answered(
        lambda batch: model.predict(batch)["prediction"].to_pylist(), items
    )
    task = loaded(suite).task
    found = task.grade(here.examples, here.predictions(answers), ["example"])
    return Graded(levels=found, cpu_seconds=seconds)


@cache
def split_of(suite: str, split: str) -> Split:
    """Return a split in batches; `-some` behind its name is for a part of it."""
    name = split.removesuffix("-some")
    examples = examples_of(suite, name)
    if name != split and len(examples) > _TRAIN_SAMPLE:
        chosen = np.random.default_rng(0).permutation(len(examples))[:_TRAIN_SAMPLE]
        examples = examples.take(np.sort(chosen))
    return Split(examples, _n_tokens, batch_tokens=4000)


def _n_tokens(of: str | bytes) -> int:
    """Return about how much work an input is; images are all of one size."""
    return len(of.split()) if isinstance(of, str) else _OF_AN_IMAGE
