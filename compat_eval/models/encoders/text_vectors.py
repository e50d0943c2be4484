"""An encoder of texts: a network gives states of tokens, a head makes them vectors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from compat_eval.core.arrays import Values
from compat_eval.core.errors import CapabilityError
from compat_eval.models.encoders.text_items import Batch, TextEncoder, TextItem
from compat_eval.models.encoders.vector_head import Singles, VectorHead
from compat_eval.models.packages import package


@dataclass(frozen=True, slots=True, kw_only=True)
class TextVectors:
    """A loaded encoder; see `Embeds`.

    Attributes:
        states: From a batch of token ids to states, shape (n_texts, n_tokens, width),
            or to vectors, shape (n_texts, width), where the head has no pooling.
        texts: The tokenizer.
        head: What makes vectors of states.
        prompt: What is put before every text.
        lower: Whether texts are put into lower case.

    """

    states: Callable[[Batch], Singles]
    texts: TextEncoder
    head: VectorHead
    prompt: str = ""
    lower: bool = False

    def encode(self, inputs: Sequence[Any]) -> list[TextItem]:
        """Return one item a text; `len(item)` is its length in tokens."""
        return self.texts.encode([self._prompted(given) for given in inputs])

    def embed(self, items: Sequence[TextItem]) -> Values:
        """Return the vector of each text; nan for items in error."""
        n_prompt = self._prompt_length()
        found = [
            (rows, self.head(self.states(batch), batch["attention_mask"], n_prompt))
            for rows, batch in self.texts.batches(items)
        ]
        width = found[0][1].shape[1] if found else 1
        vectors = np.full((len(items), width), np.nan)
        for rows, some in found:
            vectors[rows] = some
        return vectors

    def predict(self, items: Sequence[TextItem]) -> pa.Table:
        """Refuse: an encoder has vectors and no answers.

        Raises:
            CapabilityError: Always.

        """
        raise CapabilityError("an encoder gives vectors, and no answers")

    def _prompted(self, given: object) -> object:
        if not isinstance(given, str):
            return given
        text = self.prompt + given
        return text.lower() if self.lower else text

    def _prompt_length(self) -> int:
        """Return how many tokens the prompt has, without one that ends every text."""
        if (
            not self.prompt
            or self.head.pooling is None
            or self.head.pooling.with_prompt
        ):
            return 0
        ids = self.encode([""])[0].ids
        ends = bool(ids) and ids[-1] in self.texts.tokenizer.all_special_ids
        return len(ids) - ends


def torch_states(network: Any) -> Callable[[Batch], Singles]:  # noqa: ANN401
    """Return what gives the last states of a network of transformers."""
    torch = package("torch")

    def states(batch: Batch) -> Singles:
        given = dict(batch)
        if not given["token_type_ids"].any():
            del given["token_type_ids"]  # networks without segments do not know it
        device = network.device
        with torch.inference_mode():
            tensors = {k: torch.from_numpy(v).to(device) for k, v in given.items()}
            found = network(**tensors).last_hidden_state.float().cpu().numpy()
        return np.asarray(found, np.float32)

    return states
