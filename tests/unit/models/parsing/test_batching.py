from itertools import chain

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from compat_eval.models.parsing.batching import batch_of, packed, padded, shuffled
from compat_eval.models.parsing.sentence import Sentence, Tree
from compat_eval.models.parsing.vocabulary import Vocabulary

CPU = torch.device("cpu")
LENGTHS = st.lists(st.integers(1, 30), max_size=40).map(lambda n: np.array(n, np.int64))


@given(LENGTHS, st.integers(1, 80))
def test_every_sentence_is_in_one_batch_within_the_budget(
    lengths: np.ndarray[tuple[int], np.dtype[np.int64]], budget: int
) -> None:
    batches = packed(lengths, budget)

    rows = [int(row) for batch in batches for row in batch]
    assert sorted(rows) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or lengths[batch].max() * len(batch) <= budget


def test_the_longest_sentences_come_first() -> None:
    batches = packed(np.array([1, 9, 4, 6]), 12)

    assert [batch.tolist() for batch in batches] == [[1], [3, 2], [0]]


def test_shuffling_depends_on_the_generator_alone() -> None:
    lengths = np.arange(1, 60)

    one, again, other = (
        [b.tolist() for b in shuffled(lengths, 100, np.random.default_rng(seed))]
        for seed in (1, 1, 2)
    )

    assert one == again
    assert one != other
    assert sorted(chain(*one)) == list(range(59))


def test_padding_is_marked_and_spellings_are_shared() -> None:
    sentences = [Sentence(("a", "b", "a"), ("X",) * 3), Sentence(("b",), ("X",))]
    trees = [Tree((0, 1, 1), ("r",) * 3), Tree((0,), ("r",))]
    vocabulary = Vocabulary.of(sentences, trees, min_count=1)

    batch = batch_of([vocabulary.encode(s) for s in sentences], CPU)

    assert batch.mask.tolist() == [[True] * 4, [True, True, False, False]]
    assert len(batch.spellings) == 3  # the root, a, b
    rows = batch.spellings[batch.spelling]
    assert torch.equal(rows[0, 1], rows[0, 3])
    assert torch.equal(rows[0, 2], rows[1, 1])


def test_rows_are_written_where_the_mask_is_true() -> None:
    here = np.array([[True, True], [True, False]])

    grid = padded([np.array([1, 2]), np.array([3])], here, CPU)

    assert grid.tolist() == [[1, 2], [3, 0]]
