"""What clients learn: a network, and the loss of each sample."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn.functional import cross_entropy
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from compat_eval.models.language_models.model import SmallLanguageModel

_TOGETHER = 128
"""Most samples that are computed at once."""
_NUMBERS = 1 << 25
"""Most numbers in the gradients that are taken at once: 128 MiB."""


class Problem(Protocol):
    """A network and samples that it learns from.

    The network's weights are those that were used last; whoever computes sets them.
    """

    @property
    def network(self) -> nn.Module:
        """The network; all of its parameters are learnt, and it has no buffers."""

    @property
    def names(self) -> Sequence[str]:
        """Id of each sample."""

    def batch(self, rows: Sequence[int]) -> tuple[Tensor, ...]:
        """Return inputs of some samples, shape (n_samples, …) each."""

    def losses(self, network: nn.Module, *batch: Tensor) -> Tensor:
        """Return the mean loss of each sample, shape (n_samples,)."""

    def sizes(self, rows: Sequence[int]) -> Tensor:
        """Return over how many units the loss of each sample is the mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageProblem:
    """Next tokens of texts: a `Problem`.

    Attributes:
        network: Returns logits of the next token at each, of token ids.
        names: Id of each text.
        tokens: Their token ids, shape (n_texts, longest); −1 behind the end. The first
            is context alone.

    """

    network: nn.Module
    names: Sequence[str]
    tokens: Tensor

    def batch(self, rows: Sequence[int]) -> tuple[Tensor, ...]:
        """Return token ids, as long as the longest of these texts."""
        ids = self.tokens[list(rows)]
        longest = int((ids >= 0).sum(1).max()) if len(ids) else 0
        return (ids[:, : max(longest, 2)],)

    def losses(self, network: nn.Module, *batch: Tensor) -> Tensor:
        """Return mean nats a token of each text; 0 of a text without tokens."""
        (ids,) = batch
        logits: Tensor = network(ids[:, :-1].clamp(min=0))
        targets = ids[:, 1:]
        # Rows of logits are much faster than the layout of images.
        nats = cross_entropy(
            logits.flatten(0, 1), targets.flatten(), ignore_index=-1, reduction="none"
        ).view_as(targets)
        return nats.sum(1) / (targets >= 0).sum(1).clamp(min=1)

    def entropies(self, network: nn.Module, *batch: Tensor) -> Tensor:
        """Return the mean entropy of the next token; 0 of a text without tokens."""
        (ids,) = batch
        there = ids[:, 1:] >= 0
        found = _entropy(network(ids[:, :-1].clamp(min=0)))
        return (found * there).sum(1) / there.sum(1).clamp(min=1)

    def sizes(self, rows: Sequence[int]) -> Tensor:
        """Return how many tokens of each text are predicted."""
        return (self.tokens[list(rows), 1:] >= 0).sum(1)


def language_problem(
    model: SmallLanguageModel, names: Sequence[str], texts: Sequence[str]
) -> LanguageProblem:
    """Return what a language model learns of texts, each cut to what it reads at once.

    Args:
        model: Whose network learns.
        names: Id of each text.
        texts: They.

    """
    rows = [list(one.ids)[: model.longest] for one in model.encode(texts)]
    tokens = torch.full((len(rows), model.longest), -1)
    for at, row in enumerate(rows):
        tokens[at, : len(row)] = torch.tensor(row)
    return LanguageProblem(network=model.network, names=names, tokens=tokens)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelProblem:
    """Labels of inputs: a `Problem`.

    Attributes:
        network: Returns logits of inputs, shape (n_samples, n_labels).
        names: Id of each sample.
        inputs: Shape (n_samples, …).
        labels: Numbers of the right labels, shape (n_samples,).

    """

    network: nn.Module
    names: Sequence[str]
    inputs: Tensor
    labels: Tensor

    def batch(self, rows: Sequence[int]) -> tuple[Tensor, ...]:
        """Return inputs and labels of some samples."""
        return self.inputs[list(rows)], self.labels[list(rows)]

    def losses(self, network: nn.Module, *batch: Tensor) -> Tensor:
        """Return nats of the right label of each sample."""
        inputs, labels = batch
        return cross_entropy(network(inputs), labels, reduction="none")

    def entropies(self, network: nn.Module, *batch: Tensor) -> Tensor:
        """Return the entropy of the label of each sample."""
        return _entropy(network(batch[0]))

    def sizes(self, rows: Sequence[int]) -> Tensor:
        """Return 1 for each sample."""
        return torch.ones(len(rows), dtype=torch.int64)


def weights_of(network: nn.Module) -> Tensor:
    """Return all weights of a network as one vector, a copy."""
    return parameters_to_vector(network.parameters()).detach().clone()


def use_weights(network: nn.Module, weights: Tensor) -> None:
    """Give a network the weights of a vector, which training then leaves as it is."""
    vector_to_parameters(weights.clone(), network.parameters())


def sample_gradients(
    problem: Problem,
    weights: Tensor,
    rows: Sequence[int],
    *,
    sketch: Tensor | None = None,
    last: bool = False,
) -> Tensor:
    """Return the loss gradient of each sample at some weights.

    Without dropout, each sample's loss being its mean: otherwise long ones would weigh
    more.

    Args:
        problem: Whose samples.
        weights: Of its network.
        rows: Which samples.
        sketch: Projects each gradient, shape (n_weights, d); the same for all clients,
            so that their sums live in one space. `None` for all weights.
        last: Whether only the last layer counts: 0 stands for other weights. Of
            language models it is the vectors of tokens, as input and as output.

    Returns:
        Shape (n_samples, n_weights), or (n_samples, d).

    """
    network = problem.network
    network.eval()
    use_weights(network, weights)
    every = {name: one.detach() for name, one in network.named_parameters()}
    learnt = _last_layer(network) if last else [*every]
    parameters = {name: every[name] for name in learnt}

    def loss(parameters: Mapping[str, Tensor], *sample: Tensor) -> Tensor:
        def called(*inputs: Tensor) -> Tensor:
            found: Tensor = functional_call(network, {**every, **parameters}, inputs)
            return found

        batch = tuple(one[None] for one in sample)
        return problem.losses(_Called(called), *batch)[0]

    found = []
    step = min(_TOGETHER, max(1, _NUMBERS // len(weights)))
    for start in range(0, len(rows), step):
        batch = problem.batch(rows[start : start + step])
        each = vmap(grad(loss), in_dims=(None, *[0] * len(batch)))(parameters, *batch)
        flat = _flattened(every, each, n=len(batch[0]))
        found.append(flat if sketch is None else flat @ sketch)
    width = len(weights) if sketch is None else sketch.shape[1]
    return torch.cat(found) if found else torch.zeros(0, width)


def _flattened(
    every: Mapping[str, Tensor], each: Mapping[str, Tensor], *, n: int
) -> Tensor:
    """Return gradients of n samples over all weights, 0 for those that lack one."""
    return torch.cat(
        [
            each[name].flatten(1) if name in each else one.new_zeros(n, one.numel())
            for name, one in every.items()
        ],
        dim=1,
    )


def _last_layer(network: nn.Module) -> list[str]:
    """Return the names of the weights from which the outputs follow."""
    named: list[str] | None = getattr(network, "last_layer", None)
    if named is not None:
        return named
    names = [name for name, _ in network.named_parameters()]
    owner = names[-1].rpartition(".")[0]
    return [name for name in names if name.rpartition(".")[0] == owner]


def sample_scores(
    of: Callable[..., Tensor], problem: Problem, weights: Tensor, rows: Sequence[int]
) -> Tensor:
    """Return what a problem's `losses` or `entropies` say of samples at some weights.

    Returns:
        Shape (n_samples,), in nats.

    """
    use_weights(problem.network, weights)
    problem.network.eval()
    with torch.inference_mode():
        found = [
            of(problem.network, *problem.batch(rows[start : start + _TOGETHER]))
            for start in range(0, len(rows), _TOGETHER)
        ]
    return torch.cat(found) if found else torch.zeros(0)


def _entropy(logits: Tensor) -> Tensor:
    """Return the entropy of each distribution in nats, shape (…)."""
    logs = logits.log_softmax(-1)
    return -(logs.exp() * logs).sum(-1)


class _Called(nn.Module):
    """A function in the place of a network."""

    def __init__(self, function: object) -> None:
        super().__init__()
        self.function = function

    def forward(self, *inputs: Tensor) -> Tensor:
        found: Tensor = self.function(*inputs)  # type: ignore[operator]
        return found


def random_sketch(n_weights: int, d: int, seed: int) -> Tensor:
    """Return a random projection to d numbers that keeps products in the mean.

    Returns:
        Shape (n_weights, d), of normal numbers with variance 1 / d.

    """
    random = torch.Generator().manual_seed(seed)
    found: Tensor = torch.randn(n_weights, d, generator=random) / math.sqrt(d)
    return found
