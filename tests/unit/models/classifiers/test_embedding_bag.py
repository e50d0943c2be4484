from pathlib import Path

import pytest

from compat_eval.core.protocols import HasWeights
from compat_eval.models.classifiers.embedding_bag import (
    EmbeddingBagClassifier,
    EmbeddingBagNetwork,
    Hashing,
    load,
)

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


def test_it_is_the_same_after_it_was_saved_and_opened(tmp_path: Path) -> None:
    hashing = Hashing(n_buckets=50, shortest=3, longest=4)
    network = EmbeddingBagNetwork(n_buckets=50, width=4, n_labels=2).eval()
    model = EmbeddingBagClassifier(
        network=network, hashing=hashing, labels=("no", "yes")
    )
    assert isinstance(model, HasWeights)
    doubled = model.with_weights({k: 2 * v for k, v in model.weights.items()})

    doubled.save(tmp_path)
    found = load(tmp_path, labels=model.labels, device="cpu")

    assert found.built_as == model.built_as
    assert found.logits(found.encode(["maybe so"])).tolist() == (
        doubled.logits(doubled.encode(["maybe so"])).tolist()
    )
    assert (found.weights["head.bias"] == 2 * model.weights["head.bias"]).all()
