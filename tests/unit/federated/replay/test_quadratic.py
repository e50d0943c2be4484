"""Quadratic programs over the capped simplex, against conditions and other solvers."""

from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from torch import Tensor

from compat_eval.core.errors import DataError
from compat_eval.federated.replay.quadratic import CappedPrograms, project, solve


def gradients(
    seed: int, *, n_clients: int = 4, n: int = 20, d: int = 50, unit: bool = True
) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    few = torch.randn(n_clients, n, 4, generator=random, dtype=torch.float64)
    base = torch.randn(n_clients, 4, d, generator=random, dtype=torch.float64)
    noise = torch.randn(n_clients, n, d, generator=random, dtype=torch.float64)
    rows = few @ base + noise
    return rows / rows.norm(dim=2, keepdim=True) if unit else rows


def programs(
    rows: Tensor, budget: int, targets: Tensor | None = None
) -> CappedPrograms:
    n_clients, n, _ = rows.shape
    linear = torch.zeros(n_clients, n, dtype=torch.float64)
    return CappedPrograms(
        gram=rows @ rows.transpose(1, 2),
        linear=linear if targets is None else (rows @ targets[:, :, None])[:, :, 0],
        budgets=torch.full((n_clients,), budget),
        present=torch.ones(n_clients, n, dtype=torch.bool),
    )


def test_samples_that_cancel_are_the_optimum() -> None:
    rows = torch.tensor([[[1, 0], [-1, 0], [0, 2], [0, 1.0]]], dtype=torch.float64)
    found = solve(programs(rows, 2))
    assert found.coefficients[0].tolist() == pytest.approx([1, 1, 0, 0], abs=1e-9)
    assert found.objectives.tolist() == pytest.approx([0], abs=1e-12)


@pytest.mark.parametrize("budget", [1, 5, 12, 19])
@pytest.mark.parametrize("unit", [True, False])
def test_one_multiplier_explains_every_coefficient(*, budget: int, unit: bool) -> None:
    rows = gradients(budget, unit=unit)
    targets = torch.randn(4, 50, dtype=torch.float64) * (1 if unit else 5)
    problem = programs(rows, budget, targets)
    found = solve(problem)
    assert found.coefficients.sum(1).tolist() == pytest.approx([budget] * 4)
    assert bool(((found.coefficients >= 0) & (found.coefficients <= 1)).all())
    for weights, slope in zip(
        found.coefficients, problem.gradients(found.coefficients), strict=True
    ):
        at_0, at_1 = weights < 1e-9, weights > 1 - 1e-9
        free = ~at_0 & ~at_1
        scale = float(slope.abs().max())
        multiplier = slope[free].mean() if free.any() else slope[at_0].min()
        assert bool((slope[free] - multiplier).abs().lt(1e-8 * scale).all())
        assert bool((slope[at_0] >= multiplier - 1e-8 * scale).all())
        assert bool((slope[at_1] <= multiplier + 1e-8 * scale).all())


def half_square(gram: NDArray[np.float64], c: NDArray[np.float64]) -> float:
    return float(c @ gram @ c / 2)


@pytest.mark.parametrize("budget", [3, 10])
def test_scipy_finds_nothing_better(budget: int) -> None:
    rows = gradients(9, n_clients=2, n=15)
    problem = programs(rows, budget)
    ours = solve(problem)
    for at in range(2):
        gram = problem.gram[at].numpy()
        theirs: Any = minimize(  # type: ignore[call-overload]
            partial(half_square, gram),
            np.full(15, budget / 15),
            jac=gram.__matmul__,
            bounds=[(0, 1)] * 15,
            constraints={"type": "eq", "fun": lambda c: c.sum() - budget},
            method="SLSQP",
            options={"ftol": 1e-14, "maxiter": 500},
        )
        assert float(ours.objectives[at]) <= theirs.fun + 1e-10
        assert ours.coefficients[at].numpy() == pytest.approx(theirs.x, abs=1e-4)


def test_the_relaxed_optimum_is_at_least_as_good_as_every_choice() -> None:
    rows = gradients(5, n_clients=3, n=10, d=6)
    found = solve(programs(rows, 4))
    for at in range(3):
        best = min(
            float(rows[at, list(some)].sum(0).square().sum()) / 2
            for some in combinations(range(10), 4)
        )
        assert float(found.objectives[at]) <= best + 1e-12


@pytest.mark.parametrize("budget", [5, 20, 50])
@pytest.mark.parametrize("kind", ["full rank", "duplicates", "optimum 0", "raw"])
def test_gaps_are_closed_whatever_the_gradients(kind: str, budget: int) -> None:
    rows = gradients(
        budget,
        n_clients=8,
        n=60,
        d=20 if kind == "optimum 0" else 200,
        unit=kind != "raw",
    )
    if kind == "duplicates":
        rows[:, 30:] = rows[:, :30]
    problem = programs(rows, budget)
    found = solve(problem)
    scale = problem.gram.diagonal(dim1=1, dim2=2).sum(1)
    reached = found.gaps / torch.maximum(found.objectives, 1e-6 * scale)
    assert float(reached.max()) <= (1e-8 if kind != "optimum 0" else 1e-2)
    assert float((found.gaps / scale).max()) <= 1e-8


def test_clients_of_many_sizes_are_solved_as_each_alone() -> None:
    rows = gradients(1, n_clients=3, n=12)
    counts = [12, 7, 3]
    present = torch.arange(12) < torch.tensor(counts)[:, None]
    both = CappedPrograms(
        gram=torch.where(
            present[:, :, None] & present[:, None, :],
            rows @ rows.transpose(1, 2),
            torch.nan,
        ),
        linear=torch.zeros(3, 12, dtype=torch.float64),
        budgets=torch.tensor([3, 3, 3]),
        present=present,
    )
    together = solve(both).coefficients
    for at, count in enumerate(counts):
        alone = solve(programs(rows[at : at + 1, :count], 3)).coefficients[0]
        assert together[at, :count].tolist() == pytest.approx(alone.tolist(), abs=1e-9)
        assert together[at, count:].tolist() == [0] * (12 - count)


def test_the_order_of_samples_only_orders_the_coefficients() -> None:
    rows = gradients(2)
    order = torch.randperm(20, generator=torch.Generator().manual_seed(0))
    one = solve(programs(rows, 6)).coefficients[:, order]
    other = solve(programs(rows[:, order], 6)).coefficients
    assert torch.allclose(one, other, atol=1e-8)


@pytest.mark.parametrize("budget", [0, 20])
def test_a_budget_of_none_or_all_leaves_nothing_to_choose(budget: int) -> None:
    found = solve(programs(gradients(0), budget)).coefficients
    assert torch.allclose(found, torch.full_like(found, float(budget > 0)))


def test_gradients_of_zero_give_equal_coefficients() -> None:
    found = solve(programs(torch.zeros(1, 8, 3, dtype=torch.float64), 2))
    assert found.coefficients[0].tolist() == pytest.approx([0.25] * 8)


def test_the_projection_is_the_nearest_point() -> None:
    random = torch.Generator().manual_seed(4)
    values = 3 * torch.randn(40, 9, generator=random, dtype=torch.float64)
    present = torch.rand(40, 9, generator=random) > 0.3
    budgets = (torch.rand(40, generator=random) * (present.sum(1) + 1)).long()
    found = project(values, budgets, present)
    assert torch.allclose(found.sum(1), budgets.double())
    assert bool((found[~present] == 0).all())
    for _ in range(20):  # the angle to every other feasible point is obtuse
        other = project(
            3 * torch.randn(40, 9, generator=random, dtype=torch.float64),
            budgets,
            present,
        )
        away = torch.where(present, values - found, 0.0)
        assert bool(((away * (other - found)).sum(1) <= 1e-9).all())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"budgets": torch.tensor([3])}, "between 0 and the number of samples"),
        ({"gram": torch.full((1, 2, 2), torch.nan)}, "not finite"),
        ({"gram": torch.ones(1, 3, 3)}, "expected Gram matrices of shape"),
    ],
)
def test_programs_that_make_no_sense_are_refused(
    change: dict[str, Any], told: str
) -> None:
    fine = {
        "gram": torch.eye(2)[None].double(),
        "linear": torch.zeros(1, 2).double(),
        "budgets": torch.tensor([1]),
        "present": torch.ones(1, 2, dtype=torch.bool),
    }
    with pytest.raises(DataError, match=told):
        solve(CappedPrograms(**{**fine, **change}))
