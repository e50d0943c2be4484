"""What a server and the machines of clients send each other.

A machine holds one client or several. What it sends are sums, counts and names of
clients and periods: no text, no id and no gradient of a sample.

| message | the server sends | a machine answers |
|---|---|---|
| `begin` | model and first weights | its clients' numbers of samples, nats of tests |
| `steps` | weights, how to train | of each client asked: sum, and how much it counts |
| `keep` | weights, means so far | a client's gradient sum; at last counts and nats |
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, Protocol, TypeAlias

from tokenizers import Tokenizer
from torch import Tensor

from compat_eval.federated.problem import use_weights
from compat_eval.models.language_models.model import NETWORKS, SmallLanguageModel
from compat_eval.models.language_models.training import LanguageModelSettings

Action: TypeAlias = Literal["begin", "steps", "keep"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What one message holds.

    Attributes:
        facts: JSON-ready.
        arrays: By name.

    """

    facts: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    arrays: Mapping[str, Tensor] = field(default_factory=lambda: MappingProxyType({}))


class Exchange(Protocol):
    """Carries messages to machines."""

    def machines(self) -> Sequence[int]:
        """Return who is there now, sorted."""

    def ask(
        self, action: Action, payloads: Mapping[int, Payload]
    ) -> Mapping[int, Payload]:
        """Return the answers of those that did not fail."""


def told_model(
    model: SmallLanguageModel, settings: LanguageModelSettings
) -> dict[str, Any]:
    """Return what a machine needs to know of a model, beside its weights."""
    return {
        "network": settings.network,
        "sizes": settings.sizes(len(model.network.tokens)),
        "longest": model.longest,
        "tokenizer": model.tokenizer.to_str(),
    }


def heard_model(told: Mapping[str, Any], weights: Tensor) -> SmallLanguageModel:
    """Return the model that a message describes."""
    network = NETWORKS[told["network"]](**told["sizes"])
    use_weights(network, weights)
    network.eval()
    return SmallLanguageModel(
        network=network,
        tokenizer=Tokenizer.from_str(told["tokenizer"]),
        longest=int(told["longest"]),
    )
