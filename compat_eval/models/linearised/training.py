"""Linear-quadratic fine-tuning of a classifier on a pretrained encoder.

Achille, Golatkar, Ravichandran, Polito and Soatto, "LQF: Linear Quadratic Fine-Tuning",
CVPR 2021, https://arxiv.org/abs/2012.11140. The head has its closed form. Where more
than the head is trained, the network is linearised about the encoder's own weights with
the closed-form head on top, and solved by conjugate gradients with a Kronecker-factored
preconditioner. Nothing is drawn at random but by constant seeds: the model is the same
whatever the training's seed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from compat_eval.core.arrays import Values
from compat_eval.core.errors import DataError, some
from compat_eval.core.examples import Examples
from compat_eval.core.progress import Progress
from compat_eval.core.protocols import ModelSource
from compat_eval.models.encoders.sentences import (
    FrozenEncoder,
    FrozenEncoderSource,
    refer_to,
)
from compat_eval.models.linearised.centre import Centre, centre_of
from compat_eval.models.linearised.classifier import empty_top, save
from compat_eval.models.linearised.constraints import keep_right
from compat_eval.models.linearised.examples import LabelledInputs, labelled
from compat_eval.models.linearised.kronecker import kronecker_preconditioner
from compat_eval.models.linearised.network import (
    LinearisedSizes,
    LinearisedTop,
    TopInputs,
    last_layers,
)
from compat_eval.models.linearised.quadratic import (
    Quadratic,
    QuadraticBlock,
    Rescaling,
)
from compat_eval.models.linearised.ridge import RidgeHead
from compat_eval.models.linearised.tangent import SLOPE, Tangent
from compat_eval.models.training.data import label_names, texts_and_labels
from compat_eval.models.training.train import Settings, Trainer

_BLOCK = 256


class LqfSettings(Settings):
    """Settings of `--model lqf`."""

    encoder: Path
    """Directory of the pretrained encoder and its tokenizer."""
    longest: int | None = Field(default=None, ge=3)
    """Largest number of tokens of a text; by default what the encoder can read."""
    layers: int = Field(default=0, ge=0)
    """How many of the encoder's last layers are trained, to first order."""
    hidden: int = Field(default=2048, ge=0)
    """Leaky ReLUs, of random weights, below the head; 0 for none."""
    train_hidden: bool = False
    """Whether their weights are trained, to first order."""
    leaky: bool = False
    """Whether the encoder's layers get leaky ReLUs in place of their activations."""
    slope: float = Field(default=SLOPE, gt=0, le=1)
    """Of leaky ReLUs below 0."""
    ridges: tuple[float, ...] = Field(default=(300.0,), min_length=1)
    """λ, each above 0; the best on dev is kept, without dev by leaving one out."""
    weight: float = Field(default=15.0, ge=1)
    """α, of the right label in the rescaled squared loss; 1 for the plain one."""
    target: float = Field(default=10.0, gt=0)
    """κ, the output that is wanted of the right label."""
    steps: int = Field(default=30, ge=1)
    """Most steps of conjugate gradients, where more than the head is trained."""
    tolerance: float = Field(default=1e-3, gt=0)
    """They end when this share of the gradient is left."""
    start: Path | None = None
    """An lqf model to whose weights the ridge pulls, in place of the encoder's own."""
    protect: Literal["none", "train", "dev", "both"] = "none"
    """Where examples must not flip: those whose column `protected` is 1 stay right."""
    margin: float = Field(default=0.1, gt=0)
    """What the right output of such an example must be ahead of every other."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the examples that a training with these settings reads."""
        vector = () if self.layers else ("vector",)
        protected = () if self.protect == "none" else ("protected",)
        return ("input", "gold", *vector, *protected)

    def frozen(self) -> ModelSource | None:
        """Return the encoder, where it stays as it is."""
        return None if self.layers else self.source()

    def source(self) -> FrozenEncoderSource:
        """Return the encoder."""
        return FrozenEncoderSource(
            directory=self.encoder.expanduser(), longest=self.longest
        )

    @property
    def rescaling(self) -> Rescaling:
        """The loss."""
        return Rescaling(weight=self.weight, target=self.target)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Solution:
    """The minimum for one ridge.

    Attributes:
        head: Closed form of the head at w₀, shape (n_features + 1, n_labels).
        ridge: The loss in the head's weights.
        step: d, where more than the head moves.
        told: For the history.

    """

    head: Values
    ridge: RidgeHead
    step: Tensor | None
    told: dict[str, Any]

    @property
    def accuracy(self) -> float:
        """By which the ridge is chosen."""
        told = self.told
        by = (
            "leave_one_out_accuracy" if told["dev_accuracy"] is None else "dev_accuracy"
        )
        return float(told.get(by, told["train_accuracy"]))


def _train(
    examples: Examples,
    dev: Examples | None,
    settings: LqfSettings,
    *,
    seed: int,  # noqa: ARG001 - nothing is random
    out: Path,
    progress: Progress,
) -> list[dict[str, Any]]:
    labels = label_names(texts_and_labels(examples)[1])
    encoder = None
    if settings.layers:
        encoder = settings.source().load()
        last_layers(encoder.network, settings.layers, settings.encoder)
    train = labelled(examples, labels, settings.layers, encoder, progress)
    held = (
        None
        if dev is None
        else labelled(dev, labels, settings.layers, encoder, progress)
    )
    top = _top(settings, train.inputs, encoder, len(labels))
    reference = refer_to(settings.source(), out)
    centre = None
    if settings.start is not None:
        centre = centre_of(settings.start.expanduser(), top, labels, reference)
    solver = _Solver(settings=settings, top=top, train=train, dev=held, centre=centre)
    found = [solver.solved(ridge, progress) for ridge in settings.ridges]
    best = max(found, key=lambda one: one.accuracy)
    history = [one.told for one in found]
    put_head(top, best.head)
    if settings.protect != "none":
        best, told = solver.protected(best, progress)
        history.append(told)
    loss = {"ridge": best.ridge.ridge, "weight": settings.weight}
    save(
        out,
        top,
        best.step,
        labels=labels,
        encoder=reference,
        loss={**loss, "target": settings.target},
    )
    return history


train = Trainer(settings=LqfSettings, run=_train)
"""Trains `--model lqf`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Solver:
    """What is solved for one ridge after the other."""

    settings: LqfSettings
    top: LinearisedTop
    train: LabelledInputs
    dev: LabelledInputs | None
    centre: Centre | None

    def solved(self, ridge: float, progress: Progress) -> _Solution:
        """Return the minimum for a ridge."""
        loss = self._ridge_head(ridge)
        if self.centre is not None and not self.top.sizes.head_only:
            head = self.centre.w0
        else:
            head = loss.solution()
        put_head(self.top, head)
        step: Tensor | None = None
        told: dict[str, Any] = {"ridge": ridge}
        if not self.top.sizes.head_only:
            step, more = self._moved(ridge, progress)
            told |= more
        told["train_accuracy"] = self._accuracy(self.train, step)
        told["dev_accuracy"] = (
            None if self.dev is None else self._accuracy(self.dev, step)
        )
        if self.dev is None and step is None:
            told["leave_one_out_accuracy"] = loss.accuracy_without_each(head)
        shown = {k: round(v, 4) for k, v in told.items() if isinstance(v, float)}
        progress.note(f"lqf: {', '.join(f'{k} {v:g}' for k, v in shown.items())}")
        return _Solution(head=head, ridge=loss, step=step, told=told)

    def protected(
        self, solution: _Solution, progress: Progress
    ) -> tuple[_Solution, dict[str, Any]]:
        """Return a solution under which the protected examples stay right."""
        parts = [one.only_protected() for one in self._asked()]
        ids = [name for part in parts for name in part.ids]
        gold = np.concatenate([part.gold for part in parts])
        rows = np.concatenate([self._rows(part) for part in parts])
        outputs = np.concatenate([self._outputs(p, solution.step) for p in parts])
        known = gold >= 0
        progress.start("examples that must not flip", total=len(ids))
        kept = keep_right(
            solution.ridge,
            rows[known],
            outputs[known],
            gold[known],
            margin=self.settings.margin,
        )
        progress.advance(len(ids))
        progress.stop()
        stays = np.zeros(len(ids), np.bool_)
        stays[known] = kept.kept
        given_up = [name for name, stay in zip(ids, stays, strict=True) if not stay]
        _tell_given_up(given_up, len(ids), progress)
        told = {
            "protected": len(ids),
            "broken_without": kept.n_broken_before + int((~known).sum()),
            "constraints": kept.n_constraints,
            "given_up": given_up,
            "dev_accuracy": None,
        }
        return self._changed(solution, kept.change), told

    def _asked(self) -> list[LabelledInputs]:
        """Return where protected examples are.

        Raises:
            DataError: There are none on dev.

        """
        which = self.settings.protect
        if self.dev is None and which != "train":
            raise DataError(
                f"protect: {which} needs examples of dev, and there are none"
            )
        train, dev = [self.train], [] if self.dev is None else [self.dev]
        return {"train": train, "dev": dev}.get(which, train + dev)

    def _changed(self, solution: _Solution, change: Values) -> _Solution:
        if solution.step is None:
            head = solution.head + change
            put_head(self.top, head)
            return replace(solution, head=head)
        tangent = Tangent.of(self.top)
        moved = tangent.named(solution.step)
        made = torch.from_numpy(change).to(solution.step)
        moved["head.weight"] = moved["head.weight"] + made[:-1].T
        moved["head.bias"] = moved["head.bias"] + made[-1]
        return replace(solution, step=tangent.flat(moved))

    def _ridge_head(self, ridge: float) -> RidgeHead:
        return RidgeHead(
            rows=self._rows(self.train),
            gold=self.train.gold,
            n_labels=self.top.head.out_features,
            ridge=ridge,
            weight=self.settings.weight,
            target=self.settings.target,
            centre=None if self.centre is None else self.centre.head,
        )

    def _moved(self, ridge: float, progress: Progress) -> tuple[Tensor, dict[str, Any]]:
        """Return the step of lowest loss, and how it was found."""
        tangent = Tangent.of(self.top)
        quadratic = Quadratic(
            tangent=tangent,
            blocks=self._blocks(),
            ridge=ridge,
            centre=None if self.centre is None else self.centre.step,
        )
        precondition = kronecker_preconditioner(quadratic)
        taken: list[float] = []
        progress.start(
            f"conjugate gradients, ridge {ridge:g}", total=self.settings.steps
        )

        def tell(left: float) -> None:
            taken.append(left)
            progress.advance(1)

        step = quadratic.minimum(
            precondition=precondition,
            tolerance=self.settings.tolerance,
            most=self.settings.steps,
            tell=tell,
        )
        progress.stop()
        left = taken[-1] if taken else 0.0
        return step, {"steps": len(taken), "gradient_left": left}

    def _blocks(self) -> list[QuadraticBlock]:
        inputs, n_labels = self.train.inputs, self.top.head.out_features
        made = []
        for rows in inputs.blocks(_BLOCK):
            gold = torch.from_numpy(self.train.gold[rows])
            targets, weights = self.settings.rescaling.goals(
                gold, n_labels, self.top.head.weight
            )
            made.append(
                QuadraticBlock(
                    inputs=inputs.taken(rows), targets=targets, weights=weights
                )
            )
        return made

    def _rows(self, texts: LabelledInputs) -> Values:
        """Return the features of a head at w₀ with a 1 behind them."""
        width = self.top.head.in_features
        found = np.ones((len(texts.inputs), width + 1))
        with torch.no_grad():
            for rows in texts.inputs.blocks(_BLOCK):
                found[rows, :-1] = self.top.features(texts.inputs.taken(rows)).numpy()
        return found

    def _outputs(self, texts: LabelledInputs, step: Tensor | None) -> Values:
        """Return f(x; w₀) + J(x; w₀)·d, shape (n_texts, n_labels)."""
        found = np.empty((len(texts.inputs), self.top.head.out_features))
        tangent = Tangent.of(self.top)
        for rows in texts.inputs.blocks(_BLOCK):
            block = texts.inputs.taken(rows)
            made = (
                tangent.outputs(block) if step is None else tangent.linear(block, step)
            )
            found[rows] = made.numpy()
        return found

    def _accuracy(self, texts: LabelledInputs, step: Tensor | None) -> float:
        return float((self._outputs(texts, step).argmax(axis=1) == texts.gold).mean())


def put_head(top: LinearisedTop, head: Values) -> None:
    """Put a closed-form head, shape (n_features + 1, n_labels), into a top."""
    with torch.no_grad():
        top.head.weight.copy_(torch.from_numpy(head[:-1].T))
        top.head.bias.copy_(torch.from_numpy(head[-1]))


def _top(
    settings: LqfSettings,
    inputs: TopInputs,
    encoder: FrozenEncoder | None,
    n_labels: int,
) -> LinearisedTop:
    sizes = LinearisedSizes(
        width=int(inputs.each[0].shape[-1]),
        layers=settings.layers,
        hidden=settings.hidden,
        train_hidden=settings.train_hidden,
        leaky=settings.leaky,
        slope=settings.slope,
    )
    return empty_top(encoder, sizes, n_labels, settings.encoder)


def _tell_given_up(names: Sequence[str], n: int, progress: Progress) -> None:
    if names:
        progress.note(
            f"lqf: {len(names)} of {n} examples that must not flip "
            f"cannot be kept beside the others ({some(names)})"
        )
