"""What classifiers make of inputs before their last layer, and how that is read.

Every classifier here makes a vector of an input, and one last layer of it reads that. A
linear map may stand between, so that vectors have a dimension of their own. All are
fitted by `fit_classifier`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import linear, normalize

from compat_eval.core.arrays import Values
from compat_eval.core.examples import Examples
from compat_eval.core.progress import Progress
from compat_eval.models.classifiers.starting import begin_from
from compat_eval.models.classifiers.training import (
    ClassifierLearner,
    ClassifierSettings,
    LabelledTexts,
)
from compat_eval.models.training.loop import fit_by_adamw, parameter_groups, seeded

_S = TypeVar("_S", bound="EncoderSettings")


class EncoderSettings(ClassifierSettings):
    """What vectors a classifier makes on the way, and how it reads them."""

    projection: int = Field(default=0, ge=0)
    """Dimensions of its vectors, by a linear map to them; 0 for no map."""
    cosine: float = Field(default=0.0, ge=0)
    """What cosines of vectors with a row for each label are multiplied by, to be
    logits; 0 for a linear layer. Such vectors are made to be compared by cosine."""

    head_scale: float = Field(default=1.0, gt=0)
    """Learning rate of the last layer, as a multiple of that of the rest."""

    def searched(self) -> Mapping[str, Sequence[Any]]:
        """Return the values of each size that a search of architectures chooses from.

        Each is in order, the least first, and has the value of these settings; empty
        where nothing can be searched.
        """
        return {}

    def groups(self, network: nn.Module) -> list[dict[str, Any]]:
        """Return a network's parameters, its last layer's with their own rate."""
        return parameter_groups(network, "head.", scale=self.head_scale)


class CosineHead(nn.Module):
    """Logits that are cosines with a row for each label, times a scale.

    Wang et al., "NormFace", ACM Multimedia 2017, https://arxiv.org/abs/1704.06369.

    Args:
        width: Numbers in a vector.
        n_labels: How many labels there are.
        scale: What cosines are multiplied by.

    """

    def __init__(self, width: int, n_labels: int, scale: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_labels, width) / width**0.5)
        self.scale = scale

    def forward(self, vectors: Tensor) -> Tensor:
        """Return logits, shape (n_items, n_labels)."""
        rows = normalize(self.weight, dim=1)
        return self.scale * linear(normalize(vectors, dim=1), rows)


def made_head(width: int, n_labels: int, cosine: float) -> CosineHead | nn.Linear:
    """Return a last layer; `cosine` is 0 for a linear one."""
    if cosine:
        return CosineHead(width, n_labels, cosine)
    return nn.Linear(width, n_labels)


def made_projection(width: int, projection: int) -> nn.Module:
    """Return the map from an encoder's states to vectors; none for 0."""
    return nn.Linear(width, projection) if projection else nn.Identity()


def label_axes_of(network: nn.Module) -> dict[str, int]:
    """Return the tensors of a network's `head` that have an entry for each label."""
    head = network.get_submodule("head")
    return {f"head.{name}": 0 for name, _ in head.named_parameters()}


def embedded(
    vectors: Callable[[Sequence[Any]], Tensor],
    items: Sequence[Any],
    *,
    width: int,
) -> Values:
    """Return vectors of items as numbers, shape (n_items, width); nan for errors.

    Args:
        vectors: Of the network.
        items: What it reads; one with an `error` has no vector.
        width: Numbers in a vector.

    """
    if not items:
        return np.zeros((0, width))
    with torch.inference_mode():
        found = np.array(vectors(items).cpu().numpy(), np.float64)
    wrong = [getattr(item, "error", None) is not None for item in items]
    found[wrong] = np.nan
    return found


def fit_classifier(
    network: Any,  # noqa: ANN401 - a module with `vectors` and a last layer `head`
    settings: EncoderSettings,
    read: Callable[[Examples, Sequence[str]], LabelledTexts],
    examples: Examples,
    dev: Examples | None,
    *,
    kind: str,
    same: Mapping[str, Any],
    seed: int,
    out: Path,
    progress: Progress,
    batch: Callable[[Sequence[Any]], Any] = list,
) -> list[dict[str, Any]]:
    """Fit a network, and return the history of its epochs.

    Args:
        network: What is trained: `network(batch)` are logits, and `network.vectors`
            what its last layer, `head`, reads.
        settings: Of the training.
        read: Encodes examples, with the further columns that are named.
        examples: What to learn from.
        dev: What to stop early by.
        kind: Of model, which the one to begin from must be.
        same: Entries of config.json that it must share.
        seed: Decides the order of examples and dropout.
        out: Where the state is kept.
        progress: Follows the epochs.
        batch: Makes of items what the network reads.

    Raises:
        UsageError: The model to begin from is unsuited, or so is the objective.
        DataError: Examples cannot be read.

    """
    objective = settings.made_objective()
    train = read(examples, objective.columns)
    if settings.start is not None:
        begin_from(
            network,
            settings.start.expanduser(),
            kind=kind,
            labels=train.labels,
            head="head",
            same=same,
        )
    learner = ClassifierLearner(
        network=network,
        logits=lambda items: network(batch(items)),
        vectors=lambda items: network.vectors(batch(items)),
        objective=objective,
        train=train,
        dev=None if dev is None else read(dev, ()),
    )
    return fit_by_adamw(
        learner,
        settings,
        groups=settings.groups(network),
        seed=seed,
        out=out,
        progress=progress,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedEncoder(Generic[_S]):
    """How networks of a kind are built for examples, and how they read them.

    Attributes:
        kind: Name of the kind.
        labels: Names of the labels, by number.
        build: Returns a network of some settings, with random weights.
        read: Encodes examples, with the further columns that are named.
        batch: Makes of items what a network reads.

    """

    kind: str
    labels: tuple[str, ...]
    build: Callable[[_S], Any]
    read: Callable[[Examples, Sequence[str]], LabelledTexts]
    batch: Callable[[Sequence[Any]], Any] = list


def fit_prepared(
    ready: PreparedEncoder[_S],
    settings: _S,
    examples: Examples,
    dev: Examples | None,
    *,
    same: Callable[[Any], Mapping[str, Any]],
    seed: int,
    out: Path,
    progress: Progress,
) -> tuple[Any, list[dict[str, Any]]]:
    """Build a network, fit it, and return it with the history of its epochs.

    Args:
        ready: How it is built.
        settings: Of the training.
        examples: What to learn from.
        dev: What to stop early by.
        same: Entries of config.json that the model to begin from must share, of the
            network.
        seed: Decides first weights, the order of examples and dropout.
        out: Where the state is kept.
        progress: Follows the epochs.

    Raises:
        UsageError: The model to begin from is unsuited, or so is the objective.
        DataError: Examples cannot be read.

    """
    network = seeded(lambda: ready.build(settings), seed)
    history = fit_classifier(
        network,
        settings,
        ready.read,
        examples,
        dev,
        kind=ready.kind,
        same=same(network),
        seed=seed,
        out=out,
        progress=progress,
        batch=ready.batch,
    )
    return network, history
