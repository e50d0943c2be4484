"""Programs with a budget for each kind, against scipy."""

from typing import Any

import numpy as np
import pytest
import torch
from scipy.optimize import LinearConstraint, minimize

from compat_eval.federated.replay.kinds import solve_by_kind


@pytest.mark.parametrize("seed", range(4))
def test_the_optimum_is_that_of_a_general_solver(seed: int) -> None:
    random = torch.Generator().manual_seed(seed)
    rows = torch.randn(2, 9, 12, generator=random, dtype=torch.float64) + 0.5
    gram = rows @ rows.mT
    linear = torch.randn(2, 9, generator=random, dtype=torch.float64)
    kinds = torch.tensor([[0] * 4 + [1] * 5, [0] * 2 + [1] * 7])
    present = torch.stack([kinds == 0, kinds == 1])
    budgets = torch.tensor([[2, 1], [3, 4]])
    found = solve_by_kind(gram, linear, budgets, present)
    for at in range(2):
        masks = present[:, at].double().numpy()
        assert masks @ found[at].numpy() == pytest.approx(budgets[:, at].numpy())
        k, b = gram[at].numpy(), linear[at].numpy()

        def value(c: np.ndarray, k: np.ndarray = k, b: np.ndarray = b) -> float:
            return float(c @ k @ c / 2 - b @ c)

        other: Any = minimize(  # type: ignore[call-overload]
            value,
            masks.T @ (budgets[:, at].numpy() / masks.sum(1)),
            jac=lambda c, k=k, b=b: k @ c - b,
            bounds=[(0, 1)] * 9,
            constraints=LinearConstraint(masks, budgets[:, at], budgets[:, at]),
            method="SLSQP",
            options={"ftol": 1e-13, "maxiter": 500},
        )
        assert value(found[at].numpy()) == pytest.approx(other.fun, abs=1e-4)
        assert float(found[at].min()) >= -1e-9
        assert float(found[at].max()) <= 1 + 1e-9


def test_a_kind_without_samples_and_a_client_without_any_are_no_trouble() -> None:
    gram = torch.eye(3, dtype=torch.float64).expand(2, 3, 3).clone()
    present = torch.zeros(2, 2, 3, dtype=torch.bool)
    present[1, 0] = True
    budgets = torch.tensor([[0, 0], [1, 0]])
    found = solve_by_kind(
        gram, torch.zeros(2, 3, dtype=torch.float64), budgets, present
    )
    assert found.tolist() == [pytest.approx([1 / 3] * 3), [0, 0, 0]]
