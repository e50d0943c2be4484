"""A small convolutional classifier of images, and of recordings by their spectra.

By default three blocks of 3 × 3 convolution, group normalisation (Wu and He, "Group
Normalization", ECCV 2018, https://arxiv.org/abs/1803.08494: an answer then does not
depend on its batch), ReLU and pooling; then one linear layer on a 3 × 3 grid. Further
convolutions of a block are added to what they read (He et al., "Deep Residual Learning
for Image Recognition", CVPR 2016, https://arxiv.org/abs/1512.03385).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import torch
from pydantic import Field
from torch import Tensor, nn

from compat_eval.core.arrays import Values
from compat_eval.core.errors import DataError, UsageError, some
from compat_eval.core.examples import Examples
from compat_eval.core.files import read_json
from compat_eval.core.progress import Progress
from compat_eval.models.classifiers.answers import answer_table
from compat_eval.models.classifiers.media_settings import MediaSettings
from compat_eval.models.classifiers.training import LabelledTexts
from compat_eval.models.classifiers.vectors import (
    EncoderSettings,
    PreparedEncoder,
    embedded,
    fit_prepared,
    made_head,
    made_projection,
)
from compat_eval.models.encoders.media_features import MediaFeatures, MediaItem
from compat_eval.models.encoders.text_items import with_item_errors
from compat_eval.models.training.data import label_names, texts_and_labels
from compat_eval.models.training.saved_weights import read_weights, write_model
from compat_eval.models.training.train import Trainer

_GROUPS = 4
_GRID = 3
_SCALES = (0.5, 0.75, 1, 1.5, 2)
"""By which a search of architectures scales the channels of each block."""


class ConvolutionalNetwork(nn.Module):
    """From arrays to logits.

    Args:
        shape: Channels, height and width of an array.
        widths: Channels of each block.
        depths: How many convolutions each block has.
        n_labels: How many labels there are.
        projection: Dimensions of its vectors; 0 where these are the grid's states.
        cosine: Scale of a cosine classifier; 0 for a linear one.
        dropout: Share of the grid's states that training leaves out.
        shift: Most pixels by which training moves a batch.

    """

    def __init__(
        self,
        *,
        shape: Sequence[int],
        widths: Sequence[int],
        depths: Sequence[int],
        n_labels: int,
        projection: int = 0,
        cosine: float = 0.0,
        dropout: float = 0.0,
        shift: int = 0,
    ) -> None:
        super().__init__()
        channels = [shape[0], *widths]
        blocks: list[nn.Module] = []
        for before, after in pairwise(channels):
            blocks += [
                nn.Conv2d(before, after, 3, padding=1),
                nn.GroupNorm(_GROUPS, after),
                nn.ReLU(),
                nn.MaxPool2d(2, ceil_mode=True),
            ]
        self.blocks = nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(_GRID))
        self.further = nn.ModuleList(
            nn.ModuleList(_FurtherConvolution(one) for _ in range(depth - 1))
            for one, depth in zip(widths, depths, strict=True)
        )
        self.dropout = nn.Dropout(dropout)
        states = channels[-1] * _GRID**2
        self.projection = made_projection(states, projection)
        self.head = made_head(projection or states, n_labels, cosine)
        self.shift = shift

    def forward(self, arrays: Tensor) -> Tensor:
        """Return logits, shape (n_items, n_labels)."""
        logits: Tensor = self.head(self.vectors(arrays))
        return logits

    def vectors(self, arrays: Tensor) -> Tensor:
        """Return what the last layer reads, shape (n_items, dimension)."""
        if self.training and self.shift:
            moves = torch.randint(-self.shift, self.shift + 1, (2,)).tolist()
            arrays = torch.roll(arrays, moves, dims=(-2, -1))
        for at, layer in enumerate(self.blocks):
            if isinstance(layer, nn.MaxPool2d):
                for further in self.further.get_submodule(str(at // 4)).children():
                    arrays = further(arrays)
            arrays = layer(arrays)
        states = arrays.flatten(start_dim=1)
        found: Tensor = self.projection(self.dropout(states))
        return found


class _FurtherConvolution(nn.Module):
    """A convolution whose result is added to what it reads."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1), nn.GroupNorm(_GROUPS, width)
        )

    def forward(self, arrays: Tensor) -> Tensor:
        """Return arrays of the same shape."""
        found: Tensor = arrays + self.layers(arrays).relu()
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvolutionalClassifier:
    """A trained network with its features and label names.

    Attributes:
        network: Gives logits.
        features: How it reads inputs.
        labels: Names of its labels, by id.

    """

    network: ConvolutionalNetwork
    features: MediaFeatures
    labels: tuple[str, ...]

    def encode(self, inputs: Sequence[Any]) -> list[MediaItem]:
        """Return one item an input: a data URI of an image, or of a recording."""
        return self.features.encode(inputs)

    def predict(self, items: Sequence[MediaItem]) -> pa.Table:
        """Answer a batch: `prediction`, `score`, `margin`, `error` and `truncated`."""
        return with_item_errors(answer_table(self.logits(items), self.labels), items)

    def logits(self, items: Sequence[MediaItem]) -> Values:
        """Return logits, shape (n_items, n_labels); nan for items in error."""
        if not items:
            return np.zeros((0, len(self.labels)))
        with torch.inference_mode():
            found = self.network(stacked(items, self.network.head.weight.device))
        logits = np.array(found.cpu().numpy(), np.float64)
        logits[[item.error is not None for item in items]] = np.nan
        return logits

    def embed(self, items: Sequence[MediaItem]) -> Values:
        """Return what the last layer reads, shape (n_items, dimension)."""
        weight = self.network.head.weight

        def vectors(some: Sequence[MediaItem]) -> Tensor:
            return self.network.vectors(stacked(some, weight.device))

        return embedded(vectors, items, width=weight.shape[1])


def stacked(items: Sequence[MediaItem], device: torch.device) -> Tensor:
    """Return the arrays of a batch as one tensor."""
    return torch.from_numpy(np.stack([item.array for item in items])).to(device)


def blocks_of(
    width: int, widths: list[int] | None, depths: list[int] | None
) -> tuple[list[int], list[int]]:
    """Return the channels and the number of convolutions of a network's blocks.

    Args:
        width: Of the first of three blocks; the others have twice as many channels.
        widths: Of each block, where they are not by `width`.
        depths: Convolutions of each block; by default 1.

    Raises:
        UsageError: They are not equally many.

    """
    widths = widths or [width, 2 * width, 2 * width]
    depths = depths or [1] * len(widths)
    if len(widths) != len(depths):
        raise UsageError(
            f"settings: depths: {len(depths)} are given, of {len(widths)} blocks"
        )
    return widths, depths


def load(
    directory: Path, *, labels: tuple[str, ...], device: str
) -> ConvolutionalClassifier:
    """Read what `train` wrote.

    Raises:
        ModelError: The weights do not fit the configuration.

    """
    config = read_json(directory / "config.json")
    features = MediaFeatures(**config["features"])
    widths, depths = blocks_of(
        config["width"], config.get("widths"), config.get("depths")
    )
    network = ConvolutionalNetwork(
        shape=features.shape,
        widths=widths,
        depths=depths,
        n_labels=len(labels),
        projection=config["projection"],
        cosine=config["cosine"],
    )
    read_weights(network, directory, device)
    return ConvolutionalClassifier(network=network, features=features, labels=labels)


_Width = Annotated[int, Field(ge=_GROUPS, multiple_of=_GROUPS)]
_Depth = Annotated[int, Field(ge=1)]


class _ConvolutionalSettings(MediaSettings, EncoderSettings):
    """Settings of `--model cnn`."""

    width: int = Field(default=32, ge=_GROUPS, multiple_of=_GROUPS)
    """Channels of the first block; the others have twice as many."""
    widths: list[_Width] | None = Field(default=None, min_length=1)
    """Channels of each block, where they are not by `width`."""
    depths: list[_Depth] | None = Field(default=None, min_length=1)
    """Convolutions of each block; by default 1."""
    dropout: float = Field(default=0.3, ge=0, lt=1)
    shift: int = Field(default=2, ge=0)
    """Most pixels by which training moves a batch in each direction."""
    epochs: int = Field(default=25, ge=1)
    learning_rate: float = Field(default=3e-3, gt=0)
    weight_decay: float = Field(default=0.01, ge=0)
    clip: float = Field(default=5.0, gt=0)
    patience: int = Field(default=6, ge=1)

    def searched(self) -> Mapping[str, Sequence[Any]]:
        """Return the values of each size that a search chooses from."""
        widths, depths = blocks_of(self.width, self.widths, self.depths)
        found: dict[str, Sequence[int]] = {}
        for at, width in enumerate(widths):
            some = {max(_GROUPS, _GROUPS * round(width * x / _GROUPS)) for x in _SCALES}
            found[f"widths.{at}"] = sorted(some)
        for at, depth in enumerate(depths):
            found[f"depths.{at}"] = range(1, depth + 2)
        return found


def prepared(
    examples: Examples, settings: _ConvolutionalSettings
) -> PreparedEncoder[_ConvolutionalSettings]:
    """Return how networks for examples are built, and how they read them."""
    inputs, gold = texts_and_labels(examples)
    labels, device = label_names(gold), torch.device("cpu")
    features = settings.made_features(inputs)

    def build(chosen: _ConvolutionalSettings) -> ConvolutionalNetwork:
        widths, depths = blocks_of(chosen.width, chosen.widths, chosen.depths)
        return ConvolutionalNetwork(
            shape=features.shape,
            widths=widths,
            depths=depths,
            n_labels=len(labels),
            projection=chosen.projection,
            cosine=chosen.cosine,
            dropout=chosen.dropout,
            shift=chosen.shift,
        )

    return PreparedEncoder(
        kind="cnn",
        labels=labels,
        build=build,
        read=lambda some, columns: _read(some, features, labels, columns),
        batch=lambda items: stacked(items, device),
    )


def _train(
    examples: Examples,
    dev: Examples | None,
    settings: _ConvolutionalSettings,
    *,
    seed: int,
    out: Path,
    progress: Progress,
) -> list[dict[str, Any]]:
    features = settings.made_features(texts_and_labels(examples)[0]).config()
    ready = prepared(examples, settings)
    network, history = fit_prepared(
        ready,
        settings,
        examples,
        dev,
        same=lambda _: {"features": features},
        seed=seed,
        out=out,
        progress=progress,
    )
    names = ("width", "widths", "depths", "projection", "cosine")
    sizes = {name: getattr(settings, name) for name in names}
    config = {"features": features, **sizes, "labels": list(ready.labels)}
    write_model(out, network.state_dict(), "cnn", config)
    return history


train = Trainer(settings=_ConvolutionalSettings, run=_train, prepared=prepared)
"""Trains `--model cnn`."""


def _read(
    examples: Examples,
    features: MediaFeatures,
    labels: tuple[str, ...],
    columns: Sequence[str],
) -> LabelledTexts:
    """Return images or recordings with their labels.

    Raises:
        DataError: Some cannot be read.

    """
    read = LabelledTexts.of(examples, labels, features.encode, columns=columns)
    wrong = [at for at, item in enumerate(read.items) if item.error is not None]
    if wrong:
        ids = [examples.ids[at].as_py() for at in wrong]
        raise DataError(
            f"cannot train on {len(wrong)} examples ({some(ids)}): "
            f"{read.items[wrong[0]].error}"
        )
    return read
