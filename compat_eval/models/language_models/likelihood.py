"""How probable documents are to a causal language model, without keeping its logits.

Every token of a document is predicted once, the first one after a token that stands
before every document; where the model has none, the first token is context alone. A
document that is longer than the model can read at once is read in windows: the first
one predicts as many tokens as fit, each further one `stride` more, with as many tokens
before them as the model can read. So every token has all of the document before it as
context, or at least `longest − stride` tokens; with a stride of `longest` windows do
not overlap (but the last, which is filled up), as lm-evaluation-harness reads them.

Logits are made for some positions and some tokens of the vocabulary at a time, small
enough to stay in a processor's cache. What is left of them is the log-probability and
the rank of the document's own token, and the most probable token: the sum of
exponentials is carried from tile to tile with the largest logit so far, as in Milakov
and Gimelshein, "Online normalizer calculation for softmax", 2018,
https://arxiv.org/abs/1805.02867.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import linear

from compat_eval.core.arrays import Ints
from compat_eval.core.errors import ModelError
from compat_eval.core.token_scores import TokenScores

_TILE = {"cpu": (256, 2048)}
_LARGE_TILE = (4096, 16384)
"""How many positions and tokens have logits at any time: 2 MiB of float32 on
processors, 256 MiB elsewhere."""

_AS_PROBABLE = 1e-5
"""How far logits of tokens lie apart that are as probable; their share beyond 1."""

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

    @property
    def n_predicted(self) -> int:
        """How many tokens are predicted."""
        return max(len(self.ids) - self.context, 0)


@dataclass(frozen=True, slots=True)
class _Window:
    """A part of a document that is read at once.

    Attributes:
        ids: Token ids that the model reads.
        targets: What comes after each of the last of them.
        at: Where the scores of the targets go.

    """

    ids: Sequence[int]
    targets: Sequence[int]
    at: int


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


def stride_of(wanted: int | None, longest: int) -> int:
    """Return how many tokens each further window of a long document predicts.

    Args:
        wanted: What was asked for; `None` for half a window.
        longest: How many tokens the model reads at once.

    Raises:
        ModelError: It is more than a window, so that tokens would be passed over.

    """
    found = max(longest // 2, 1) if wanted is None else wanted
    if found > longest:
        raise ModelError(
            f"the model reads {longest} tokens at once, so --stride may be at most "
            f"{longest}; got {found}"
        )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputLayer:
    """Makes logits of hidden states.

    Attributes:
        weight: Shape (n_tokens, width).
        bias: Shape (n_tokens,); `None` for none.
        cap: Logits are squashed to within ± this by tanh; `None` for not.

    """

    weight: Tensor
    bias: Tensor | None = None
    cap: float | None = None

    def logits(self, states: Tensor, begin: int, end: int) -> Tensor:
        """Return the logits of some tokens, shape (n, end − begin), in float32."""
        bias = None if self.bias is None else self.bias[begin:end]
        return self._capped(linear(states, self.weight[begin:end], bias))

    def of_targets(self, states: Tensor, targets: Tensor) -> Tensor:
        """Return the logit of one token for each state, shape (n, 1), in float32."""
        own = (states.float() * self.weight[targets].float()).sum(1, keepdim=True)
        if self.bias is not None:
            own = own + self.bias[targets, None].float()
        return self._capped(own.to(states.dtype))  # as exact as the others are

    def _capped(self, logits: Tensor) -> Tensor:
        logits = logits.float()
        return logits if self.cap is None else self.cap * torch.tanh(logits / self.cap)


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentReader:
    """Reads documents with a causal language model.

    Attributes:
        longest: How many tokens the model can read at once.
        stride: How many tokens each further window of a long document predicts.
        hidden: Returns hidden states of ids, both of shape (n_windows, n_tokens, …).
            What stands behind a token is not seen by it, so windows are filled up on
            the right.
        output: Makes logits of hidden states.

    """

    longest: int
    stride: int
    hidden: Callable[[Tensor], Tensor]
    output: OutputLayer

    def token_scores(
        self, items: Sequence[EncodedDocument], device: torch.device | str = "cpu"
    ) -> TokenScores:
        """Return how well each token of some documents is predicted."""
        sizes = [item.n_predicted for item in items]
        offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        log_p = np.zeros(offsets[-1])
        ranks, top = np.zeros_like(log_p, np.int64), np.zeros_like(log_p, np.int64)
        with torch.inference_mode():
            for windows in self._batches(items, offsets):
                states = self.hidden(_padded(windows, device))
                rows, places, goals = _predicted(windows)
                targets = np.concatenate([window.targets for window in windows])
                found = self.scores(states[rows, places], targets)
                log_p[goals], ranks[goals], top[goals] = found
        return TokenScores(
            log_p=log_p,
            ranks=ranks,
            top=top,
            offsets=offsets,
            is_text=np.array([item.is_text for item in items], np.bool_),
        )

    def scores(
        self, states: Tensor, targets: Ints
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return log p and rank of targets and the top tokens, shape (n,) each.

        Args:
            states: Hidden states before the targets, shape (n, width).
            targets: Token ids, shape (n,).

        """
        wanted = torch.as_tensor(targets, dtype=torch.int64).to(states.device)
        n, step = _TILE.get(states.device.type, _LARGE_TILE)
        parts = [
            _scored(self.output, states[at : at + n], wanted[at : at + n], step)
            for at in range(0, len(wanted), n)
        ]
        log_p, ranks, top = (
            torch.cat(one).cpu().numpy() for one in zip(*parts, strict=True)
        )
        return log_p, ranks, top

    def _batches(
        self, items: Sequence[EncodedDocument], offsets: Ints
    ) -> Iterator[list[_Window]]:
        """Yield windows of similar length, as many as may be read at once."""
        windows = [
            window
            for item, at in zip(items, offsets.tolist(), strict=False)
            for window in self._windows(item, at)
        ]
        waiting = iter(sorted(windows, key=lambda one: -len(one.ids)))
        while first := list(islice(waiting, 1)):
            room = max(_TOKENS // len(first[0].ids), 1)
            yield [*first, *islice(waiting, room - 1)]

    def _windows(self, item: EncodedDocument, at: int) -> Iterator[_Window]:
        """Yield windows in which every token that counts is predicted once."""
        done, n = item.context, len(item.ids)
        while done < n:
            first = done == item.context
            end = done + self.stride
            end = min(max(end, self.longest + 1) if first else end, n)
            begin = max(end - 1 - self.longest, 0)
            yield _Window(item.ids[begin : end - 1], item.ids[done:end], at)
            at += end - done
            done = end


def _scored(
    output: OutputLayer, states: Tensor, targets: Tensor, step: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Return log p and rank of targets and the top tokens, `step` tokens at a time."""
    own = output.of_targets(states, targets)
    least = own - _AS_PROBABLE * own.abs().clamp(min=1)
    best = torch.full_like(own, -torch.inf)
    total, top = torch.zeros_like(own), torch.zeros_like(targets)
    ranks = torch.zeros_like(targets, dtype=torch.int32)
    for begin in range(0, len(output.weight), step):
        end = min(begin + step, len(output.weight))
        logits = output.logits(states, begin, end)
        at = (targets - begin)[:, None]
        here, at = (at >= 0) & (at < end - begin), at.clamp(0, end - begin - 1)
        # One number of the target: sums in another order differ in the last digit.
        logits.scatter_(1, at, torch.where(here, own, logits.gather(1, at)))
        ranks += (logits >= least).sum(dim=1, dtype=torch.int32)
        most = logits.amax(dim=1, keepdim=True)
        risen = (most > best).nonzero()[:, 0]  # finding places costs ten times as much
        top[risen] = logits[risen].argmax(dim=1) + begin
        most = torch.maximum(best, most)
        here_total = logits.sub_(most).exp_().sum(dim=1, keepdim=True)
        total = total * (best - most).exp() + here_total
        best = most
    return (own - best - total.log())[:, 0], ranks, top


def _padded(windows: Sequence[_Window], device: torch.device | str) -> Tensor:
    """Return the ids of windows, filled up on the right."""
    ids = np.zeros((len(windows), len(windows[0].ids)), np.int64)
    for row, window in zip(ids, windows, strict=True):
        row[: len(window.ids)] = window.ids
    return torch.from_numpy(ids).to(device)


def _predicted(windows: Sequence[_Window]) -> tuple[Ints, Ints, Ints]:
    """Return rows and places of the states before all targets, and where scores go."""
    sizes = np.array([len(window.targets) for window in windows])
    ends = np.array([len(window.ids) for window in windows])
    goals = np.array([window.at for window in windows])
    within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    rows = np.repeat(np.arange(len(windows)), sizes)
    return rows, within + np.repeat(ends - sizes, sizes), within + goals[rows]
