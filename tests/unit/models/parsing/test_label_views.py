import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from compat_eval.mitigations.combine.classifier_mixing import under as _under
from compat_eval.models.parsing.label_views import numbers_of, translation, under

pytestmark = pytest.mark.torch

LABELS = ("a", "b", "c", "d")


def log_p(seed: int, n_labels: int) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    return torch.tensor(rng.normal(size=(5, n_labels))).log_softmax(dim=-1)


@settings(deadline=None)
@given(st.permutations("abxyz"), st.integers(1, 5), st.integers(0, 99))
def test_probabilities_stay_probabilities(order: str, n: int, seed: int) -> None:
    known = tuple(order[:n])
    numbers = torch.tensor(numbers_of(LABELS, known))

    found = under(log_p(seed, n), numbers, log_p(seed + 1, len(LABELS)))

    torch.testing.assert_close(
        found.exp().sum(dim=-1), torch.ones(5, dtype=torch.float64)
    )


@settings(deadline=None)
@given(st.permutations("abxyz"), st.integers(1, 5), st.integers(0, 99))
def test_classifiers_are_mixed_in_the_same_way(order: str, n: int, seed: int) -> None:
    known = tuple(order[:n])
    told, base = log_p(seed, n), log_p(seed + 1, len(LABELS))
    numbers = torch.tensor(numbers_of(LABELS, known))

    expected = _under(told.numpy(), known, base.numpy(), LABELS)

    np.testing.assert_allclose(under(told, numbers, base).numpy(), expected)


def test_the_same_labels_need_no_translation() -> None:
    cpu = torch.device("cpu")

    assert translation(LABELS, LABELS, cpu) is None
    found = translation(("b", "z", "a"), ("a", "b"), cpu)
    assert found is not None
    assert found.tolist() == [1, -1, 0]


def test_what_nobody_shares_is_said_by_the_other_one() -> None:
    base = log_p(1, 2)

    assert torch.equal(under(log_p(0, 3), torch.tensor([-1, -1]), base), base)
