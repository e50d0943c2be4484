import itertools
import math

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from compat_eval.models.decoding import (
    are_trees,
    k_best_trees,
    max_spanning_trees,
)
from compat_eval.models.decoding.k_best import search_trees

pytestmark = pytest.mark.torch

Tree = tuple[int, ...]


def is_tree(heads: Tree) -> bool:
    for word in range(1, len(heads) + 1):
        seen: set[int] = set()
        while word and word not in seen:
            seen.add(word)
            word = heads[word - 1]  # noqa: PLW2901
        if word:
            return False
    return True


def all_trees(n: int, *, single_root: bool) -> list[Tree]:
    found = itertools.product(range(n + 1), repeat=n)
    return [
        heads
        for heads in found
        if is_tree(heads) and (not single_root or heads.count(0) == 1)
    ]


TREES = {
    (n, single): all_trees(n, single_root=single)
    for n in range(1, 6)
    for single in (True, False)
}


def score(scores: np.ndarray, heads: Tree) -> float:
    return float(sum(scores[i, h] for i, h in enumerate(heads)))


def random_scores(seed: int, n: int, *, impossible: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(n, n + 1)) * rng.choice([0.5, 3.0])
    scores[rng.random(scores.shape) < impossible] = -np.inf
    return np.asarray(scores, np.float64)


def batch_of(tables: list[np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
    """Pad with numbers that would win if anybody looked at them."""
    n = max(len(table) for table in tables)
    scores = torch.full((len(tables), n, n + 1, *tables[0].shape[2:]), 1e6).double()
    for i, table in enumerate(tables):
        scores[i, : len(table), : len(table) + 1] = torch.from_numpy(table)
    return scores, torch.tensor([len(table) for table in tables])


def test_the_numbers_of_trees_are_those_of_the_specification() -> None:
    assert [len(TREES[n, False]) for n in (1, 2, 3, 4)] == [1, 3, 16, 125]
    assert [len(TREES[n, True]) for n in (1, 2, 3, 4)] == [1, 2, 9, 64]


def test_the_worked_example() -> None:
    table = np.array([[5.0, -9.0, 10.0], [1.0, 8.0, -9.0]])
    scores, lengths = batch_of([table])

    best = k_best_trees(scores[..., None], lengths, 3, single_root=False)

    assert max_spanning_trees(scores, lengths).tolist() == [[0, 1]]
    assert best.heads[0].tolist() == [[0, 1], [2, 0], [0, 0]]
    assert best.scores[0].tolist() == [13.0, 11.0, 6.0]
    assert k_best_trees(scores[..., None], lengths, 3).counts.tolist() == [2]
    normal = torch.where(torch.eye(2, 3).roll(1, 1).bool(), -math.inf, scores[0])
    normal = normal.log_softmax(1)[None]
    found = k_best_trees(normal[..., None], lengths, 3, single_root=False)
    assert found.scores[0].numpy() == pytest.approx(
        [-5.0076, -7.0076, -12.0076], abs=1e-4
    )


@pytest.mark.parametrize("single_root", [True, False], ids=["single", "multi"])
@pytest.mark.parametrize("seed", range(30))
def test_the_best_tree_equals_brute_force(
    seed: int,
    single_root: bool,  # noqa: FBT001
) -> None:
    tables = [random_scores(seed * 10 + n, n) for n in (1, 2, 3, 4, 5)]
    scores, lengths = batch_of(tables)

    heads = max_spanning_trees(scores, lengths, single_root=single_root)

    for b, table in enumerate(tables):
        n = len(table)
        trees = TREES[n, single_root]
        assert tuple(heads[b, :n].tolist()) == max(trees, key=lambda t: score(table, t))
        assert heads[b, n:].tolist() == [0] * (5 - n)


def labelled(table: np.ndarray, *, single_root: bool) -> list[tuple[float, Tree, Tree]]:
    n, _, n_labels = table.shape
    found = []
    for heads in TREES[n, single_root]:
        for labels in itertools.product(range(n_labels), repeat=n):
            total = sum(table[i, heads[i], labels[i]] for i in range(n))
            if total > -np.inf:
                found.append((float(total), heads, labels))
    return sorted(found, reverse=True)


@pytest.mark.parametrize("single_root", [True, False], ids=["single", "multi"])
@pytest.mark.parametrize("k", [1, 7, 200])
@pytest.mark.parametrize("seed", range(6))
def test_k_best_labelled_trees_equal_brute_force(
    seed: int,
    k: int,
    single_root: bool,  # noqa: FBT001
) -> None:
    rng = np.random.default_rng(seed)
    tables = [rng.normal(size=(n, n + 1, 2)) for n in (4, 1, 3, 2)]
    for table in tables[::2]:
        table[rng.random(table.shape) < 0.25] = -np.inf
    scores, lengths = batch_of(tables)

    found = k_best_trees(scores, lengths, k, single_root=single_root)

    for b, table in enumerate(tables):
        n, expected = len(table), labelled(table, single_root=single_root)[:k]
        count = int(found.counts[b])
        assert count == len(expected)
        assert found.scores[b, :count].numpy() == pytest.approx(
            [e[0] for e in expected]
        )
        ours = zip(found.heads[b].tolist(), found.labels[b].tolist(), strict=True)
        trees = [(tuple(h[:n]), tuple(one[:n])) for h, one in ours][:count]
        assert trees == [e[1:] for e in expected]
        assert (found.scores[b, count:] == -math.inf).all()
        searched = search_trees(table, k, single_root=single_root)
        assert [(tuple(t.heads), tuple(t.labels)) for t in searched] == trees


def test_a_tree_does_not_depend_on_the_sentences_beside_it() -> None:
    rng = np.random.default_rng(3)
    tables = [rng.normal(size=(n, n + 1, 3)) for n in (3, 17, 9, 1, 30)]
    scores, lengths = batch_of(tables)
    arcs = scores.amax(3)

    together = k_best_trees(scores, lengths, 5)
    best = max_spanning_trees(arcs, lengths)

    for b, table in enumerate(tables):
        one, n = batch_of([table]), len(table)
        alone = k_best_trees(*one, 5)
        assert torch.equal(alone.heads[0], together.heads[b, :, :n])
        assert torch.equal(alone.labels[0], together.labels[b, :, :n])
        assert torch.equal(alone.scores[0], together.scores[b])
        assert torch.equal(max_spanning_trees(one[0].amax(3), one[1])[0], best[b, :n])


def test_a_sentence_of_400_words_has_its_trees() -> None:
    rng = np.random.default_rng(0)
    table = rng.normal(size=(400, 401))
    table[np.arange(400), np.arange(400)] += 9.0  # as a trained parser would be
    scores, lengths = batch_of([table, rng.normal(size=(400, 401))])

    heads = max_spanning_trees(scores, lengths)
    best = k_best_trees(scores[:1, ..., None], lengths[:1], 3)

    assert are_trees(heads, lengths).all()
    assert torch.equal(best.heads[0, 0], heads[0])
    assert best.scores[0].tolist() == sorted(best.scores[0].tolist(), reverse=True)


def test_an_empty_sentence_has_the_empty_tree() -> None:
    scores, lengths = torch.zeros(2, 1, 2), torch.tensor([0, 1])

    assert max_spanning_trees(scores, lengths).tolist() == [[0], [0]]
    nothing = torch.zeros(1, 0, 1, 2), torch.tensor([0])
    assert k_best_trees(*nothing, 2).scores.tolist() == [[0.0, -math.inf]]
    assert max_spanning_trees(nothing[0].amax(3), nothing[1]).shape == (1, 0)


def test_what_has_no_tree_is_refused_and_has_no_candidates() -> None:
    scores = torch.full((1, 2, 3), -math.inf)
    scores[0, 0, 2] = scores[0, 1, 1] = 0.0
    lengths = torch.tensor([2])

    with pytest.raises(ValueError, match="sentence 0 of the batch has no tree at all"):
        max_spanning_trees(scores, lengths)
    assert k_best_trees(scores[..., None], lengths, 2).counts.tolist() == [0]


def test_wrong_arguments_are_refused() -> None:
    square, two = torch.zeros(1, 2, 2), torch.tensor([2])

    with pytest.raises(ValueError, match="expected scores of shape"):
        max_spanning_trees(square, two)
    with pytest.raises(ValueError, match="got nan"):
        max_spanning_trees(torch.full((1, 2, 3), math.nan), two)
    with pytest.raises(ValueError, match="k of at least 1, got 0"):
        k_best_trees(torch.zeros(1, 2, 3, 1), two, 0)
