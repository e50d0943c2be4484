"""Losses of parsers, by hand."""

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from compat_eval.models.training.objectives.parsing import (
    arc_and_label_loss,
    sequence_loss,
)

pytestmark = pytest.mark.torch


def test_arcs_and_labels_add_up() -> None:
    arcs = torch.tensor([[0.25, 0.75]]).log()
    labels = torch.tensor([[0.1, 0.4, 0.5]]).log()

    loss = arc_and_label_loss(arcs, labels, torch.tensor([1]), torch.tensor([2]))

    assert loss.item() == pytest.approx(-np.log(0.75) - np.log(0.5))


def test_a_sequence_costs_its_nats_by_unit() -> None:
    nats = torch.tensor([[-1.0, -2.0, 0.0], [-3.0, 0.0, 0.0]])

    assert sequence_loss(nats, torch.tensor(3)).item() == 2.0
