"""Coordinated replay selection: the worked example, and its laws."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from compat_eval.core.errors import DataError
from compat_eval.federated.replay.coordination import (
    ReplayClients,
    Scale,
    coordinate,
    scaled,
)


def some_gradients(
    seed: int, sizes: Sequence[int] = (12, 9, 15), d: int = 8
) -> list[Tensor]:
    random = torch.Generator().manual_seed(seed)
    return [
        torch.randn(n, d, generator=random, dtype=torch.float64)
        + torch.randn(1, d, generator=random, dtype=torch.float64)
        for n in sizes
    ]


def test_the_worked_example_in_one_dimension() -> None:
    rows = [
        torch.tensor([[1.0], [2.0]]),
        torch.tensor([[-2.4], [-5.0]]),
    ]
    clients = ReplayClients(rows, [1, 1])
    expected = {
        0: ([1, 0], [1, 0], 1.4),
        1: ([0.3, 0.7], [1, 0], 0.7),
        2: ([0, 1], [1, 0], 0.4),
        3: ([0, 1], [1, 0], 0.4),
    }
    for iterations, (first, second, norm) in expected.items():
        norms = coordinate(clients, iterations)
        one, other = clients.coefficients()
        assert one.tolist() == pytest.approx(first, abs=1e-6)
        assert other.tolist() == pytest.approx(second, abs=1e-6)
        assert norms[-1] == pytest.approx(norm, abs=1e-6)
    assert clients.chosen([["a", "b"], ["c", "d"]]) == [[1], [0]]


KINDS = [[at % 2 for at in range(n)] for n in (12, 9, 15)]


@pytest.mark.parametrize(
    ("seed", "scale", "constrained"),
    [
        *((seed, "direction", False) for seed in range(4)),
        *((seed, "raw", False) for seed in range(4)),
        (4, "length", False),
        (5, "direction", True),
    ],
)
def test_the_global_sum_never_grows_and_no_own_sum_shrinks(
    *, seed: int, scale: Scale, constrained: bool
) -> None:
    rows = [
        scaled(own, scale, 1 + torch.arange(len(own))) for own in some_gradients(seed)
    ]
    clients = ReplayClients(rows, [4, 4, 4])
    if constrained:
        clients = ReplayClients(rows, [[1, 3]] * 3, kinds=KINDS)
    alone = clients.answer()
    sums, norms = alone, [float(alone.sum(0).norm())]
    for _ in range(4):
        sums = clients.answer(sums.mean(0))
        norms.append(float(sums.sum(0).norm()))
        own = sums.norm(dim=1) - alone.norm(dim=1)
        assert float(own.min()) >= -1e-4
    assert all(after <= before + 1e-4 for before, after in pairwise(norms))
    assert norms == pytest.approx(coordinate(clients, 4))


def test_a_constrained_choice_keeps_as_many_of_each_kind_as_it_must() -> None:
    clients = ReplayClients(some_gradients(7), [[1, 3], [2, 2], [9, 0]], kinds=KINDS)
    coordinate(clients, 1)
    found = [
        [sum(kinds[at] == kind for at in places) for kind in (0, 1)]
        for places, kinds in zip(clients.chosen(names_of(KINDS)), KINDS, strict=True)
    ]
    assert found == [[1, 3], [2, 2], [8, 0]]


def names_of(samples: Sequence[Sequence[int] | Tensor]) -> list[list[str]]:
    return [[f"{at}-{i}" for i in range(len(own))] for at, own in enumerate(samples)]


def test_gradients_count_as_long_as_is_said() -> None:
    rows = torch.tensor([[3.0, 4.0], [0, 0]])
    lengths = torch.tensor([4, 9])
    assert scaled(rows, "raw", lengths).tolist() == rows.tolist()
    assert scaled(rows, "direction", lengths).tolist() == [
        pytest.approx([0.6, 0.8]),
        [0, 0],
    ]
    assert scaled(rows, "length", lengths).tolist() == [[6, 8], [0, 0]]


def test_the_server_needs_no_more_than_the_sum_over_clients() -> None:
    """Masks that cancel over clients, as secure sums have, change no choice."""
    rows = some_gradients(8)
    plain, masked = ReplayClients(rows, [4] * 3), Masked(rows, [4] * 3)
    assert coordinate(masked, 3) == pytest.approx(coordinate(plain, 3))
    names = names_of(rows)
    assert masked.chosen(names) == plain.chosen(names)
    assert all(sent.shape == (3, 8) for sent in masked.sent)
    assert len(masked.sent) == 4


class Masked(ReplayClients):
    """Clients that add to what they send what cancels over all of them."""

    def __init__(self, rows: Sequence[Tensor], budgets: Sequence[int]) -> None:
        super().__init__(rows, budgets)
        self.sent: list[Tensor] = []

    def answer(self, mean: Tensor | None = None) -> Tensor:
        own = super().answer(mean)
        masks = torch.randn(
            own.shape, generator=torch.Generator().manual_seed(1), dtype=own.dtype
        )
        self.sent.append(own + 100 * (masks - masks.mean(0)))
        return self.sent[-1]


def test_the_server_changes_the_sums_as_little_as_makes_them_cancel() -> None:
    sums = ReplayClients(some_gradients(1), [4, 4, 4]).answer()
    targets = sums - sums.mean(0)
    assert float(targets.sum(0).abs().max()) <= 1e-9
    random = torch.Generator().manual_seed(0)
    for _ in range(20):
        other = torch.randn(sums.shape, generator=random, dtype=torch.float64)
        other = targets + other - other.mean(0)
        assert float((other - sums).square().sum()) >= float(
            (targets - sums).square().sum()
        )


def test_a_client_sends_one_vector_whatever_the_number_of_its_samples() -> None:
    clients = ReplayClients(some_gradients(2, sizes=(3, 40)), [2, 2])
    first = clients.answer()
    assert first.shape == (2, 8)
    assert clients.answer(first.mean(0)).shape == (2, 8)


def test_every_client_twice_chooses_as_once() -> None:
    rows = some_gradients(3)
    once, twice = ReplayClients(rows, [4] * 3), ReplayClients(rows * 2, [4] * 6)
    coordinate(once, 2)
    coordinate(twice, 2)
    for one, other in zip(once.coefficients() * 2, twice.coefficients(), strict=True):
        assert torch.allclose(one, other, atol=1e-7)


def test_one_client_is_never_moved() -> None:
    clients = ReplayClients(some_gradients(4, sizes=(10,)), [3])
    alone = clients.answer()
    assert torch.allclose(clients.answer(alone.mean(0)), alone, atol=1e-7)


def test_a_rotation_of_all_gradients_changes_nothing() -> None:
    rows = some_gradients(5)
    turn, _ = torch.linalg.qr(torch.randn(8, 8, dtype=torch.float64))
    one = ReplayClients(rows, [4] * 3)
    other = ReplayClients([each @ turn for each in rows], [4] * 3)
    assert coordinate(one, 2) == pytest.approx(coordinate(other, 2), abs=1e-6)


def test_gradients_that_cancel_choose_nothing_and_that_is_told() -> None:
    rows = torch.tensor([[1.0, 0], [-1, 0], [0, 1], [0, -1]])
    clients = ReplayClients([rows, rows[:1]], [2, 2])
    coordinate(clients, 0)
    assert clients.coefficients()[0].tolist() == pytest.approx([0.5] * 4)
    assert clients.degenerate() == [True, False]


def test_who_has_no_more_than_the_budget_keeps_all() -> None:
    rows = [torch.randn(2, 3), torch.zeros(0, 3), torch.randn(5, 3)]
    clients = ReplayClients(rows, [3, 3, 3])
    coordinate(clients, 1)
    names = [["a", "b"], [], ["c", "d", "e", "f", "g"]]
    kept = clients.chosen(names)
    assert kept[:2] == [[0, 1], []]
    assert len(kept[2]) == 3
    assert clients.degenerate()[:2] == [False, False]


def test_equal_samples_are_told_apart_by_their_ids_and_not_by_their_place() -> None:
    rows = torch.ones(4, 2)
    names = ["a", "b", "c", "d"]
    one = ReplayClients([rows], [2])
    one.answer()
    kept = {names[at] for at in one.chosen([names])[0]}
    assert {names[::-1][at] for at in one.chosen([names[::-1]])[0]} == kept
    assert one.degenerate() == [True]


@pytest.mark.parametrize(
    ("rows", "budgets", "told"),
    [
        ([torch.ones(2, 2)], [-1], "fewer than 0"),
        ([torch.full((2, 2), torch.inf)], [1], "not finite"),
        ([torch.ones(2, 2), torch.ones(2, 3)], [1, 1], "not of one size"),
        ([torch.ones(2)], [1], "a row a sample"),
    ],
)
def test_what_cannot_be_chosen_from_is_refused(
    rows: list[Tensor], budgets: list[int], told: str
) -> None:
    with pytest.raises(DataError, match=told):
        ReplayClients(rows, budgets)
