"""Which of OLD's answers count as right: the gate of focal and conditional trainings.

A model answers what it was trained on almost perfectly. Where NEW learns from OLD's
training data, nearly all of OLD's answers to them are right, and a gate by those
answers lets everything through. Two other gates ask how OLD does on what it has not
seen: cross-fitting, as is usual for nuisance estimates (Chernozhukov et al., "Double/
Debiased Machine Learning", Econometrics Journal 2018, https://arxiv.org/abs/1608.00060),
and OLD's answers where it was not trained.
"""

import hashlib
from typing import Literal

import numpy as np
from pydantic import Field

from compat_eval.adapters.compat import open_source
from compat_eval.adapters.options import ModelOptions
from compat_eval.core.arrays import Bools, Ints
from compat_eval.core.errors import UsageError
from compat_eval.core.examples import Examples
from compat_eval.core.fingerprint import digest
from compat_eval.mitigations.mitigation import Training
from compat_eval.mitigations.train.earlier import EarlierTraining, earlier_training
from compat_eval.mitigations.train.taught import (
    ClassifierRecipeSettings,
    old_right,
    with_taught,
)
from compat_eval.models.training.train import train_model


class GateSettings(ClassifierRecipeSettings):
    """How it is known what OLD gets right."""

    gate: Literal["train", "out-of-fold", "held-out"] = Field(
        "train",
        description=(
            "what OLD gets right: by its answers; by those of OLDs that are trained "
            "anew without the example; or by its answers where it was not trained, and "
            "nothing elsewhere"
        ),
    )
    folds: int = Field(
        5, ge=2, description="how many OLDs are trained anew for gate=out-of-fold"
    )


def gated(training: Training, settings: GateSettings, *, method: str) -> Examples:
    """Return the training examples with the column `taught`: 1 where OLD is right.

    Raises:
        UsageError: OLD does not say how it was trained, cannot be trained anew, or no
            answer of it counts.

    """
    examples = training.examples
    right = old_right(examples, training.answers)
    if settings.gate == "train":
        return with_taught(examples, right)
    earlier, own, own_dev = _of_old(training, settings.gate, method)
    keys = _keys(examples)
    seen = np.isin(keys, _keys(own))
    if settings.gate == "held-out":
        right = _unseen(right, seen, method)
    elif seen.any():
        known = _out_of_fold(training, earlier, own, own_dev, settings.folds)
        right = np.array(
            [known.get(key, its) for key, its in zip(keys, right, strict=True)],
            np.bool_,
        )
    training.progress.note(
        f"{method}: OLD was trained on {int(seen.sum())} of {len(seen)} examples; with "
        f"gate={settings.gate} {int(right.sum())} of its answers count as right"
    )
    return with_taught(examples, right)


def folds_of(examples: Examples, n_folds: int) -> Ints:
    """Return the fold of each example, from 0.

    It follows from the input alone, so neither the order nor other examples matter, and
    equal inputs are never apart.
    """
    hashes = [hashlib.sha256(f"fold {key}".encode()) for key in _keys(examples)]
    numbers = [int.from_bytes(one.digest()[:8], "big") % n_folds for one in hashes]
    return np.array(numbers, np.int64)


def _keys(examples: Examples) -> list[str]:
    """Return what stands for each input; two splits may use one id for two."""
    return [digest(one) for one in examples.column("input").to_pylist()]


def _unseen(right: Bools, seen: Bools, method: str) -> Bools:
    if seen.all():
        raise UsageError(
            f"{method}: gate=held-out needs examples that OLD was not trained on, and "
            "it was trained on all; gate=out-of-fold trains OLD anew without them"
        )
    return np.asarray(right & ~seen, np.bool_)


def _of_old(
    training: Training, gate: str, method: str
) -> tuple[EarlierTraining, Examples, Examples | None]:
    """Return how OLD was trained, on which examples, and by which it was stopped.

    Raises:
        UsageError: It does not say so, or on other examples than the suite has now, or
            with an objective that needs a teacher.

    """
    earlier = earlier_training(training.old)
    told = f"{method}: gate={gate} needs an OLD that compat-eval train made of a split"
    if earlier is None or earlier.split is None:
        raise UsageError(
            f"{told} of this suite, and {training.old.reference} does not say how it "
            "was trained; gate=train needs its answers only"
        )
    if earlier.config.get("objective", "cross-entropy") != "cross-entropy":
        raise UsageError(
            f"{told} without a teacher, and {training.old.reference} has the objective "
            f"{earlier.config['objective']}; gate=train needs its answers only"
        )
    own, dev = training.load(earlier.split, earlier.dev or "none")
    if not earlier.knew(own):
        raise UsageError(
            f"{told}, and split {earlier.split} is not what "
            f"{training.old.reference} was trained on; gate=train needs its answers "
            "only"
        )
    return earlier, own, dev


def _out_of_fold(
    training: Training,
    earlier: EarlierTraining,
    own: Examples,
    dev: Examples | None,
    n_folds: int,
) -> dict[str, bool]:
    """Return whether OLD, trained without an input, answers it rightly; by input.

    Each fold's model is kept, so that an interrupted recipe goes on, and other recipes
    with this OLD find it.
    """
    folder = training.aside / digest([training.old.fingerprint(), n_folds])[:16]
    fold = folds_of(own, n_folds)
    found: dict[str, bool] = {}
    for number in range(n_folds):
        held = own.take(fold == number)
        if not len(held):
            continue
        out = folder / f"fold-{number + 1}"
        training.progress.note(f"OLD without fold {number + 1} of {n_folds}")
        train_model(
            earlier.model,
            own.take(fold != number),
            dev,
            seed=earlier.seed,
            out=out,
            # Where OLD began from a model, that may have seen the fold.
            config={k: v for k, v in earlier.config.items() if k != "start"},
            progress=training.progress,
            cache=training.cache,
            data=f"without fold {number + 1} of {n_folds} of {earlier.split}",
        )
        source = open_source(str(out), ModelOptions())
        right = old_right(held, training.ask(source, held))
        found.update(zip(_keys(held), right.tolist(), strict=True))
    return found
