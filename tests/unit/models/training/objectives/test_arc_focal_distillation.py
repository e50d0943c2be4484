from math import log

import pytest

torch = pytest.importorskip("torch")

from compat_eval.models.training.objectives.arc_focal_distillation import (  # noqa: E402
    arc_focal_distance,
)

pytestmark = pytest.mark.torch

# Two words; a word is no head of itself.
ARCS = torch.tensor([[0.0, -torch.inf, 0.0], [0.0, 0.0, -torch.inf]])
LABELS = torch.zeros(2, 2)
OLD_ARCS = torch.tensor([[0.75, 1.0, 0.25], [0.5, 0.5, 1.0]]).log()
OLD_ARCS[0, 1] = OLD_ARCS[1, 2] = -1e4
OLD_LABELS = torch.tensor([[0.75, 0.25], [1.0, 1.0]]).log()
OLD_LABELS[1, 1] = -1e4  # a relation that OLD lacks
KL = 0.75 * log(0.75 / 0.5) + 0.25 * log(0.25 / 0.5)


@pytest.mark.parametrize(
    ("right", "expected"),
    [((0.0, 0.0), 2 * KL / 2), ((1.0, 0.0), 6 * 2 * KL / 2), ((0.0, 1.0), KL)],
)
def test_words_whose_head_old_gets_right_count_more(
    right: tuple[float, float], expected: float
) -> None:
    found = arc_focal_distance(
        ARCS,
        LABELS,
        teacher_arcs=OLD_ARCS,
        teacher_labels=OLD_LABELS,
        right=torch.tensor(right),
        alpha=1.0,
        beta=5.0,
        temperature=1.0,
    )

    # In the second word both agree, on what both know.
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_no_gradient_is_nan() -> None:
    arcs = ARCS.clone().requires_grad_()
    labels = LABELS.clone().requires_grad_()

    arc_focal_distance(
        arcs,
        labels,
        teacher_arcs=OLD_ARCS,
        teacher_labels=OLD_LABELS,
        right=torch.ones(2),
        alpha=1.0,
        beta=5.0,
        temperature=2.0,
    ).backward()  # type: ignore[no-untyped-call]

    assert torch.isfinite(arcs.grad).all()
    assert torch.isfinite(labels.grad).all()
