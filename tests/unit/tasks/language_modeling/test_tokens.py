"""What sides tell of tokens, brought together by document."""

import pyarrow as pa

from compat_eval.core.predictions import Predictions
from compat_eval.tasks.language_modeling.tokens import TokenLists, known_sizes


def side(ids: list[str], ranks: list[list[int] | None]) -> TokenLists:
    lists = pa.array(ranks, pa.list_(pa.int32()))
    sizes = [None if one is None else len(one) for one in ranks]
    found = TokenLists.of(
        Predictions(
            pa.table(
                {
                    "id": ids,
                    "nll": pa.array([90.0] * len(ids)),
                    "n_tokens": pa.array(sizes, pa.int64()),
                    "token_ranks": lists,
                    "top_tokens": lists,
                }
            )
        )
    )
    assert found is not None
    return found


def test_a_document_has_the_tokens_that_any_side_tells() -> None:
    one = side(["a", "b", "c"], [[1, 2], None, None])
    other = side(["c", "b", "a"], [None, [1, 2, 3], [1, 1]])

    ids, sizes = known_sizes([one, other])

    assert ids.to_pylist() == ["a", "b", "c"]
    assert sizes.tolist() == [2, 3, 0]


def test_tokens_are_found_by_document() -> None:
    lists = side(["a", "b", "c"], [[1, 2], [3], [4, 5, 6]])

    assert lists.ranks[lists.places(lists.sizes.nonzero()[0][::-1])].tolist() == [
        *(4, 5, 6),
        3,
        *(1, 2),
    ]
    assert lists.spread(lists.ranks, lists.sizes, 0).tolist() == [1, 2, 3, 4, 5, 6]
