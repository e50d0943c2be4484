"""What is linearised of a classifier: the last layers of an encoder, and a head."""

import copy
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import normalize

from compat_eval.core.arrays import Values
from compat_eval.core.errors import ModelError
from compat_eval.models.encoders.sentences import FrozenEncoder
from compat_eval.models.encoders.text_items import TextItem
from compat_eval.models.linearised.tangent import SLOPE, leaky

_HIDDEN_SEED = 0
"""Of a hidden layer's weights: a constant, so that they never differ."""

_TEXTS_AT_ONCE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearisedSizes:
    """What a linearised top is made of.

    Attributes:
        width: Numbers of a vector that enters.
        layers: How many of the encoder's last layers it has.
        hidden: Units of a hidden layer of leaky ReLUs below the head; 0 for none. Its
            weights are drawn by a constant seed.
        train_hidden: Whether they are trained too, to first order.
        leaky: Whether the encoder's layers get leaky ReLUs in place of their own
            activations.
        slope: Of leaky ReLUs below 0.

    """

    width: int
    layers: int = 0
    hidden: int = 0
    train_hidden: bool = False
    leaky: bool = False
    slope: float = SLOPE

    @property
    def head_only(self) -> bool:
        """Whether the head alone is trained: its features stay as they are."""
        return not self.layers and not (self.hidden and self.train_hidden)

    def as_json(self) -> dict[str, Any]:
        """Return the sizes by name."""
        return asdict(self)


class LinearisedTop(nn.Module):
    """From what enters an encoder's last layers to outputs, one for each label.

    Texts of a batch have equally many tokens, so nothing is padded. The head begins as
    zeros.

    Args:
        layers: The encoder's last layers, which take and return states of tokens, shape
            (n_texts, n_tokens, width); none where vectors of whole texts enter, shape
            (n_texts, width). They are copied.
        sizes: What it is made of.
        n_labels: How many labels there are.

    """

    def __init__(
        self, layers: Sequence[nn.Module], sizes: LinearisedSizes, n_labels: int
    ) -> None:
        super().__init__()
        self.sizes = sizes
        self.layers = nn.ModuleList(copy.deepcopy(layer) for layer in layers)
        if sizes.leaky:
            leaky(self.layers, sizes.slope)
        self.hidden: nn.Module | None = None
        if sizes.hidden:
            self.hidden = _drawn(sizes)
        self.head = nn.Linear(sizes.hidden or sizes.width, n_labels)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        self.eval()

    def features(self, inputs: Tensor) -> Tensor:
        """Return what the head reads, shape (n_texts, hidden or width)."""
        # Other kernels of attention have no forward derivative.
        with sdpa_kernel(SDPBackend.MATH):
            for layer in self.layers:
                made: Any = layer(inputs)
                inputs = made[0] if isinstance(made, tuple) else made
        vectors = inputs.mean(dim=-2) if self.layers else inputs
        # Length √width makes a mean square of 1: one ridge fits every encoder.
        vectors = normalize(vectors, dim=-1) * self.sizes.width**0.5
        if self.hidden is not None:
            vectors = self.hidden(vectors)
        found: Tensor = vectors
        return found

    def forward(self, inputs: Tensor) -> Tensor:
        """Return outputs, shape (n_texts, n_labels)."""
        outputs: Tensor = self.head(self.features(inputs))
        return outputs


@dataclass(frozen=True, slots=True)
class TopInputs:
    """What enters a linearised top, one tensor a text."""

    each: Sequence[Tensor]

    @classmethod
    def of_vectors(cls, vectors: Values) -> "TopInputs":
        """Take vectors of whole texts, shape (n_texts, width)."""
        return cls(list(torch.from_numpy(vectors.astype(np.float32))))

    def __len__(self) -> int:
        return len(self.each)

    def taken(self, rows: Sequence[int]) -> Tensor:
        """Return texts of one shape as one tensor."""
        return torch.stack([self.each[row] for row in rows])

    def blocks(self, size: int) -> list[list[int]]:
        """Return the rows in blocks of one shape, so that nothing is padded.

        Args:
            size: Most texts of a block.

        """
        by_shape: dict[tuple[int, ...], list[int]] = {}
        for row, one in enumerate(self.each):
            by_shape.setdefault(tuple(one.shape), []).append(row)
        return [
            rows[at : at + size]
            for _, rows in sorted(by_shape.items())
            for at in range(0, len(rows), size)
        ]


def last_layers(encoder: Any, layers: int, directory: object) -> list[nn.Module]:  # noqa: ANN401
    """Return the last layers of an encoder of transformers.

    Raises:
        ModelError: There are not as many, or they are not where BERT and its kind have
            them.

    """
    own = getattr(getattr(encoder, "encoder", None), "layer", None)
    if not isinstance(own, nn.ModuleList):
        raise ModelError(
            f"{directory}: a {type(encoder).__name__}; lqf knows the layers of BERT "
            "and its kind (bert, roberta, electra, camembert); layers: 0 fits every "
            "encoder"
        )
    if layers > len(own):
        raise ModelError(
            f"{directory}: has {len(own)} layers; layers: {layers} is too many"
        )
    return list(own[len(own) - layers :])


def without_layers(
    encoder: FrozenEncoder, items: Sequence[TextItem], layers: int
) -> list[Tensor]:
    """Return the states of each text's tokens below an encoder's last layers.

    Shape (n_tokens, width) each.

    Args:
        encoder: The whole encoder.
        items: Texts without error.
        layers: How many of its layers are left out.

    """
    found: list[Tensor] = [torch.empty(0)] * len(items)
    lengths = np.array([len(item) for item in items])
    for length in np.unique(lengths):
        alike = np.flatnonzero(lengths == length)
        for at in range(0, len(alike), _TEXTS_AT_ONCE):
            rows = alike[at : at + _TEXTS_AT_ONCE].tolist()
            for row, state in zip(
                rows, _states(encoder, [items[r] for r in rows], layers), strict=True
            ):
                found[row] = state.clone()
    return found


def _states(encoder: FrozenEncoder, items: Sequence[TextItem], layers: int) -> Tensor:
    device = encoder.network.device
    ids = torch.tensor([list(item.ids) for item in items], device=device)
    more = {}
    if any(item.segments is not None for item in items):
        kinds = [item.segments or [0] * len(item) for item in items]
        more["token_type_ids"] = torch.tensor(kinds, device=device)
    with torch.no_grad():
        made = encoder.network(ids, output_hidden_states=True, **more)
    states: Tensor = made.hidden_states[-1 - layers]
    return states


def _drawn(sizes: LinearisedSizes) -> nn.Module:
    """Return a hidden layer of random units, the same always."""
    linear = nn.Linear(sizes.width, sizes.hidden)
    random = torch.Generator().manual_seed(_HIDDEN_SEED)
    with torch.no_grad():
        linear.weight.normal_(0.0, sizes.width**-0.5, generator=random)
        linear.bias.normal_(0.0, 0.5, generator=random)
    linear.requires_grad_(sizes.train_hidden)
    return nn.Sequential(linear, nn.LeakyReLU(sizes.slope))
