"""A loaded causal language model of transformers: how probable documents are.

Every token of a document is predicted once, the first one after the model's
beginning-of-text token (or, where it has none, its end-of-text token). A document that
is longer than what the model can read at once is read in windows that overlap by half:
each token has all of the document before it as context, or at least half a window.

Logits are never kept: the head is applied to a few positions at a time, and only the
log-probabilities of the document's own tokens are left of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
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

_LOGITS = 1 << 24
"""How many logits there are at most at any time: 64 MiB of float32."""

_TOKENS = 1 << 14
"""How many tokens are read at once; a single window may be longer."""

_SAME = 1e-3
"""How far log-probabilities of the probe may lie apart, in nats."""


@dataclass(frozen=True, slots=True)
class _EncodedDocument:
    """One encoded document.

    Attributes:
        ids: Token ids, after the beginning-of-text token where there is one.
        context: How many of the ids are context alone: 1 for the beginning-of-text
            token, or for a first token that nothing comes before.
        is_text: Whether the input was text; else it has no tokens.

    """

    ids: Sequence[int]
    context: int
    is_text: bool = True

    def __len__(self) -> int:
        return max(1, len(self.ids))


@dataclass(frozen=True, slots=True)
class _Window:
    """A part of a document that is read at once.

    Attributes:
        row: Of the document.
        ids: Token ids.
        context: How many of them are not predicted.

    """

    row: int
    ids: Sequence[int]
    context: int


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

    def encode(self, inputs: Sequence[Any]) -> list[_EncodedDocument]:
        """Return one item an input; `len(item)` is its length in tokens."""
        texts = [given if isinstance(given, str) else "" for given in inputs]
        encoded = self.tokenizer(texts, add_special_tokens=False, verbose=False)[
            "input_ids"
        ]
        begin = [] if self.begin is None else [self.begin]
        return [
            _EncodedDocument([*begin, *ids], 1, is_text=isinstance(given, str))
            for ids, given in zip(encoded, inputs, strict=True)
        ]

    def predict(self, items: Sequence[_EncodedDocument]) -> pa.Table:
        """Refuse: a language model says how probable documents are.

        Raises:
            CapabilityError: Always.

        """
        raise CapabilityError(
            "a language model answers no questions, it says how probable documents "
            "are; compare it on a suite whose task is language_modeling"
        )

    def log_likelihood(self, items: Sequence[_EncodedDocument]) -> tuple[Values, Ints]:
        """Return log p of documents in nats, and of how many tokens it is the sum.

        Shape (n_items,) each; nan for what is no text.
        """
        found = np.zeros(len(items))
        for windows in self._batches(items):
            nats = self._log_likelihoods(windows)
            np.add.at(found, [window.row for window in windows], nats)
        found[[not item.is_text for item in items]] = np.nan
        tokens = [max(len(item.ids) - item.context, 0) for item in items]
        return found, np.array(tokens, np.int64)

    def _batches(self, items: Sequence[_EncodedDocument]) -> Iterator[list[_Window]]:
        """Yield windows of similar length, as many as may be read at once."""
        windows = [
            window
            for row, item in enumerate(items)
            for window in self._windows(row, item)
        ]
        waiting = iter(sorted(windows, key=lambda one: -len(one.ids)))
        while first := list(islice(waiting, 1)):
            room = max(_TOKENS // len(first[0].ids), 1)
            yield [*first, *islice(waiting, room - 1)]

    def _windows(self, row: int, item: _EncodedDocument) -> Iterator[_Window]:
        """Yield windows in which every token that counts is predicted once."""
        done = item.context
        while done < len(item.ids):
            begin = 0 if done == item.context else done - self.longest // 2
            end = min(begin + self.longest, len(item.ids))
            yield _Window(row, item.ids[begin:end], done - begin)
            done = end

    def _log_likelihoods(self, windows: Sequence[_Window]) -> Values:
        """Return the summed log-probability of the predicted tokens of windows."""
        shape = (len(windows), max(len(window.ids) for window in windows))
        ids, mask = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        counted = np.zeros(shape, np.bool_)
        for at, window in enumerate(windows):
            ids[at, : len(window.ids)] = window.ids
            mask[at, : len(window.ids)] = 1
            counted[at, window.context : len(window.ids)] = True
        rows, places = np.nonzero(counted)
        with torch.inference_mode():
            hidden = self._hidden(ids, mask)[rows, places - 1]
            nats = self._of_targets(hidden, ids[rows, places])
        return np.bincount(rows, nats, minlength=len(windows)).astype(np.float64)

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

    def _of_targets(self, hidden: torch.Tensor, targets: Ints) -> Values:
        """Return log p of each target, the head applied to some positions at a time."""
        head = self.network.get_output_embeddings()
        cap = getattr(self.network.config, "final_logit_softcapping", None)
        wanted = torch.from_numpy(targets).to(hidden.device)
        found = np.empty(len(targets))
        step = max(_LOGITS // head.weight.shape[0], 1)
        for at in range(0, len(targets), step):
            logits = head(hidden[at : at + step]).float()
            if cap is not None:
                logits = cap * torch.tanh(logits / cap)
            nll = torch.nn.functional.cross_entropy(
                logits, wanted[at : at + step], reduction="none"
            )
            found[at : at + step] = -nll.cpu().numpy()
        return found

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
            ours = self._of_targets(hidden, ids[0, 1:])
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
