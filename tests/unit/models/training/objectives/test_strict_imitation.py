"""Strict imitation, by hand."""

import pytest

pytest.importorskip("torch")

import torch

from compat_eval.models.training.data import UNKNOWN_LOGIT
from compat_eval.models.training.objectives.cross_entropy import CrossEntropy
from compat_eval.models.training.objectives.strict_imitation import StrictImitation

pytestmark = pytest.mark.torch

OLD = torch.tensor([[2.0, 0.0, 0.0], [0.0, 1.0, 0.0]], dtype=torch.float64)
NEW = torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]], dtype=torch.float64)
GOLD = torch.tensor([0, 2])
RIGHT = torch.tensor([1.0, 0.0])


@pytest.mark.parametrize(("over", "n_counted"), [("right", 1), ("examples", 2)])
def test_old_s_probabilities_are_the_targets_where_it_is_right(
    over: str, n_counted: int
) -> None:
    objective = StrictImitation(share=2.0, over=over)  # type: ignore[arg-type]

    loss = objective(NEW, GOLD, teacher_logits=OLD, taught=RIGHT)

    plain = float(CrossEntropy()(NEW, GOLD))
    assert float(loss) == pytest.approx(plain + 2 * 0.302929 / n_counted, abs=1e-6)


def test_the_target_is_probabilities_and_not_their_logarithms() -> None:
    # With log-probabilities, all below 0, for the target, the element-wise KL is 0.
    loss = StrictImitation()(NEW, GOLD, teacher_logits=OLD, taught=torch.ones(2))

    assert float(loss) > float(CrossEntropy()(NEW, GOLD)) + 0.1


def test_nothing_right_or_shared_is_no_dissonance() -> None:
    nothing = torch.full_like(OLD, UNKNOWN_LOGIT)

    for old, right in ((OLD, torch.zeros(2)), (nothing, torch.ones(2))):
        loss = StrictImitation()(NEW, GOLD, teacher_logits=old, taught=right)
        torch.testing.assert_close(loss, CrossEntropy()(NEW, GOLD))
