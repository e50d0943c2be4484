"""Losses by hand, and an objective of another package in one class."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pytest

pytest.importorskip("torch")

import torch
from torch import Tensor

from compat_eval.core.errors import DataError, UsageError
from compat_eval.core.examples import Examples
from compat_eval.models import OBJECTIVES
from compat_eval.models.training.objectives import (
    CrossEntropy,
    Distillation,
    arc_and_label_loss,
    sequence_loss,
)
from compat_eval.models.training.train import train_model

pytestmark = pytest.mark.torch

REGISTRY = "compat_eval.models.classifiers.training.OBJECTIVES"
SMALL: dict[str, Any] = {"n_buckets": 500, "width": 8, "epochs": 2, "batch_size": 10}


@dataclass(frozen=True)
class FocalDistillation:
    """Yan et al., CVPR 2021: more weight where the teacher is right."""

    alpha: float = 1.0
    beta: float = 5.0
    temperature: float = 100.0
    columns: ClassVar[tuple[str, ...]] = ("teacher_logits",)

    def __call__(self, logits: Tensor, gold: Tensor, **columns: Tensor) -> Tensor:
        teacher = columns["teacher_logits"]
        told = (teacher / self.temperature).softmax(dim=-1)
        said = (logits / self.temperature).log_softmax(dim=-1)
        nats = (told * (told.log() - said)).sum(dim=-1) * self.temperature**2
        weights = self.alpha + self.beta * (teacher.argmax(dim=-1) == gold)
        return CrossEntropy()(logits, gold) + (weights * nats).mean()


def test_cross_entropy_is_the_mean_nats_of_the_right_label() -> None:
    logits = torch.tensor([[0.2, 0.8], [0.5, 0.5]]).log()

    loss = CrossEntropy()(logits, torch.tensor([1, 0]))

    assert loss.item() == pytest.approx(-(np.log(0.8) + np.log(0.5)) / 2)


def test_arcs_and_labels_add_up() -> None:
    arcs = torch.tensor([[0.25, 0.75]]).log()
    labels = torch.tensor([[0.1, 0.4, 0.5]]).log()

    loss = arc_and_label_loss(arcs, labels, torch.tensor([1]), torch.tensor([2]))

    assert loss.item() == pytest.approx(-np.log(0.75) - np.log(0.5))


def test_a_sequence_costs_its_nats_by_unit() -> None:
    nats = torch.tensor([[-1.0, -2.0, 0.0], [-3.0, 0.0, 0.0]])

    assert sequence_loss(nats, torch.tensor(3)).item() == 2.0


def test_focal_distillation_has_its_published_numbers() -> None:
    objective = FocalDistillation(temperature=1.0)
    new, old = torch.tensor([[1.0, 1.0, 0.0]]), torch.tensor([[2.0, 0.0, 0.0]])
    gold = torch.tensor([0])

    loss = objective(new, gold, teacher_logits=old) - CrossEntropy()(new, gold)

    assert loss.item() == pytest.approx(1.817575, abs=1e-5)


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {**OBJECTIVES.builtin, "focal": f"{__name__}:FocalDistillation"}
    monkeypatch.setattr(REGISTRY, replace(OBJECTIVES, builtin=names))


def train(examples: Examples, out: Path, progress: Any, **config: Any) -> bytes:
    train_model(
        *("embedding-bag", examples, None),
        seed=0,
        out=out,
        config={**SMALL, **config},
        progress=progress,
    )
    return (out / "model.safetensors").read_bytes()


def taught(examples: Examples, logits: list[float]) -> Examples:
    column = pa.array([logits] * len(examples))
    return examples.with_column("teacher_logits", column)


@pytest.mark.usefixtures("known")
def test_an_objective_of_another_package_learns_from_a_teacher(
    examples: Examples, tmp_path: Path, progress: Any
) -> None:
    plain = train(examples, tmp_path / "plain", progress)
    book = taught(examples, [5.0, 0.0])
    by_book = train(book, tmp_path / "book", progress, objective="focal")
    by_play = train(
        taught(examples, [0.0, 5.0]), tmp_path / "play", progress, objective="focal"
    )
    without = {"objective": "focal", "objective_settings": {"alpha": 0, "beta": 0}}
    untaught = train(book, tmp_path / "none", progress, **without)

    assert len({plain, by_book, by_play}) == 3
    assert untaught == plain
    with pytest.raises(UsageError, match=r"other settings \(data\)"):
        train(
            taught(examples, [4.0, 0.0]), tmp_path / "book", progress, objective="focal"
        )


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("logits", [None, [1.0, None], "x"])
def test_what_an_objective_lacks_is_told(
    logits: Any, examples: Examples, tmp_path: Path, progress: Any
) -> None:
    given = examples if logits is None else taught(examples, logits)

    with pytest.raises(DataError, match=r"the objective needs .*'teacher_logits'"):
        train(given, tmp_path, progress, objective="focal")


@pytest.mark.usefixtures("known")
def test_wrong_objectives_are_told(
    examples: Examples, tmp_path: Path, progress: Any
) -> None:
    with pytest.raises(UsageError, match=r"known: cross-entropy, distillation, focal"):
        train(examples, tmp_path, progress, objective="hinge")
    with pytest.raises(UsageError, match=r"focal cannot take .*gamma"):
        train(
            examples,
            tmp_path,
            progress,
            objective="focal",
            objective_settings={"gamma": 1},
        )


@pytest.mark.parametrize(
    ("temperature", "expected"), [(1.0, 0.302929), (100.0, 0.334434)]
)
def test_distillation_is_towards_the_teacher_where_it_teaches(
    temperature: float, expected: float
) -> None:
    logits = torch.tensor([[1.0, 1.0, 0.0]] * 2, dtype=torch.float64)
    teacher = torch.tensor([[2.0, 0.0, 0.0]] * 2, dtype=torch.float64)
    gold = torch.tensor([0, 2])

    whole = Distillation(alpha=1.0, temperature=temperature)
    loss = whole(logits, gold, teacher_logits=teacher, taught=torch.tensor([1.0, 0.0]))

    # log(2e + 1) nats of the third label, that the teacher does not teach.
    nats = float(np.log(2 * np.e + 1))
    assert float(loss) == pytest.approx((expected + nats) / 2, abs=1e-5)


def test_distillation_with_no_share_is_cross_entropy() -> None:
    logits, gold = torch.randn(4, 3), torch.tensor([0, 1, 2, 0])
    columns = {"teacher_logits": torch.full((4, 3), -1e4), "taught": torch.ones(4)}

    none = Distillation(alpha=0.0)(logits, gold, **columns)

    torch.testing.assert_close(none, CrossEntropy()(logits, gold))
