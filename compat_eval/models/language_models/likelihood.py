"""How probable documents are to a causal language model, without keeping its logits.

Every token of a document is predicted once, the first one after a token that stands
before every document. A document that is longer than what the model can read at once
is read in windows that overlap by half: each token has all of the document before it
as context, or at least half a window. The head is applied to some positions at a time,
and only the log-probabilities of the document's own tokens are left of its logits.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor

from compat_eval.core.arrays import Ints, Values

_LOGITS = 1 << 24
"""How many logits there are at most at any time: 64 MiB of float32."""

_TOKENS = 1 << 14
"""How many tokens are read at once; a single window may be longer."""


@dataclass(frozen=True, slots=True)
class EncodedDocument:
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


def encoded_documents(
    inputs: Sequence[Any],
    tokens: Callable[[list[str]], Sequence[Sequence[int]]],
    begin: int | None,
) -> list[EncodedDocument]:
    """Return one item an input; `len(item)` is its length in tokens.

    Args:
        inputs: Texts; anything else has no tokens.
        tokens: Returns the ids of texts, without special tokens.
        begin: Token before every document; `None` for none.

    """
    texts = [given if isinstance(given, str) else "" for given in inputs]
    first = [] if begin is None else [begin]
    return [
        EncodedDocument([*first, *ids], 1, is_text=isinstance(given, str))
        for ids, given in zip(tokens(texts), inputs, strict=True)
    ]


def log_likelihoods(
    items: Sequence[EncodedDocument],
    *,
    longest: int,
    hidden: Callable[[Ints, Ints], Tensor],
    logits: Callable[[Tensor], Tensor],
    n_tokens: int,
) -> tuple[Values, Ints]:
    """Return log p of documents in nats, and of how many tokens it is the sum.

    Args:
        items: Documents.
        longest: How many tokens the model can read at once.
        hidden: Returns hidden states of ids and an attention mask, all of shape
            (n_windows, n_tokens).
        logits: The head: of hidden states, shape (n, width).
        n_tokens: How many tokens the model knows.

    Returns:
        Shape (n_items,) each; nan for what is no text.

    """
    found = np.zeros(len(items))
    with torch.inference_mode():
        for windows in _batches(items, longest):
            ids, mask, counted = _padded(windows)
            rows, places = np.nonzero(counted)
            states = hidden(ids, mask)[rows, places - 1]
            nats = target_nats(states, ids[rows, places], logits, n_tokens)
            np.add.at(found, [windows[row].row for row in rows], nats)
    found[[not item.is_text for item in items]] = np.nan
    tokens = [max(len(item.ids) - item.context, 0) for item in items]
    return found, np.array(tokens, np.int64)


def target_nats(
    states: Tensor, targets: Ints, logits: Callable[[Tensor], Tensor], n_tokens: int
) -> Values:
    """Return log p of each target, the head applied to some positions at a time."""
    wanted = torch.from_numpy(targets).to(states.device)
    found = np.empty(len(targets))
    step = max(_LOGITS // n_tokens, 1)
    for at in range(0, len(targets), step):
        nll = torch.nn.functional.cross_entropy(
            logits(states[at : at + step]).float(),
            wanted[at : at + step],
            reduction="none",
        )
        found[at : at + step] = -nll.cpu().numpy()
    return found


def _batches(items: Sequence[EncodedDocument], longest: int) -> Iterator[list[_Window]]:
    """Yield windows of similar length, as many as may be read at once."""
    windows = [
        window
        for row, item in enumerate(items)
        for window in _windows(row, item, longest)
    ]
    waiting = iter(sorted(windows, key=lambda one: -len(one.ids)))
    while first := list(islice(waiting, 1)):
        room = max(_TOKENS // len(first[0].ids), 1)
        yield [*first, *islice(waiting, room - 1)]


def _windows(row: int, item: EncodedDocument, longest: int) -> Iterator[_Window]:
    """Yield windows in which every token that counts is predicted once."""
    done = item.context
    while done < len(item.ids):
        begin = 0 if done == item.context else done - longest // 2
        end = min(begin + longest, len(item.ids))
        yield _Window(row, item.ids[begin:end], done - begin)
        done = end


def _padded(windows: Sequence[_Window]) -> tuple[Ints, Ints, np.ndarray]:
    """Return ids, an attention mask, and which tokens count, padded on the right."""
    shape = (len(windows), max(len(window.ids) for window in windows))
    ids, mask = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    counted = np.zeros(shape, np.bool_)
    for at, window in enumerate(windows):
        ids[at, : len(window.ids)] = window.ids
        mask[at, : len(window.ids)] = 1
        counted[at, window.context : len(window.ids)] = True
    return ids, mask, counted
