"""Documents graded by nats per token, or bits per byte."""

import math
import re

import numpy as np
import pyarrow as pa
import pytest

from compat_eval.core.errors import DataError, UsageError
from compat_eval.core.examples import Examples
from compat_eval.core.grades import BETTER, SAME, WORSE, cells
from compat_eval.core.predictions import Predictions
from compat_eval.tasks.language_modeling.task import language_modeling
from compat_eval.testing import check_task

IDS = ["a", "b", "c"]
DOCUMENTS = Examples(pa.table({"id": IDS, "input": ["abcd", "ab", "é"]}))


def answers(nats: list[float | None], tokens: list[int | None]) -> Predictions:
    columns = {
        "id": IDS,
        "nll": pa.array(nats, pa.float64()),
        "n_tokens": pa.array(tokens, pa.int64()),
    }
    return Predictions(pa.table(columns))


OLD = answers([8.0, 3.0, 2.0], [4, 1, 2])


def test_a_document_is_worth_its_nats_per_token() -> None:
    found = language_modeling().grade(DOCUMENTS, OLD)["document"]

    assert found.values.tolist() == [2.0, 3.0, 1.0]
    assert found.offsets.tolist() == [0, 1, 2, 3]


def test_or_its_bits_per_byte() -> None:
    found = language_modeling(per="byte").grade(DOCUMENTS, OLD)["document"]

    # 8 nats over 4 bytes, 3 over 2, 2 over the two bytes of "é".
    assert found.values * math.log(2) == pytest.approx([2.0, 1.5, 1.0])


def test_no_answer_and_no_tokens_have_no_score() -> None:
    silent = answers([None, 0.0, 2.0], [None, 0, 2])

    found = language_modeling().grade(DOCUMENTS, silent)["document"]

    assert np.isnan(found.values).tolist() == [True, True, False]


def test_documents_are_worse_or_better_by_more_than_epsilon() -> None:
    task = language_modeling(epsilon=0.1)
    new = answers([8.2, 3.5, 1.0], [4, 1, 2])  # 2.05, 3.5, .5 nats per token

    old, found = (task.grade(DOCUMENTS, side)["document"] for side in (OLD, new))

    assert cells(task.levels[0], old, found).tolist() == [SAME, WORSE, BETTER]


def test_log_likelihoods_with_the_wrong_sign_are_refused() -> None:
    with pytest.raises(DataError, match=r"below 0 for 1 documents \(b\)"):
        language_modeling().grade(DOCUMENTS, answers([8.0, -3.0, 2.0], [4, 1, 2]))


def test_tokens_of_two_tokenizers_are_not_compared() -> None:
    other = answers([8.0, 3.0, 2.0], [5, 1, 2])

    with pytest.raises(DataError, match=r"1 of 3 documents \(a\).*per: byte"):
        list(language_modeling().remarks(DOCUMENTS, OLD, other))
    (said,) = language_modeling(per="byte").remarks(DOCUMENTS, OLD, other)
    assert "other tokens in 1 of 3 documents" in said
    assert not list(language_modeling(per="byte").remarks(DOCUMENTS, OLD, OLD))


def test_needs_no_gold_and_says_its_nouns() -> None:
    level, *of_tokens = language_modeling(per="byte").levels

    assert not any(one.needs_gold for one in of_tokens)
    assert [one.name for one in of_tokens] == ["token", "top_token"]
    assert not level.needs_gold
    assert (level.unit, level.units) == ("document", "documents")
    assert level.score_unit == "bits per byte"


@pytest.mark.parametrize("options", [{"per": "word"}, {"epsilon": -1.0}])
def test_options_without_such_a_value_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="language_modeling: "):
        language_modeling(**options)  # type: ignore[arg-type]


def test_it_passes_the_kit() -> None:
    for task in (language_modeling(), language_modeling(per="byte")):
        for side in (OLD, TOLD):
            check_task(task.suited([DOCUMENTS], [side, side]), DOCUMENTS, side)


def test_infinite_nats_are_refused() -> None:
    with pytest.raises(DataError, match=r"infinite for 1 documents \(b\)"):
        language_modeling().grade(DOCUMENTS, answers([8.0, math.inf, 2.0], [4, 1, 2]))


Lists = list[list[int] | None]


def told(ranks: Lists, top: Lists, nats: float = 9.0) -> Predictions:
    """Return answers that tell of each token; a document without ranks has none."""
    given = answers(
        [None if one is None else nats for one in ranks],
        [None if one is None else len(one) for one in ranks],
    )
    kind = pa.list_(pa.int32())
    return given.with_column("token_ranks", pa.array(ranks, kind)).with_column(
        "top_tokens", pa.array(top, kind)
    )


TOLD = told([[1, 2, 1, 3], [1], [2, 2]], [[5, 6, 7, 8], [5], [9, 9]])
NEW = told([[1, 1, 2, 2], [1], [1, 3]], [[5, 4, 6, 8], [5], [4, 9]])


def test_a_token_is_right_where_it_is_the_most_probable() -> None:
    task = language_modeling().suited([DOCUMENTS], [TOLD, NEW])

    found = task.grade(DOCUMENTS, TOLD)

    assert [one.name for one in task.levels] == ["document", "token", "top_token"]
    assert found["token"].values.tolist() == [1, 0, 1, 0, 1, 0, 0]
    assert found["token"].offsets.tolist() == [0, 4, 5, 7]
    assert found["top_token"].values.tolist() == [5, 6, 7, 8, 5, 9, 9]
    moved = task.changed(DOCUMENTS, TOLD, NEW, "token")
    assert moved is not None
    assert moved.tolist() == [0, 1, 1, 0, 0, 1, 0]
    assert task.changed(DOCUMENTS, TOLD, NEW, "top_token") is None


def test_tokens_of_a_document_without_an_answer_are_wrong() -> None:
    silent = told([None, [1], [1, 3]], [None, [5], [4, 9]])
    task = language_modeling().suited([DOCUMENTS], [TOLD, silent])

    found = task.grade(DOCUMENTS, silent)

    assert found["token"].values.tolist() == [0, 0, 0, 0, 1, 1, 0]
    assert np.isnan(found["top_token"].values).tolist() == [*[True] * 4, *[False] * 3]
    moved = task.changed(DOCUMENTS, TOLD, silent, "token")
    assert moved is not None
    assert moved.tolist() == [1, 1, 1, 1, 0, 1, 0]


@pytest.mark.parametrize(
    ("new", "levels", "why"),
    [
        (OLD, ["document"], "not every side tells"),
        (
            told([[1, 1, 2], [1], [1, 3]], [[5, 4, 6], [5], [4, 9]]),
            ["document"],
            r"cut 1 of 3 documents into other tokens \(a\)",
        ),
        (
            told([[1, 1, 2, 2], [1], [1, 3]], [[4, 4, 6, 8], [4], [5, 9]]),
            ["document"],
            "number tokens otherwise",
        ),
        (
            told([[2, 1, 2, 2], [2], [1, 3]], [[4, 4, 6, 8], [4], [5, 9]]),
            ["document", "token"],
            "no token is right on both sides",
        ),
    ],
)
def test_levels_of_tokens_need_one_tokenizer(
    new: Predictions, levels: list[str], why: str
) -> None:
    task = language_modeling(per="byte").suited([DOCUMENTS], [TOLD, new])

    assert [one.name for one in task.levels] == levels
    assert re.search(why, task.withheld["top_token"])


def test_tokens_that_a_side_predicted_and_does_not_tell_of_cannot_break() -> None:
    silent = told([None, [1], [2, 2]], [None, [5], [9, 9]])
    nats = silent.with_column("nll", pa.array([9.0, 9.0, 9.0]))
    untold = nats.with_column("n_tokens", pa.array([4, 1, 2]))

    task = language_modeling().suited([DOCUMENTS], [untold, TOLD])

    assert [one.name for one in task.levels] == ["document"]
    assert re.search(r"tells nothing of their tokens \(a\)", task.withheld["token"])


def test_nothing_passes_on_nats_per_token_of_two_vocabularies() -> None:
    new = told([[1, 1, 2, 2], [1], [1, 3]], [[4, 4, 6, 8], [4], [5, 9]])

    (said,) = language_modeling().doubts(DOCUMENTS, TOLD, new)

    assert "their vocabularies differ" in said
    assert not list(language_modeling(per="byte").doubts(DOCUMENTS, TOLD, new))
    for same in (TOLD, NEW, OLD):
        assert not list(language_modeling().doubts(DOCUMENTS, TOLD, same))


def test_moves_are_unknown_where_nothing_shows_that_numbers_are_tokens() -> None:
    new = told([[2, 1, 2, 2], [2], [1, 3]], [[4, 4, 6, 8], [4], [5, 9]])

    task = language_modeling().suited([DOCUMENTS], [TOLD, new])

    assert task.changed(DOCUMENTS, TOLD, new, "token") is None


@pytest.mark.parametrize(
    ("ranks", "top", "why"),
    [
        ([[1, 2, 1], [1], [2, 2]], [[5, 6, 7], [5], [9]], r"top_tokens must list.*c"),
        ([[0, 2], [1], [2, 2]], [[5, 6], [5], [9, 9]], r"must be from 1.*\(a\)"),
        ([[9000, 2], [1], [2, 2]], [[5, 6], [5], [9, 9]], r"less than.*ln r.*\(a\)"),
    ],
)
def test_lists_that_contradict_themselves_are_refused(
    ranks: Lists, top: Lists, why: str
) -> None:
    with pytest.raises(DataError, match=why):
        language_modeling().suited([DOCUMENTS], [told(ranks, top)])


def test_lists_that_are_no_numbers_are_refused() -> None:
    texts = TOLD.with_column("token_ranks", pa.array([["1"], ["x"], []]))
    flat = TOLD.with_column("token_ranks", pa.array([1, 2, 3]))

    with pytest.raises(DataError, match="must list whole numbers"):
        language_modeling().suited([DOCUMENTS], [texts])
    with pytest.raises(DataError, match="must list a whole number a token"):
        language_modeling().suited([DOCUMENTS], [flat])
