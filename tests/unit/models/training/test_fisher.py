import numpy as np
import pytest

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")

from compat_eval.models.training.fisher import diagonal_fisher  # noqa: E402


def test_of_a_linear_model_it_is_the_squared_error_times_the_squared_input() -> None:
    network = torch.nn.Linear(2, 2, bias=False)
    network.weight.data.zero_()  # both labels have probability ½
    items = [torch.tensor([1.0, 2.0]), torch.tensor([3.0, 0.0])]

    found = diagonal_fisher(network, network, items, ["b", "a"], ["a", "b"])

    # (y − p)² · x²: ¼ · mean of (1, 4) and (9, 0), for both labels
    np.testing.assert_allclose(found["weight"], [[1.25, 0.5], [1.25, 0.5]])


def test_labels_that_it_lacks_do_not_count_and_nothing_is_left_behind() -> None:
    network = torch.nn.Linear(2, 2, bias=False)
    network.weight.data.zero_()
    network.weight.requires_grad_(requires_grad=False)
    items = [torch.tensor([2.0, 0.0]), torch.tensor([9.0, 9.0])]

    found = diagonal_fisher(network, network, items, ["a", "z"], ["a", "b"])

    np.testing.assert_allclose(found["weight"], [[1.0, 0.0], [1.0, 0.0]])
    assert network.weight.grad is None
    assert not network.weight.requires_grad
