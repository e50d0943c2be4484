"""A loaded causal language model of transformers: how probable documents are, answers.

See `compat_eval.models.language_models.likelihood` for how documents are read.
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
from compat_eval.core.errors import ModelError
from compat_eval.core.token_scores import TokenScores
from compat_eval.models.causal_lm.texts import ANSWER_AFTER
from compat_eval.models.encoders.pretrained import load_tokenizer
from compat_eval.models.encoders.text_items import open_encoder
from compat_eval.models.language_models.likelihood import (
    DocumentReader,
    EncodedDocument,
    OutputLayer,
    encoded_documents,
    stride_of,
)

_LONGEST_ANSWER = 64
"""How many tokens an answer may have."""

_SAME = 1e-3
"""How far log-probabilities of the probe may lie apart, in nats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HuggingFaceLanguageModel:
    """Tells how probable documents are, and answers questions.

    Attributes:
        network: A causal language model of transformers.
        tokenizer: Its tokenizer.
        longest: How many tokens it can read at once.
        stride: How many tokens each further window of a long document predicts.
        begin: Token before every document; `None` for none.

    """

    network: Any
    tokenizer: Any
    longest: int
    stride: int
    begin: int | None

    def encode(self, inputs: Sequence[Any]) -> list[EncodedDocument]:
        """Return one item an input; `len(item)` is its length in tokens."""
        return encoded_documents(inputs, self._tokens, self.begin)

    def _tokens(self, texts: list[str]) -> Sequence[Sequence[int]]:
        found = self.tokenizer(texts, add_special_tokens=False, verbose=False)
        ids: Sequence[Sequence[int]] = found["input_ids"]
        return ids

    def predict(self, items: Sequence[EncodedDocument]) -> pa.Table:
        """Return what the model writes after each item and a line break.

        The most probable token each time, up to the end of text, of the line, or
        `_LONGEST_ANSWER` tokens; of an item that is too long the end is read. `None`
        for what is no text.
        """
        answers: list[str | None] = [None] * len(items)
        by_length: dict[int, list[int]] = {}
        for row, item in enumerate(items):
            if item.is_text:
                by_length.setdefault(len(self._prompt(item)), []).append(row)
        for rows in by_length.values():  # together without padding
            prompts = [self._prompt(items[row]) for row in rows]
            for row, text in zip(rows, self._written(prompts), strict=True):
                answers[row] = text
        return pa.table({"prediction": pa.array(answers, pa.string())})

    def log_probability(
        self, items: Sequence[EncodedDocument], answers: Sequence[Sequence[str]]
    ) -> list[Values]:
        """Return log p of each answer after an item and a line break, in nats.

        The end of text, where the tokenizer has one, is part of an answer.
        """
        end = [] if self.tokenizer.eos_token_id is None else [self._end]
        documents = []
        for item, some in zip(items, answers, strict=True):
            for ids in self._tokens(list(some)) if some else ():
                said = [*ids, *end][: self.longest - 1]
                before = self._prompt(item)[len(said) - self.longest :]
                documents.append(EncodedDocument([*before, *said], len(before)))
        found = self.log_likelihood(documents)[0]
        ends = np.cumsum([len(some) for some in answers])
        return np.split(found, ends[:-1]) if len(answers) else []

    @property
    def _end(self) -> int:
        return int(self.tokenizer.eos_token_id)

    def _prompt(self, item: EncodedDocument) -> list[int]:
        after = self._tokens([ANSWER_AFTER])[0]
        return [*item.ids, *after][-(self.longest - 1) :]

    def _written(self, prompts: Sequence[list[int]]) -> list[str]:
        """Return what is written after prompts of one length."""
        ids = torch.tensor(prompts, device=self.network.device)
        room = min(_LONGEST_ANSWER, self.longest - ids.shape[1])
        end = self.network.generation_config.eos_token_id
        end = self.tokenizer.eos_token_id if end is None else end
        settings: Any = transformers.GenerationConfig
        plainly = settings(
            max_new_tokens=room,
            do_sample=False,
            eos_token_id=end,
            pad_token_id=0 if end is None else np.ravel(end)[0].item(),
        )
        with torch.inference_mode():
            found = self.network.generate(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                generation_config=plainly,
            )
        texts = self.tokenizer.batch_decode(
            found[:, ids.shape[1] :], skip_special_tokens=True
        )
        return [text.strip().partition("\n")[0].strip() for text in texts]

    def token_scores(self, items: Sequence[EncodedDocument]) -> TokenScores:
        """Return how well each token of some documents is predicted."""
        return self._reader.token_scores(items, self.network.device)

    def log_likelihood(self, items: Sequence[EncodedDocument]) -> tuple[Values, Ints]:
        """Return log p of documents in nats, and of how many tokens it is the sum.

        Shape (n_items,) each; nan for what is no text.
        """
        found = self.token_scores(items)
        return found.totals(), found.n_tokens

    @property
    def _reader(self) -> DocumentReader:
        return DocumentReader(
            longest=self.longest,
            stride=self.stride,
            hidden=self._hidden,
            output=self._output,
        )

    @property
    def _output(self) -> OutputLayer:
        layer = self.network.get_output_embeddings()
        return OutputLayer(
            weight=layer.weight,
            bias=getattr(layer, "bias", None),
            cap=getattr(self.network.config, "final_logit_softcapping", None),
        )

    def _hidden(self, ids: torch.Tensor) -> torch.Tensor:
        backbone = getattr(self.network, self.network.base_model_prefix)
        hidden: torch.Tensor = backbone(input_ids=ids, use_cache=False)[0]
        return hidden

    @torch.inference_mode()
    def check(self, reference: str) -> None:
        """Compare some log-probabilities with those of the model's own logits.

        Raises:
            ModelError: Its head is more than one layer, which is not known here; or a
                token sees what stands behind it, so that nothing is predicted.

        """
        n = min(self.longest, 8)
        ids = (
            torch.arange(n, device=self.network.device) % self.network.config.vocab_size
        )
        logits = self.network(input_ids=ids[None]).logits[0].float().log_softmax(-1)
        theirs = logits[torch.arange(n - 1), ids[1:]].cpu().numpy()
        states, others = self._hidden(torch.stack([ids, _other_end(ids)]))
        ours, _, _ = self._reader.scores(states[:-1], ids[1:].cpu().numpy())
        size = np.nan_to_num(abs(theirs)).max(initial=1)
        if not np.allclose(ours, theirs, atol=_SAME * size, equal_nan=True):
            raise ModelError(
                f"{reference}: {type(self.network).__name__} makes its logits in "
                "another way than by one layer over hidden states; likelihoods of such "
                "models are not known here."
            )
        apart = (states[:-1] - others[:-1]).abs().max() if n > 1 else 0.0
        if apart > _SAME * max(1.0, float(states.abs().max())):
            raise ModelError(
                f"{reference}: {type(self.network).__name__} sees the tokens behind "
                "the one that it predicts, so it is no causal language model (of BERT "
                "and the like, `is_decoder` in config.json says so)."
            )


def _other_end(ids: torch.Tensor) -> torch.Tensor:
    """Return the same ids with another one at the end."""
    return torch.cat([ids[:-1], ids[:1] if ids[-1] != ids[0] else ids[:1] + 1])


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
        stride=stride_of(options.stride, longest),
        begin=next((token for token in begins if token is not None), None),
    )
    found.check(reference)
    return found
