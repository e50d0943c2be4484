"""A loaded causal language model of transformers: how probable documents are.

See `compat_eval.models.language_models.likelihood` for how they are read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import torch
import transformers

from compat_eval.adapters.huggingface.classifier import load_network
from compat_eval.adapters.huggingface.files import ModelFiles
from compat_eval.adapters.options import ModelOptions
from compat_eval.core.arrays import Ints, Values
from compat_eval.core.errors import CapabilityError, ModelError
from compat_eval.models.encoders.text_items import load_tokenizer, open_encoder
from compat_eval.models.language_models.likelihood import (
    EncodedDocument,
    encoded_documents,
    log_likelihoods,
    target_nats,
)

_SAME = 1e-3
"""How far log-probabilities of the probe may lie apart, in nats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HuggingFaceLanguageModel:
    """Tells how probable documents are.

    Attributes:
        network: A causal language model of transformers.
        tokenizer: Its tokenizer.
        longest: How many tokens it can read at once.
        begin: Token before every document; `None` for none.

    """

    network: Any
    tokenizer: Any
    longest: int
    begin: int | None

    def encode(self, inputs: Sequence[Any]) -> list[EncodedDocument]:
        """Return one item an input; `len(item)` is its length in tokens."""
        return encoded_documents(inputs, self._tokens, self.begin)

    def _tokens(self, texts: list[str]) -> Sequence[Sequence[int]]:
        found = self.tokenizer(texts, add_special_tokens=False, verbose=False)
        ids: Sequence[Sequence[int]] = found["input_ids"]
        return ids

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
            logits=self._logits,
            n_tokens=self._n_tokens,
        )

    def _hidden(self, ids: Ints, mask: Ints) -> torch.Tensor:
        device = self.network.device
        backbone = getattr(self.network, self.network.base_model_prefix)
        found = backbone(
            input_ids=torch.from_numpy(ids).to(device),
            attention_mask=torch.from_numpy(mask).to(device),
            use_cache=False,
        )
        hidden: torch.Tensor = found.last_hidden_state
        return hidden

    @property
    def _n_tokens(self) -> int:
        return int(self.network.get_output_embeddings().weight.shape[0])

    def _logits(self, states: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.network.get_output_embeddings()(states).float()
        cap = getattr(self.network.config, "final_logit_softcapping", None)
        return logits if cap is None else cap * torch.tanh(logits / cap)

    def check(self, reference: str) -> None:
        """Compare some log-probabilities with those of the model's own logits.

        Raises:
            ModelError: Its head is more than one layer, which is not known here.

        """
        n = min(self.longest, 8)
        ids = np.arange(n)[np.newaxis] % self.network.config.vocab_size
        with torch.inference_mode():
            tensor = torch.from_numpy(ids).to(self.network.device)
            logits = self.network(input_ids=tensor).logits[0].float().log_softmax(-1)
            theirs = logits[np.arange(n - 1), ids[0, 1:]].cpu().numpy()
            hidden = self._hidden(ids, np.ones_like(ids))[0, :-1]
            ours = target_nats(hidden, ids[0, 1:], self._logits, self._n_tokens)
        if not np.allclose(ours, theirs, atol=_SAME * max(1, abs(theirs).max())):
            raise ModelError(
                f"{reference}: {type(self.network).__name__} makes its logits in "
                "another way than by one layer over hidden states; likelihoods of such "
                "models are not known here."
            )


def load_language_model(
    files: ModelFiles, options: ModelOptions, *, reference: str
) -> HuggingFaceLanguageModel:
    """Read tokenizer and weights.

    Raises:
        ModelError: They are damaged, absent, or do not fit the configuration; or the
            model's logits are more than a layer over its hidden states.

    """
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    tokenizer = load_tokenizer(
        files.directory, reference, trust_code=options.trust_remote_code
    )
    network = load_network(
        transformers.AutoModelForCausalLM, files, options, reference=reference
    )
    longest = open_encoder(tokenizer, network.config.to_dict()).longest
    begins = (tokenizer.bos_token_id, tokenizer.eos_token_id)
    found = HuggingFaceLanguageModel(
        network=network,
        tokenizer=tokenizer,
        longest=longest,
        begin=next((token for token in begins if token is not None), None),
    )
    found.check(reference)
    return found
