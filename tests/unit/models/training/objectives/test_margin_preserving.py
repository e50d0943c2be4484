"""The loss for updates that add classes; numbers worked out by hand."""

from math import e, log
from typing import Literal

import pytest

torch = pytest.importorskip("torch")

from compat_eval.models.training.objectives.margin_preserving import (  # noqa: E402
    MarginPreserving,
)

pytestmark = pytest.mark.torch

# The third label is the one that OLD lacks.
LOGITS = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
GOLD = torch.tensor([0, 2])
COLUMNS = {
    "teacher_logits": torch.tensor([[2.0, 0.0, -1e4], [5.0, 0.0, -1e4]]),
    "taught": torch.tensor([1.0, 0.0]),
    "new_logits": torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 3.0]]),
    "new_taught": torch.tensor([0.0, 0.0]),
}


def test_the_bias_counts_in_the_cross_entropy_of_added_labels_alone() -> None:
    loss = MarginPreserving(added=(2,), bias=1.0, share=0.0)(LOGITS, GOLD, **COLUMNS)

    nats = [log(e + 1 + e**2) - 1, log(2 + e) - 1]
    assert float(loss) == pytest.approx(sum(nats) / 2)


def test_both_sources_teach_each_where_it_knows_the_right_label() -> None:
    loss = MarginPreserving(added=(2,), bias=1.0, distance="lm")

    found = loss(LOGITS, GOLD, **COLUMNS)

    # OLD: (1 + 5)·½·1²/2 in the first example; it lacks the second one's label.
    # NEW: nothing in the first, 1·½·3²/3 in the second. Each times 0.4.
    nats = [log(e + 1 + e**2) - 1, log(2 + e) - 1]
    expected = (nats[0] + 0.4 * 6 * 0.25 + nats[1] + 0.4 * 1.5) / 2
    assert float(found) == pytest.approx(expected)


def test_kl_has_the_weight_of_the_published_code_by_default() -> None:
    plain = MarginPreserving(added=(2,), bias=0.0, share=0.0)
    default = MarginPreserving(added=(2,), bias=0.0, alpha=1.0, beta=0.0)
    spelled = MarginPreserving(added=(2,), bias=0.0, beta=0.0, share=1.0)
    nats = float(plain(LOGITS, GOLD, **COLUMNS))

    apart = float(default(LOGITS, GOLD, **COLUMNS)) - nats

    with_square = float(spelled(LOGITS, GOLD, **COLUMNS)) - nats
    assert with_square == pytest.approx(25 * apart, rel=1e-4)


@pytest.mark.parametrize(("over", "expected"), [("all", log(1.5)), ("shared", 0.0)])
def test_old_can_teach_that_labels_it_lacks_are_improbable(
    over: Literal["all", "shared"], expected: float
) -> None:
    told = {
        "teacher_logits": torch.tensor([[0.0, 0.0, -1e4]]),
        "taught": torch.tensor([0.0]),
        "new_logits": torch.tensor([[0.0, 0.0, 0.0]]),
        "new_taught": torch.tensor([0.0]),
    }
    loss = MarginPreserving(added=(2,), bias=0.0, temperature=1.0, over=over)

    found = loss(torch.zeros(1, 3), torch.tensor([0]), **told)

    assert float(found) - log(3) == pytest.approx(expected, abs=1e-6)


def test_no_gradient_reaches_a_source_and_none_is_nan() -> None:
    logits = LOGITS.clone().requires_grad_()
    columns = {name: one.clone().requires_grad_() for name, one in COLUMNS.items()}
    detached = {name: one.detach() for name, one in columns.items()}

    MarginPreserving(added=(2,))(logits, GOLD, **detached).backward()  # type: ignore[no-untyped-call]

    assert torch.isfinite(logits.grad).all()
    assert all(one.grad is None for one in columns.values())
