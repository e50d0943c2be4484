"""A small language model that was trained here: what it says, and how it is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch
from tokenizers import Tokenizer
from torch import Tensor

from compat_eval.core.arrays import Ints, Values
from compat_eval.core.errors import CapabilityError
from compat_eval.core.files import read_json
from compat_eval.models.language_models.likelihood import (
    EncodedDocument,
    encoded_documents,
    log_likelihoods,
)
from compat_eval.models.language_models.network import (
    CausalNetwork,
    RecurrentNetwork,
    TransformerNetwork,
)
from compat_eval.models.language_models.tokens import (
    BEGIN,
    read_tokenizer,
    token_ids,
)
from compat_eval.models.training.saved_weights import read_weights

NETWORKS: Mapping[str, type[CausalNetwork]] = {
    "gru": RecurrentNetwork,
    "transformer": TransformerNetwork,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallLanguageModel:
    """Tells how probable documents are.

    Attributes:
        network: Its network.
        tokenizer: Cuts texts into its tokens.
        longest: How many tokens it reads at once.

    """

    network: CausalNetwork
    tokenizer: Tokenizer
    longest: int

    def encode(self, inputs: Sequence[Any]) -> list[EncodedDocument]:
        """Return one item an input; `len(item)` is its length in tokens."""
        begin = self.tokenizer.token_to_id(BEGIN)
        return encoded_documents(inputs, self._tokens, begin)

    def _tokens(self, texts: list[str]) -> list[list[int]]:
        return token_ids(self.tokenizer, texts)

    def predict(self, items: Sequence[EncodedDocument]) -> pa.Table:
        """Refuse: a language model says how probable documents are.

        Raises:
            CapabilityError: Always.

        """
        raise CapabilityError(
            "a language model answers no questions, it says how probable documents "
            "are; compare it on a suite whose task is language_modeling"
        )

    def log_likelihood(self, items: Sequence[EncodedDocument]) -> tuple[Values, Ints]:
        """Return log p of documents in nats, and of how many tokens it is the sum.

        Shape (n_items,) each; nan for what is no text.
        """
        return log_likelihoods(
            items,
            longest=self.longest,
            hidden=self._hidden,
            logits=self.network.logits,
            n_tokens=len(self.network.tokens),
        )

    def _hidden(self, ids: Ints, mask: Ints) -> Tensor:
        device = self.network.tokens.device
        return self.network.hidden(torch.from_numpy(ids).to(device))


def load(
    directory: Path,
    *,
    labels: tuple[str, ...],  # noqa: ARG001 - it has none
    device: str,
) -> SmallLanguageModel:
    """Read what a training wrote.

    Raises:
        ModelError: The weights do not fit the configuration, or the tokenizer is
            damaged.

    """
    config = read_json(directory / "config.json")
    network = NETWORKS[config["network"]](**config["sizes"])
    read_weights(network, directory, device)
    return SmallLanguageModel(
        network=network,
        tokenizer=read_tokenizer(directory),
        longest=int(config["longest"]),
    )
