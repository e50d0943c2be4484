"""How texts become items of classifiers of hashed words."""

import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.torch

import torch  # noqa: E402

from compat_eval.models.classifiers.hashed_words import (  # noqa: E402
    WordsKind,
    padded,
)

KIND = WordsKind(name="none", network=dict, sizes=(), longest=2)


def test_the_first_words_of_a_text_count_and_an_empty_one_has_one() -> None:
    long, short, empty = KIND.encoded(["open the door", "Open THE", " "], 1000)

    assert long == short
    assert (len(long), len(empty)) == (2, 1)


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(TypeError, match="must be a text; got int"):
        KIND.encoded([3], 1000)


def test_shorter_texts_are_filled_up() -> None:
    items = KIND.encoded(["open the", "open"], 1000)

    found = padded(items, 1000, torch.device("cpu"))
    assert found.shape == (2, 2)
    assert found[1].tolist() == [items[1].buckets[0], 1000]
