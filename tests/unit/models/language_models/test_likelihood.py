"""Tokens of documents, scored without ever holding all logits."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from compat_eval.core.errors import ModelError
from compat_eval.models.language_models import likelihood
from compat_eval.models.language_models.likelihood import (
    DocumentReader,
    EncodedDocument,
    OutputLayer,
    stride_of,
)

N_TOKENS, WIDTH, LONGEST = 50, 8, 6


class Network:
    """States that depend on what was read so far, and a head."""

    def __init__(self, n_tokens: int = N_TOKENS) -> None:
        torch.manual_seed(0)
        self.vectors = torch.randn(n_tokens, WIDTH)
        self.head = torch.randn(n_tokens, WIDTH)
        self.read = list[tuple[int, int]]()

    def hidden(self, ids: torch.Tensor) -> torch.Tensor:
        self.read.append((ids.shape[0], ids.shape[1]))
        return self.vectors[ids].cumsum(dim=1)

    def logits(self, states: torch.Tensor) -> torch.Tensor:
        return states @ self.head.T

    def reader(self, stride: int = LONGEST // 2) -> DocumentReader:
        return DocumentReader(
            longest=LONGEST,
            stride=stride,
            hidden=self.hidden,
            output=OutputLayer(weight=self.head),
        )


def documents(sizes: Sequence[int], n_tokens: int = N_TOKENS) -> list[EncodedDocument]:
    random = np.random.default_rng(0)
    return [
        EncodedDocument(random.integers(n_tokens, size=n).tolist(), 1) for n in sizes
    ]


def whole(network: Network, ids: Sequence[int]) -> torch.Tensor:
    """Return log p of everything after each token but the last, at once."""
    return network.logits(network.hidden(torch.tensor([ids[:-1]])))[0].log_softmax(-1)


def test_scores_are_those_of_whole_logits() -> None:
    network, items = Network(), documents([5, 1, LONGEST + 1, 2])

    found = network.reader().token_scores(items)

    assert found.n_tokens.tolist() == [4, 0, LONGEST, 1]
    for item, begin, end in zip(
        items, found.offsets[:-1], found.offsets[1:], strict=True
    ):
        if begin == end:
            continue
        log_p, ids = whole(network, item.ids), torch.tensor(item.ids[1:])
        own = log_p[torch.arange(len(ids)), ids]
        np.testing.assert_allclose(found.log_p[begin:end], own, atol=1e-5)
        assert found.top[begin:end].tolist() == log_p.argmax(1).tolist()
        ranks = 1 + (log_p > own[:, None]).sum(1)
        assert found.ranks[begin:end].tolist() == ranks.tolist()


def test_log_p_is_minus_the_cross_entropy_of_torch() -> None:
    network, (item,) = Network(), documents([LONGEST])

    found = network.reader().token_scores([item]).totals()

    logits = network.logits(network.hidden(torch.tensor([item.ids[:-1]])))[0]
    loss = torch.nn.functional.cross_entropy(
        logits, torch.tensor(item.ids[1:]), reduction="sum"
    )
    assert -found[0] == pytest.approx(float(loss), abs=1e-5)


@pytest.mark.parametrize("stride", [1, 2, 3, LONGEST])
@pytest.mark.parametrize("size", [2, LONGEST, LONGEST + 1, LONGEST + 2, 20])
def test_every_token_is_predicted_once_with_enough_before_it(
    size: int, stride: int
) -> None:
    network, (item,) = Network(), documents([size])

    found = network.reader(stride).token_scores([item])

    expected = []
    for at in range(1, size):
        # The window that predicts it ends so many tokens behind the first window.
        beyond = max(at - LONGEST, 0)
        end = min(LONGEST + -(-beyond // stride) * stride, size - 1)
        begin = max(end - LONGEST, 0)
        assert at - begin >= min(at, LONGEST - stride + 1)
        expected.append(
            float(whole(network, item.ids[begin : at + 1])[-1, item.ids[at]])
        )
    np.testing.assert_allclose(found.log_p, expected, atol=1e-4)
    assert all(shape[1] <= LONGEST for shape in network.read)


def test_a_rank_counts_the_tokens_that_are_as_probable() -> None:
    network = Network()
    network.head[3] = network.head[7] = network.head[9] = 10 * network.vectors[1]
    items = [EncodedDocument([1, goal], 1) for goal in (3, 7, 9)]

    found = network.reader().token_scores(items)

    assert found.ranks.tolist() == [3, 3, 3]
    assert {3, 7, 9} >= {*found.top.tolist()}


@pytest.mark.parametrize("tile", [(1, 1), (3, 7), (100, 49), (100, 1000)])
def test_tiles_change_nothing(
    tile: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    network, items = Network(), documents([5, 6, 12])
    monkeypatch.setattr(likelihood, "_TILE", {"cpu": tile})
    bias = torch.linspace(-1, 1, N_TOKENS)
    reader = dataclasses.replace(
        network.reader(), output=OutputLayer(weight=network.head, bias=bias, cap=3.0)
    )

    found = reader.token_scores(items)

    ids = torch.tensor(items[0].ids)
    logits = network.logits(network.hidden(ids[None, :-1]))[0] + bias
    log_p = (3 * torch.tanh(logits / 3)).log_softmax(-1)
    own = log_p[torch.arange(4), ids[1:]]
    np.testing.assert_allclose(found.log_p[:4], own, atol=1e-5)
    assert found.top[:4].tolist() == log_p.argmax(1).tolist()
    ranks = (log_p >= own[:, None]).sum(1)
    assert found.ranks[:4].tolist() == ranks.tolist()


def test_narrow_numbers_are_ranked_as_they_are_rounded() -> None:
    network = Network()
    states, head = (
        torch.randn(40, WIDTH).bfloat16(),
        network.head.bfloat16(),
    )
    goals = np.arange(40) % N_TOKENS
    reader = dataclasses.replace(network.reader(), output=OutputLayer(weight=head))

    log_p, ranks, top = reader.scores(states, goals)

    whole = (states @ head.T).float().log_softmax(-1)
    np.testing.assert_allclose(log_p, whole[torch.arange(40), goals], atol=0.05)
    assert (ranks == 1).tolist() <= (top == goals).tolist()


def test_logits_far_apart_have_no_infinite_cost() -> None:
    network = Network()
    network.head *= 1e4

    found = network.reader().token_scores(documents([LONGEST]))

    assert np.isfinite(found.log_p).all()
    assert found.log_p.min() < -1e3


class Largest(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Watches how many numbers any tensor has that an operation makes."""

    numbers = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        made = func(*args, **(kwargs or {}))
        for one in made if isinstance(made, tuple) else (made,):
            if isinstance(one, torch.Tensor):
                self.numbers = max(self.numbers, one.numel())
        return made


def test_no_tensor_is_as_large_as_all_logits(monkeypatch: pytest.MonkeyPatch) -> None:
    n_tokens, most = 1000, 20_000
    network, items = Network(n_tokens), documents([LONGEST] * 100, n_tokens)
    monkeypatch.setattr(likelihood, "_TILE", {"cpu": (100, 200)})
    reader = network.reader()

    with Largest() as seen:  # type: ignore[no-untyped-call]
        found = reader.token_scores(items)

    n_logits = len(found.log_p) * n_tokens
    assert seen.numbers <= most < n_logits / 20
    monkeypatch.undo()
    np.testing.assert_array_equal(
        found.ranks, network.reader().token_scores(items).ranks
    )


def test_windows_are_read_longest_first_and_nearly_without_padding() -> None:
    network, sizes = Network(), [6, 2, 5, 6, 2, 3]

    network.reader().token_scores(documents(sizes))

    assert network.read == [(6, 5)]


def test_a_stride_of_more_than_a_window_is_refused() -> None:
    assert stride_of(None, 9) == 4
    assert stride_of(None, 1) == 1
    assert stride_of(9, 9) == 9
    with pytest.raises(ModelError, match="--stride may be at most 9; got 10"):
        stride_of(10, 9)
