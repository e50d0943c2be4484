"""From the states of a text's tokens to its vector: pooling, layers, normalisation.

In numpy, so that it is the same for every engine that gives states. Pooling modes and
layers are those of sentence-transformers: Reimers and Gurevych, "Sentence-BERT", EMNLP
2019, https://arxiv.org/abs/1908.10084; `weightedmean`: Muennighoff, "SGPT", 2022,
https://arxiv.org/abs/2202.08904.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf, expit

from compat_eval.core.arrays import Ints

Singles = NDArray[np.float32]

POOLINGS = ("cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken")
"""How the states of tokens become one vector."""

_LEAST = np.float32(1e-9)
_SHORTEST = np.float32(1e-12)
_EPSILON = np.float32(1e-5)


class VectorStep(Protocol):
    """A layer behind the pooling."""

    def __call__(self, vectors: Singles) -> Singles:
        """Return new vectors, shape (n, width)."""

    def describe(self) -> dict[str, Any]:
        """Return JSON-ready provenance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooling:
    """One vector of the states of a text's tokens.

    Attributes:
        modes: Of `POOLINGS`; the vectors of several are put side by side.
        with_prompt: Whether the tokens of a prompt count.

    """

    modes: tuple[str, ...]
    with_prompt: bool = True

    def __call__(self, states: Singles, mask: Ints, n_prompt: int) -> Singles:
        """Pool a batch that is padded on the right.

        Args:
            states: Shape (n_texts, n_tokens, width).
            mask: 1 for the tokens of a text, 0 for padding, shape (n_texts, n_tokens).
            n_prompt: How many tokens of each text are its prompt.

        """
        kept = mask.astype(np.float32)
        if not self.with_prompt:
            kept[:, :n_prompt] = 0
        return np.concatenate([_pooled(m, states, kept) for m in self.modes], axis=1)


def _pooled(mode: str, states: Singles, kept: Singles) -> Singles:
    rows = np.arange(len(states))
    if mode == "cls":
        return np.asarray(states[rows, kept.argmax(axis=1)])
    if mode == "lasttoken":
        return np.asarray(states[rows, kept.shape[1] - 1 - kept[:, ::-1].argmax(1)])
    if mode == "max":
        outside = np.where(kept[:, :, None] > 0, states, np.float32(-np.inf))
        return np.asarray(outside.max(axis=1))
    places = np.arange(1, kept.shape[1] + 1, dtype=np.float32)
    weights = kept * places if mode == "weightedmean" else kept
    sums = np.einsum("ntd,nt->nd", states, weights)
    total = np.maximum(weights.sum(axis=1, keepdims=True), _LEAST)
    if mode == "mean_sqrt_len_tokens":
        total = np.sqrt(total)
    return np.asarray(sums / total, np.float32)


@dataclass(frozen=True, slots=True)
class Normalise:
    """Length 1; a vector of zeros stays one."""

    def __call__(self, vectors: Singles) -> Singles:
        """Return each vector divided by its length."""
        long = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.maximum(long, _SHORTEST), np.float32)

    def describe(self) -> dict[str, Any]:
        """Return its name."""
        return {"layer": "normalise"}


def _identity(values: Singles) -> Singles:
    return values


def _relu(values: Singles) -> Singles:
    return np.maximum(values, np.float32(0))


def _gelu(values: Singles) -> Singles:
    return np.asarray(values * (1 + erf(values / np.sqrt(2))) / 2, np.float32)


ACTIVATIONS: Mapping[str, Callable[[Singles], Singles]] = MappingProxyType(
    {
        "GELU": _gelu,
        "Identity": _identity,
        "ReLU": _relu,
        "Sigmoid": expit,
        "Tanh": np.tanh,
    }
)
"""By the name of the class in torch.nn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dense:
    """A linear layer with an activation, and perhaps a residual connection.

    Attributes:
        weight: Shape (width out, width in).
        bias: Shape (width out,), or `None`.
        activation: Of `ACTIVATIONS`.
        residual: What projects the input that is added to the output; `None` where
            nothing is added, the identity where both are of one width.

    """

    weight: Singles
    bias: Singles | None
    activation: str
    residual: Singles | None = None

    def __call__(self, vectors: Singles) -> Singles:
        """Return the layer's output."""
        out = vectors @ self.weight.T
        out = ACTIVATIONS[self.activation](
            out if self.bias is None else out + self.bias
        )
        return out if self.residual is None else out + vectors @ self.residual.T

    def describe(self) -> dict[str, Any]:
        """Return its name and widths."""
        wide, narrow = self.weight.shape
        return {"layer": "dense", "from": narrow, "to": wide, "then": self.activation}


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerNorm:
    """Mean 0 and variance 1 within a vector, then a scale and a shift a number.

    Attributes:
        scale: Shape (width,).
        shift: Shape (width,).

    """

    scale: Singles
    shift: Singles

    def __call__(self, vectors: Singles) -> Singles:
        """Return the layer's output."""
        middle = vectors - vectors.mean(axis=1, keepdims=True)
        spread = np.sqrt(middle.var(axis=1, keepdims=True) + _EPSILON)
        return np.asarray(middle / spread * self.scale + self.shift, np.float32)

    def describe(self) -> dict[str, Any]:
        """Return its name."""
        return {"layer": "layer norm"}


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorHead:
    """What makes a vector of states.

    Attributes:
        pooling: How states become one vector; `None` where the network pools itself.
        steps: Layers behind it, in their order.

    """

    pooling: Pooling | None
    steps: Sequence[VectorStep] = ()

    @property
    def normalised(self) -> bool:
        """Whether every vector has length 1."""
        return bool(self.steps) and isinstance(self.steps[-1], Normalise)

    def describe(self) -> dict[str, Any]:
        """Return JSON-ready provenance: it decides what a vector is."""
        pooled = self.pooling
        return {
            "pooling": None if pooled is None else list(pooled.modes),
            "prompt_is_pooled": pooled is None or pooled.with_prompt,
            "steps": [step.describe() for step in self.steps],
        }

    def __call__(self, states: Singles, mask: Ints, n_prompt: int) -> Singles:
        """Return vectors, shape (n_texts, width)."""
        pooled = self.pooling
        vectors = states if pooled is None else pooled(states, mask, n_prompt)
        for step in self.steps:
            vectors = step(vectors)
        return vectors
