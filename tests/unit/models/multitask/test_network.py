import pytest
import torch

from compat_eval.models.multitask.network import HashedWords
from compat_eval.models.multitask.tasks import tasks_of
from tests.unit.models.multitask.toys import HASHING, examples, network_for

pytestmark = pytest.mark.torch

TASKS = tasks_of(examples(30, 0))


def sentences(*texts: str) -> list[HashedWords]:
    return [TASKS[1].encode(text, HASHING) for text in texts]


def test_a_sentence_has_a_row_or_each_of_its_words() -> None:
    network = network_for(TASKS).eval()
    both = sentences("red green", "black")

    labels, tags = network([(0, both), (1, both)])

    assert labels.shape == (2, len(TASKS[0].labels))
    assert tags.shape == (3, 2)


def test_what_stands_beside_a_sentence_changes_nothing() -> None:
    network = network_for(TASKS).eval()
    alone = [network([(task, sentences("red"))])[0] for task in (0, 1)]

    beside = sentences("red", "green blue black white")
    together = network([(0, beside), (1, beside)])

    for one, many in zip(alone, together, strict=True):
        assert torch.allclose(one[0], many[0], atol=1e-6)


def test_neighbours_change_a_word_s_tag() -> None:
    network = network_for(TASKS).eval()

    (tags,) = network([(1, sentences("red green", "red black"))])

    assert not torch.allclose(tags[0], tags[2])
