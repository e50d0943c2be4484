"""A linearised classifier of texts on a pretrained encoder, as it answers.

Its outputs are f(x; w₀) + J(x; w₀)·d. Where the head alone is trained that is a linear
head on fixed features. Otherwise the encoder's last layers move too, to first order:
they are part of w₀ and d, and what lies below them stays as it is.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from compat_eval.core.arrays import Array, Values
from compat_eval.core.files import read_json
from compat_eval.core.fingerprint import digest
from compat_eval.models.classifiers.answers import answer_table
from compat_eval.models.encoders.sentences import (
    FrozenEncoder,
    FrozenEncoderSource,
    encoder_below,
    refer_to,
)
from compat_eval.models.encoders.text_items import TextItem, with_item_errors
from compat_eval.models.linearised.network import (
    LinearisedSizes,
    LinearisedTop,
    TopInputs,
    last_layers,
    without_layers,
)
from compat_eval.models.linearised.tangent import Tangent
from compat_eval.models.training.saved_weights import (
    require_fit,
    weights_of,
    with_weights,
    write_model,
)

KIND = "lqf"
"""What such models are called."""

_STEP = "step."
_BLOCK = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearisedClassifier:
    """A linearised classifier and the encoder that it reads.

    Attributes:
        top: What is linearised, at w₀.
        step: d; `None` where the head alone was trained, which then is in w₀.
        encoder: Gives what `top` reads.
        source: Where the encoder is.
        loss: Of which loss it is the minimum, see `save`.
        labels: Names of its labels, by id.

    """

    top: LinearisedTop
    step: Tensor | None
    encoder: FrozenEncoder
    source: FrozenEncoderSource
    loss: Mapping[str, float]
    labels: tuple[str, ...]

    def encode(self, inputs: Sequence[Any]) -> list[TextItem]:
        """Return one item an input; `len(item)` is its length in tokens."""
        return self.encoder.encode(inputs)

    def predict(self, items: Sequence[TextItem]) -> pa.Table:
        """Answer a batch: `prediction`, `score`, `margin`, `error` and `truncated`."""
        return with_item_errors(answer_table(self.logits(items), self.labels), items)

    def embed(self, items: Sequence[TextItem]) -> Values:
        """Return the features that the head reads at w₀; nan for items in error."""
        width = self.top.head.in_features
        return self._each(items, width, self.top.features)

    def logits(self, items: Sequence[TextItem]) -> Values:
        """Return outputs, shape (n_items, n_labels); nan for items in error."""
        n_labels, step = len(self.labels), self.step
        if step is None:
            return self._each(items, n_labels, self.top)
        tangent = Tangent.of(self.top)
        return self._each(items, n_labels, lambda block: tangent.linear(block, step))

    @property
    def weights(self) -> dict[str, Array]:
        """What outputs are linear in: the head, or the step; by name.

        So a mean of weights has the mean of the outputs (Liu and Soatto, "Tangent Model
        Composition", ICCV 2023, https://arxiv.org/abs/2307.08114).
        """
        if self.step is None:
            return weights_of(self.top.head)
        named = Tangent.of(self.top).named(self.step)
        return {name: tensor.cpu().numpy().copy() for name, tensor in named.items()}

    @property
    def label_axes(self) -> dict[str, int]:
        """Tensors with an entry for each label."""
        before = "" if self.step is None else "head."
        return {f"{before}weight": 0, f"{before}bias": 0}

    @property
    def built_as(self) -> dict[str, Any]:
        """What decides what the tensors mean: the encoder, the sizes, and w₀."""
        encoder = {"sha256": self.source.sha256(), "longest": self.source.longest}
        built = {"kind": KIND, "encoder": encoder, **self.top.sizes.as_json()}
        if self.step is not None:
            w0 = {k: v.tolist() for k, v in weights_of(self.top.head).items()}
            built["w0"] = digest([w0, list(self.labels)])
        return built

    def with_weights(self, weights: Mapping[str, Array]) -> "LinearisedClassifier":
        """Return a copy with another head or step."""
        if self.step is None:
            top = copy.deepcopy(self.top)
            top.head = with_weights(top.head, weights)
            return replace(self, top=top)
        tensors = {k: torch.from_numpy(v).to(self.step) for k, v in weights.items()}
        return replace(self, step=Tangent.of(self.top).flat(tensors))

    def save(self, directory: Path) -> None:
        """Write what `load` reads; the encoder stays where it is."""
        save(
            directory,
            self.top,
            self.step,
            labels=self.labels,
            encoder=refer_to(self.source, directory),
            loss=self.loss,
        )

    def _each(self, items: Sequence[TextItem], width: int, run: Any) -> Values:  # noqa: ANN401
        found = np.full((len(items), width), np.nan)
        good = [row for row, item in enumerate(items) if item.error is None]
        items = [items[row] for row in good]
        inputs = read_inputs(self.encoder, items, self.top.sizes.layers)
        with torch.no_grad():
            for rows in inputs.blocks(_BLOCK):
                block = run(inputs.taken(rows).to(self.top.head.weight.device))
                found[[good[row] for row in rows]] = block.cpu().numpy()
        return found


def read_inputs(
    encoder: FrozenEncoder, items: Sequence[TextItem], layers: int
) -> TopInputs:
    """Return what a linearised top reads of texts: vectors, or states of tokens.

    Args:
        encoder: The whole encoder.
        items: Texts without error.
        layers: How many of the encoder's last layers the top has.

    """
    if not layers:
        return TopInputs.of_vectors(encoder.embed(items))
    return TopInputs(without_layers(encoder, items, layers))


def load(
    directory: Path, *, labels: tuple[str, ...], device: str
) -> LinearisedClassifier:
    """Read what `train` wrote.

    Raises:
        ModelError: The weights do not fit the configuration, or the encoder is not
            the one that it was trained on.

    """
    config = read_json(directory / "config.json")
    source = encoder_below(directory, config, device=device)
    encoder = source.load()
    top = empty_top(encoder, LinearisedSizes(**config["sizes"]), len(labels), directory)
    w0, moved = parted(load_file(directory / "model.safetensors"))
    require_fit(directory, w0, top.state_dict())
    top.load_state_dict(w0)
    top.to(device).eval()
    step = None
    if moved:
        tangent = Tangent.of(top)
        require_fit(directory, moved, tangent.weights)
        step = tangent.flat(moved).to(device)
    return LinearisedClassifier(
        top=top,
        step=step,
        encoder=encoder,
        source=source,
        loss=config["loss"],
        labels=labels,
    )


def parted(saved: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return w₀ and d by name, of tensors that `save` wrote; d is empty for a head."""
    w0 = {k: v for k, v in saved.items() if not k.startswith(_STEP)}
    moved = {k.removeprefix(_STEP): v for k, v in saved.items() if k.startswith(_STEP)}
    return w0, moved


def save(
    out: Path,
    top: LinearisedTop,
    step: Tensor | None,
    *,
    labels: Sequence[str],
    encoder: Mapping[str, Any],
    loss: Mapping[str, Any],
) -> None:
    """Write a linearised classifier.

    Args:
        out: Directory.
        top: What is linearised, at w₀.
        step: d; `None` where the head holds the solution.
        labels: Names of its labels.
        encoder: What `refer_to` says of the encoder.
        loss: Of which loss it is the minimum: `ridge`, `weight` and `target`.

    """
    weights = {name: w.contiguous() for name, w in top.state_dict().items()}
    if step is not None:
        moved = Tangent.of(top).named(step)
        weights |= {f"{_STEP}{name}": w.contiguous() for name, w in moved.items()}
    config = {
        "encoder": dict(encoder),
        "sizes": top.sizes.as_json(),
        "loss": dict(loss),
        "labels": list(labels),
    }
    write_model(out, weights, KIND, config)


def empty_top(
    encoder: FrozenEncoder | None,
    sizes: LinearisedSizes,
    n_labels: int,
    directory: object,
) -> LinearisedTop:
    """Return a top whose layers are the encoder's and whose head is all zeros.

    Args:
        encoder: The whole encoder; `None` where none of its layers are in the top.
        sizes: Of the top.
        n_labels: How many labels there are.
        directory: What is named in errors.

    Raises:
        ModelError: The encoder has not as many layers, or they are not known.

    """
    layers: list[nn.Module] = []
    if encoder is not None and sizes.layers:
        layers = last_layers(encoder.network, sizes.layers, directory)
    return LinearisedTop(layers, sizes, n_labels)
