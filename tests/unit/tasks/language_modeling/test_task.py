"""Documents graded by nats per token, or bits per byte."""

import math

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
    assert not list(language_modeling(per="byte").remarks(DOCUMENTS, OLD, other))


def test_needs_no_gold_and_says_its_nouns() -> None:
    (level,) = language_modeling(per="byte").levels

    assert not level.needs_gold
    assert (level.unit, level.units) == ("document", "documents")
    assert level.score_unit == "bits per byte"


@pytest.mark.parametrize("options", [{"per": "word"}, {"epsilon": -1.0}])
def test_options_without_such_a_value_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="language_modeling: "):
        language_modeling(**options)  # type: ignore[arg-type]


def test_it_passes_the_kit() -> None:
    check_task(language_modeling(), DOCUMENTS, OLD)
    check_task(language_modeling(per="byte"), DOCUMENTS, OLD)
