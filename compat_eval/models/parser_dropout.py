"""Dropout with one mask for a sentence or a token, also at the time of answering.

Variational dropout: Gal and Ghahramani, "A Theoretically Grounded Application of
Dropout in Recurrent Neural Networks", NeurIPS 2016,
https://arxiv.org/abs/1512.05287.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class SharedDropout(nn.Module):
    """Leaves out the same numbers of a vector at every token of a sentence.

    Attributes:
        p: Share that is left out in training.
        sampling: Share that is left out now, whether training or not; `None`
            for what is usual. See `sampled`.

    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p
        self.sampling: float | None = None

    def forward(self, states: Tensor) -> Tensor:
        """Drop from states of shape (n_sentences, width, n_numbers)."""
        p = _share(self)
        if not p:
            return states
        kept = torch.empty_like(states[:, :1]).bernoulli_(1 - p)
        return states * (kept / (1 - p))


class TokenDropout(nn.Module):
    """Leaves out whole embeddings of a token, and scales up its others.

    Attributes:
        p: Share that is left out in training.
        sampling: As for `SharedDropout`.

    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p
        self.sampling: float | None = None

    def forward(self, embeddings: Sequence[Tensor]) -> Tensor:
        """Join embeddings, each of shape (n_sentences, width, n_numbers)."""
        p = _share(self)
        if not p:
            return torch.cat(list(embeddings), dim=-1)
        first = embeddings[0]
        kept = torch.empty(
            (*first.shape[:2], len(embeddings)), device=first.device
        ).bernoulli_(1 - p)
        scale = kept * (len(embeddings) / kept.sum(dim=-1, keepdim=True).clamp(min=1))
        return torch.cat(
            [part * scale[..., at, None] for at, part in enumerate(embeddings)], dim=-1
        )


def _share(site: SharedDropout | TokenDropout) -> float:
    if site.sampling is not None:
        return site.sampling
    return site.p if site.training else 0.0


@contextmanager
def sampled(network: nn.Module, p: float, seed: int) -> Iterator[None]:
    """Switch on dropout, and nothing else, at rate `p` with a seed of its own.

    Everything is as before afterwards: rates, training mode and torch's random
    numbers.
    """
    sites = [
        m for m in network.modules() if isinstance(m, SharedDropout | TokenDropout)
    ]
    before = [site.sampling for site in sites]
    with torch.random.fork_rng(devices=_devices(network)):
        torch.manual_seed(seed)
        try:
            for site in sites:
                site.sampling = p
            yield
        finally:
            for site, sampling in zip(sites, before, strict=True):
                site.sampling = sampling


def _devices(network: nn.Module) -> list[torch.device]:
    used = {parameter.device for parameter in network.parameters()}
    return [device for device in used if device.type == "cuda"]
