import itertools
import math

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from compat_eval.models.decoding import max_spanning_trees, tree_log_partition

pytestmark = pytest.mark.torch

Tree = tuple[int, ...]
roots = pytest.mark.parametrize("single_root", [True, False], ids=["single", "multi"])


def is_tree(heads: Tree) -> bool:
    for word in range(1, len(heads) + 1):
        above, seen = word, set[int]()
        while above and above not in seen:
            seen.add(above)
            above = heads[above - 1]
        if above:
            return False
    return True


def all_trees(n: int, *, single_root: bool) -> list[Tree]:
    return [
        heads
        for heads in itertools.product(range(n + 1), repeat=n)
        if is_tree(heads) and (not single_root or heads.count(0) == 1)
    ]


def score(scores: np.ndarray, heads: Tree) -> float:
    return float(sum(scores[i, h] for i, h in enumerate(heads)))


def padded(tables: list[np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
    """Pad with numbers that would win if anybody looked at them."""
    n = max(len(table) for table in tables)
    scores = torch.full((len(tables), n, n + 1), 1e6).double()
    for i, table in enumerate(tables):
        scores[i, : len(table), : len(table) + 1] = torch.from_numpy(table)
    return scores, torch.tensor([len(table) for table in tables])


@roots
def test_the_sum_over_flat_scores_counts_the_trees(single_root: bool) -> None:  # noqa: FBT001
    scores, lengths = padded([np.zeros((n, n + 1)) for n in (1, 2, 3, 4)])

    found = tree_log_partition(scores, lengths, single_root=single_root).exp()

    expected = [1, 2, 9, 64] if single_root else [1, 3, 16, 125]
    assert found.numpy() == pytest.approx(expected)


@roots
@pytest.mark.parametrize("seed", range(10))
def test_the_sum_equals_brute_force_and_is_at_least_the_best_tree(
    seed: int,
    single_root: bool,  # noqa: FBT001
) -> None:
    rng = np.random.default_rng(seed)
    tables = [3 * rng.normal(size=(n, n + 1)) for n in (1, 2, 3, 4)]
    scores, lengths = padded(tables)

    found = tree_log_partition(scores, lengths, single_root=single_root)

    best = max_spanning_trees(scores, lengths, single_root=single_root)
    for b, table in enumerate(tables):
        trees = all_trees(len(table), single_root=single_root)
        expected = np.logaddexp.reduce([score(table, tree) for tree in trees])
        assert float(found[b]) == pytest.approx(expected)
        assert score(table, tuple(best[b, : len(table)].tolist())) <= found[b] + 1e-9


def test_a_constant_for_a_word_shifts_the_sum() -> None:
    scores, lengths = padded([np.random.default_rng(2).normal(size=(4, 5))])

    shifted = tree_log_partition(scores + torch.arange(4.0)[None, :, None], lengths)

    assert shifted.item() == pytest.approx(tree_log_partition(scores, lengths) + 6)


def test_the_gradient_is_the_probability_of_an_arc() -> None:
    table = np.random.default_rng(5).normal(size=(4, 5))
    scores = torch.from_numpy(table)[None].requires_grad_()

    tree_log_partition(scores, torch.tensor([4])).sum().backward()  # type: ignore[no-untyped-call]

    trees = all_trees(4, single_root=True)
    weights = np.exp([score(table, tree) for tree in trees])
    expected = sum(w for w, t in zip(weights, trees, strict=True) if t[2] == 1)
    assert scores.grad is not None
    assert scores.grad[0, 2, 1].item() == pytest.approx(expected / weights.sum())
    assert scores.grad[0].sum(1).numpy() == pytest.approx(np.ones(4))


def test_scores_far_apart_do_not_overflow() -> None:
    far = np.random.default_rng(1).normal(size=(3, 4)) * 1e4 + 1e5

    assert torch.isfinite(tree_log_partition(*padded([far]))).all()


def test_no_words_sum_to_one_tree_and_no_tree_to_none() -> None:
    nothing = tree_log_partition(torch.zeros(2, 1, 2), torch.tensor([0, 1]))
    circle = torch.full((1, 2, 3), -math.inf)
    circle[0, 0, 2] = circle[0, 1, 1] = 0.0

    assert nothing.tolist() == [0.0, 0.0]
    assert tree_log_partition(circle, torch.tensor([2])).tolist() == [-math.inf]
