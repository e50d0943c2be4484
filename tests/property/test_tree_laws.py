"""Laws of trees: of the decoders, of alignment, and of bracketed trees."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compat_eval.tasks.dependency.trees import are_no_trees, first_fault
from compat_eval.tasks.semantic.trees import bracketed, labels, outermost, parse_tree

pytest.importorskip("torch")

import torch

from compat_eval.models.decoding import (
    are_trees,
    k_best_trees,
    max_spanning_trees,
)

seeds = st.integers(0, 2**32 - 1)
lengths_of_batch = st.lists(st.integers(1, 12), min_size=1, max_size=5)
roots = st.booleans()


def scores_for(
    seed: int, sizes: list[int], n_labels: int = 1
) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(seed)
    n = max(sizes)
    table = rng.normal(size=(len(sizes), n, n + 1, n_labels))
    return torch.from_numpy(table), torch.tensor(sizes)


def tree_scores(
    scores: torch.Tensor, heads: torch.Tensor, lengths: torch.Tensor
) -> torch.Tensor:
    """Return the sum of the arcs of one tree a sentence."""
    arcs = scores.gather(2, heads[:, :, None]).squeeze(2)
    words = torch.arange(heads.shape[1]) < lengths[:, None]
    return torch.where(words, arcs, 0.0).sum(dim=1)


@settings(deadline=None, max_examples=40)
@given(seeds, lengths_of_batch, roots, st.integers(1, 12))
def test_k_best_trees_are_trees_in_order_and_each_only_once(
    seed: int,
    sizes: list[int],
    single_root: bool,  # noqa: FBT001
    k: int,
) -> None:
    scores, lengths = scores_for(seed, sizes, n_labels=2)

    found = k_best_trees(scores, lengths, k, single_root=single_root)

    for b, n in enumerate(sizes):
        count = int(found.counts[b])
        assert count >= 1
        heads, names = found.heads[b, :count, :n], found.labels[b, :count, :n]
        assert are_trees(
            heads, torch.tensor([n] * count), single_root=single_root
        ).all()
        assert (
            len({tuple(row.tolist()) for row in torch.cat([heads, names], 1)}) == count
        )
        assert (found.scores[b, :count].diff() <= 1e-9).all()


@settings(deadline=None, max_examples=40)
@given(seeds, lengths_of_batch, roots)
def test_the_best_tree_is_the_first_of_the_k_best(
    seed: int,
    sizes: list[int],
    single_root: bool,  # noqa: FBT001
) -> None:
    scores, lengths = scores_for(seed, sizes)
    arcs = scores.squeeze(3)

    best = max_spanning_trees(arcs, lengths, single_root=single_root)
    found = k_best_trees(scores, lengths, 3, single_root=single_root)

    assert torch.equal(found.heads[:, 0], best)
    assert torch.allclose(found.scores[:, 0], tree_scores(arcs, best, lengths))


@settings(deadline=None, max_examples=40)
@given(seeds, lengths_of_batch)
def test_a_constant_for_a_word_changes_no_tree_and_shifts_the_sum(
    seed: int, sizes: list[int]
) -> None:
    scores, lengths = scores_for(seed, sizes)
    arcs = scores.squeeze(3)
    shift = torch.arange(arcs.shape[1]).double()

    shifted = arcs + shift[None, :, None]

    assert torch.equal(
        max_spanning_trees(arcs, lengths), max_spanning_trees(shifted, lengths)
    )


@settings(deadline=None, max_examples=40)
@given(seeds, lengths_of_batch)
def test_fewer_trees_are_never_better(seed: int, sizes: list[int]) -> None:
    scores, lengths = scores_for(seed, sizes)
    arcs = scores.squeeze(3)

    single, multi = (
        max_spanning_trees(arcs, lengths, single_root=one) for one in (True, False)
    )

    lead = tree_scores(arcs, multi, lengths) - tree_scores(arcs, single, lengths)
    assert (lead >= -1e-9).all()


@given(st.lists(st.integers(0, 8), min_size=1, max_size=8))
def test_both_tree_checks_agree(heads: list[int]) -> None:
    n = len(heads)

    fault = first_fault(np.array(heads), np.array([0, n]))
    tree = are_trees(torch.tensor([heads]), torch.tensor([n]))

    assert (fault is None) == bool(tree.item())


@given(st.lists(st.lists(st.integers(-1, 6), max_size=6), min_size=1, max_size=5))
def test_sentences_that_are_no_tree_are_those_with_a_fault(
    sentences: list[list[int]],
) -> None:
    heads = np.array([head for one in sentences for head in one], np.int64)
    offsets = np.cumsum([0, *map(len, sentences)])

    found = are_no_trees(heads, offsets)

    for one, wrong in zip(sentences, found.tolist(), strict=True):
        fault = first_fault(np.array(one, np.int64), np.array([0, len(one)]))
        has_root = 0 in one or not one
        assert wrong == (fault is not None or not has_root)


words = st.sampled_from(["play", "it", "7", "]'s", "[x"])
names = st.sampled_from(["IN:A", "IN:B", "SL:C", "SL:D"])
nodes: st.SearchStrategy[str] = st.deferred(
    lambda: st.builds(
        lambda name, below: f"[{name} {' '.join(below)} ]" if below else f"[{name} ]",
        names,
        st.lists(words | nodes, max_size=4),
    )
)


@given(nodes)
def test_writing_a_tree_and_reading_it_again_changes_nothing(text: str) -> None:
    tree = parse_tree(text)

    assert tree is not None
    assert parse_tree(bracketed(tree)) == tree
    assert list(labels(tree)) == list(outermost(tree))


@given(nodes, st.data())
def test_a_tree_that_lacks_a_bracket_is_none(text: str, data: st.DataObject) -> None:
    tokens = text.split()
    brackets = [
        i for i, t in enumerate(tokens) if t == "]" or t[:4] in ("[IN:", "[SL:")
    ]
    at = data.draw(st.sampled_from(brackets))

    assert parse_tree(" ".join(tokens[:at] + tokens[at + 1 :])) is None
