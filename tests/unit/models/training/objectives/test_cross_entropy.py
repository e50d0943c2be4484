import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from compat_eval.models.training.objectives.cross_entropy import CrossEntropy

pytestmark = pytest.mark.torch


def test_cross_entropy_is_the_mean_nats_of_the_right_label() -> None:
    logits = torch.tensor([[0.2, 0.8], [0.5, 0.5]]).log()

    loss = CrossEntropy()(logits, torch.tensor([1, 0]))

    assert loss.item() == pytest.approx(-(np.log(0.8) + np.log(0.5)) / 2)
