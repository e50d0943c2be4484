import pytest

from compat_eval.models.classifiers.embedding_bag import Hashing

HASHING = Hashing(n_buckets=10_000, shortest=3, longest=5)


def test_unseen_words_share_pieces_with_known_ones() -> None:
    known = set(HASHING.encode("reservation").buckets)
    misspelt = set(HASHING.encode("reservatoin").buckets)
    other = set(HASHING.encode("weather").buckets)

    assert len(known & misspelt) > 5 * len(known & other)


def test_the_order_of_words_counts() -> None:
    one, other = HASHING.encode("old new"), HASHING.encode("new old")

    assert sorted(one.buckets) != sorted(other.buckets)


@pytest.mark.parametrize("text", ["", "   ", "\ud800", "\x00"])
def test_every_text_has_a_feature(text: str) -> None:
    item = HASHING.encode(text)

    assert len(item) >= 1
    assert all(0 <= bucket < 10_000 for bucket in item.buckets)


def test_width_and_case_of_letters_do_not_count() -> None:
    assert HASHING.encode("ＰＬＡＹ it").buckets == HASHING.encode("play IT").buckets
