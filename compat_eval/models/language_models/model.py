"""A small language model that was trained here: what it says, and how it is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from tokenizers import Tokenizer

from compat_eval.core.arrays import Ints, Values
from compat_eval.core.errors import CapabilityError
from compat_eval.core.files import read_json
from compat_eval.core.token_scores import TokenScores
from compat_eval.models.language_models.likelihood import (
    DocumentReader,
    EncodedDocument,
    OutputLayer,
    encoded_documents,
    stride_of,
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
        stride: How many tokens each further window of a long document predicts; half
            a window where absent.

    """

    network: CausalNetwork
    tokenizer: Tokenizer
    longest: int
    stride: int | None = None

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

    def token_scores(self, items: Sequence[EncodedDocument]) -> TokenScores:
        """Return how well each token of some documents is predicted."""
        reader = DocumentReader(
            longest=self.longest,
            stride=stride_of(self.stride, self.longest),
            hidden=self.network.hidden,
            output=OutputLayer(weight=self.network.tokens),
        )
        return reader.token_scores(items, self.network.tokens.device)

    def log_likelihood(self, items: Sequence[EncodedDocument]) -> tuple[Values, Ints]:
        """Return log p of documents in nats, and of how many tokens it is the sum.

        Shape (n_items,) each; nan for what is no text.
        """
        found = self.token_scores(items)
        return found.totals(), found.n_tokens


def load(
    directory: Path,
    *,
    labels: tuple[str, ...],  # noqa: ARG001 - it has none
    device: str,
    stride: int | None = None,
) -> SmallLanguageModel:
    """Read what a training wrote.

    Raises:
        ModelError: The weights do not fit the configuration, the tokenizer is
            damaged, or the stride is more than a window.

    """
    config = read_json(directory / "config.json")
    stride_of(stride, int(config["longest"]))
    network = NETWORKS[config["network"]](**config["sizes"])
    read_weights(network, directory, device)
    return SmallLanguageModel(
        network=network,
        tokenizer=read_tokenizer(directory),
        longest=int(config["longest"]),
        stride=stride,
    )
