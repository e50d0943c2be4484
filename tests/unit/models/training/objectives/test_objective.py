"""An objective of another package in one class."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pytest

pytest.importorskip("torch")

from torch import Tensor

from compat_eval.core.errors import DataError, UsageError
from compat_eval.core.examples import Examples
from compat_eval.models import OBJECTIVES
from compat_eval.models.training.objectives.cross_entropy import CrossEntropy
from compat_eval.models.training.train import train_model

pytestmark = pytest.mark.torch

REGISTRY = "compat_eval.models.classifiers.training.OBJECTIVES"
SMALL: dict[str, Any] = {"n_buckets": 500, "width": 8, "epochs": 2, "batch_size": 10}


@dataclass(frozen=True)
class TowardsTeacher:
    """Squared differences from a teacher's logits."""

    weight: float = 1.0
    columns: ClassVar[tuple[str, ...]] = ("teacher_logits",)

    def __call__(self, logits: Tensor, gold: Tensor, **columns: Tensor) -> Tensor:
        apart = (logits - columns["teacher_logits"]).square().sum(dim=-1)
        return CrossEntropy()(logits, gold) + self.weight * apart.mean()


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {**OBJECTIVES.builtin, "towards": f"{__name__}:TowardsTeacher"}
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
    by_book = train(book, tmp_path / "book", progress, objective="towards")
    by_play = train(
        taught(examples, [0.0, 5.0]), tmp_path / "play", progress, objective="towards"
    )
    without = {"objective": "towards", "objective_settings": {"weight": 0}}
    untaught = train(book, tmp_path / "none", progress, **without)

    assert len({plain, by_book, by_play}) == 3
    assert untaught == plain
    with pytest.raises(UsageError, match=r"other settings \(data\)"):
        train(
            taught(examples, [4.0, 0.0]),
            tmp_path / "book",
            progress,
            objective="towards",
        )


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("logits", [None, [1.0, None], "x"])
def test_what_an_objective_lacks_is_told(
    logits: Any, examples: Examples, tmp_path: Path, progress: Any
) -> None:
    given = examples if logits is None else taught(examples, logits)

    with pytest.raises(DataError, match=r"the objective needs .*'teacher_logits'"):
        train(given, tmp_path, progress, objective="towards")


@pytest.mark.usefixtures("known")
def test_wrong_objectives_are_told(
    examples: Examples, tmp_path: Path, progress: Any
) -> None:
    with pytest.raises(UsageError, match=r"known: bct, .*cross-entropy, .*towards"):
        train(examples, tmp_path, progress, objective="hinge")
    with pytest.raises(UsageError, match=r"towards cannot take .*gamma"):
        train(
            examples,
            tmp_path,
            progress,
            objective="towards",
            objective_settings={"gamma": 1},
        )
