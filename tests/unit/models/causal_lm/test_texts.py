"""Texts as tokens, of which some are predicted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from compat_eval.core.errors import DataError
from tests import fakes

pytest.importorskip("torch")
pytestmark = pytest.mark.torch


def sequences(directory: Path, longest: int = 8, **columns: list[Any]) -> list[Any]:
    from compat_eval.models.causal_lm.texts import sequences_of
    from compat_eval.models.encoders.pretrained import load_tokenizer

    ids = [str(at) for at in range(len(columns["input"]))]
    examples = fakes.examples(id=ids, **columns)
    found = sequences_of(examples, load_tokenizer(directory, "the model"), longest)
    return [(list(one.ids), one.context) for one in found]


def test_every_token_of_a_text_is_predicted_once(causal: Callable[..., Path]) -> None:
    found = sequences(causal(), longest=3, input=["a b c d", ""])

    # 0 stands before every text; a piece begins with the last token of the one before.
    assert found == [([0, 1, 2], 1), ([2, 3, 4], 1)]


def test_of_a_question_only_the_answer_is_predicted(
    causal: Callable[..., Path],
) -> None:
    found = sequences(causal(), longest=4, input=["a ?", "c d e ?"], gold=["b", "e"])

    assert found == [([1, 6, 2, 0], 2), ([5, 6, 5, 0], 2)]


def test_what_cannot_be_learned_is_told(causal: Callable[..., Path]) -> None:
    with pytest.raises(DataError, match=r"1 examples whose input is no text.*'1'"):
        sequences(causal(), input=["a", None])
    with pytest.raises(DataError, match="no token to learn"):
        sequences(causal(), input=["", ""])


def test_a_batch_knows_where_its_predicted_tokens_are() -> None:
    from compat_eval.models.causal_lm.texts import TokenSequence, padded

    ids, mask, rows, places = padded(
        [TokenSequence([5, 6, 7], 2), TokenSequence([8, 9], 1)]
    )

    assert ids.tolist() == [[5, 6, 7], [8, 9, 0]]
    assert mask.tolist() == [[1, 1, 1], [1, 1, 0]]
    assert ids[rows, places].tolist() == [7, 9]
