"""OLD's logits in a training loop of one's own."""

from typing import Any

import pytest

from compat_eval.core.errors import DataError, UsageError
from compat_eval.mitigations.integrations.teacher_logits import TeacherLogits

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

# The spec's example A: 0.5·‖d‖² is 1, 1 and 6.5, and OLD is right on 1 and 3.
OLD = TeacherLogits.of("abc", [[2, 0, 0], [0, 1, 0], [0, 0, 3]], ["x", "y", "z"])
NEW = [[1.0, 1, 0], [0, 0, 1], [2, 0, 0]]
GOLD = [0, 2, 2]


def a_loss(**settings: Any) -> Any:
    from compat_eval.mitigations.integrations.pytorch import PositiveCongruentLoss

    return PositiveCongruentLoss("distillation", OLD, **settings)


def test_a_batch_has_the_columns_of_its_examples_in_its_order() -> None:
    found = a_loss().columns(["c", "a"], torch.tensor([2, 1]))

    assert found["teacher_logits"].tolist() == [[0, 0, 3], [2, 0, 0]]
    assert found["taught"].tolist() == [1, 0]


def test_the_loss_is_that_of_the_objective_with_these_columns() -> None:
    from compat_eval.models.classifiers.training import objective_named

    logits, gold = torch.tensor(NEW), torch.tensor(GOLD)

    found = a_loss(alpha=0.7)(logits, gold, ["a", "b", "c"])

    columns = {"teacher_logits": torch.tensor(OLD.values)}
    columns["taught"] = torch.tensor([1.0, 0, 1])
    wanted = objective_named("distillation", {"alpha": 0.7})(logits, gold, **columns)
    assert float(found) == pytest.approx(float(wanted))


def test_columns_that_are_given_come_before_old_s() -> None:
    gold, taught = torch.tensor(GOLD), torch.zeros(3)

    assert a_loss().columns("abc", gold, taught=taught)["taught"] is taught


def test_what_does_not_fit_is_told() -> None:
    with pytest.raises(UsageError, match="2 labels, and OLD's logits have 3"):
        a_loss()(torch.zeros(1, 2), torch.tensor([0]), ["a"])
    with pytest.raises(UsageError, match="distillation cannot take"):
        a_loss(beta=5)


def test_a_column_that_nobody_knows_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    loss = a_loss()
    monkeypatch.setattr(type(loss.objective), "columns", ("weight",))

    with pytest.raises(DataError, match="reads weight"):
        loss.columns(["a"], torch.tensor([0]))


def test_ids_go_through_a_data_loader() -> None:
    from compat_eval.mitigations.integrations.pytorch import WithIds

    data = torch.utils.data.TensorDataset(torch.arange(4.0), torch.arange(4))

    loader = torch.utils.data.DataLoader(WithIds(data, list("abcd")), batch_size=3)

    x, y, ids = next(iter(loader))
    assert x.tolist() == y.tolist() == [0, 1, 2]
    assert list(ids) == ["a", "b", "c"]
    with pytest.raises(UsageError, match="4 items need as many ids; got 1"):
        WithIds(data, ["a"])
