"""Milliseconds a client of replay selection's quadratic programs, beside other solvers.

    pip install osqp quadprog
    python benchmarks/replay_solver.py --repeats 5

Sides are taken in turns, on one thread, on the same Gram matrices of normalised random
gradients; all end with a Frank–Wolfe gap of at most 1e-8 of the objective, which is
checked, but SLSQP, which stops at its own precision.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import osqp
import quadprog
import torch
from numpy.typing import NDArray
from record import record
from scipy import sparse
from scipy.optimize import minimize

from compat_eval.federated.replay.quadratic import CappedPrograms, solve

N_CLIENTS, N_SAMPLES, WIDTH = 64, 100, 1000
BUDGETS = (5, 20, 50)
CLOSED = 1e-8
Matrix = NDArray[np.float64]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    others = {"OSQP, polished": (by_osqp, 16), "quadprog": (by_quadprog, 32)}
    others["SLSQP (1e-12)"] = (by_slsqp, 4)
    for budget in BUDGETS:
        grams = gram_matrices(budget)
        ours: list[float] = []
        theirs: dict[str, list[float]] = {name: [] for name in others}
        for _ in range(options.repeats):
            ours.append(our_time(grams, budget))
            for name, (solver, n) in others.items():
                strict = name != "SLSQP (1e-12)"
                theirs[name].append(
                    their_time(solver, grams[:n], budget, strict=strict)
                )
        for name, times in theirs.items():
            row = record(
                f"replay selection, N = {budget} of {N_SAMPLES}, ms a client: {name}",
                ours,
                times,
                higher_is_better=False,
                packages=("torch", "scipy", "osqp", "quadprog"),
            )
            print(
                f"{row['name']}: {row['ours']:.2f} = {row['ratio']:.1f} ×", flush=True
            )


def gram_matrices(seed: int) -> Matrix:
    """Return products of gradients with a few common directions."""
    rng = np.random.default_rng(seed)
    few = rng.normal(size=(N_CLIENTS, N_SAMPLES, 8))
    rows = few @ rng.normal(size=(N_CLIENTS, 8, WIDTH))
    rows += 1.5 * rng.normal(size=rows.shape)
    rows /= np.linalg.norm(rows, axis=2, keepdims=True)
    found: Matrix = rows @ rows.transpose(0, 2, 1)
    return found


def our_time(grams: Matrix, budget: int) -> float:
    gram = torch.from_numpy(grams)
    problem = CappedPrograms(
        gram=gram,
        linear=torch.zeros(gram.shape[:2], dtype=torch.float64),
        budgets=torch.full((len(gram),), budget),
        present=torch.ones(gram.shape[:2], dtype=torch.bool),
    )
    started = time.perf_counter()
    found = solve(problem)
    seconds = time.perf_counter() - started
    assert float((found.gaps / found.objectives).max()) <= CLOSED
    return 1000 * seconds / len(grams)


def their_time(
    solver: Callable[[Matrix, int], Matrix], grams: Matrix, budget: int, *, strict: bool
) -> float:
    started = time.perf_counter()
    found = [solver(gram, budget) for gram in grams]
    seconds = time.perf_counter() - started
    if strict:
        assert max(map(gap, grams, found, [budget] * len(grams))) <= CLOSED
    return 1000 * seconds / len(grams)


def gap(gram: Matrix, point: Matrix, budget: int) -> float:
    """Return the Frank–Wolfe gap, as a share of the objective."""
    slope = gram @ point
    return float(slope @ point - np.sort(slope)[:budget].sum()) / float(
        point @ slope / 2
    )


def by_osqp(gram: Matrix, budget: int) -> Matrix:
    n = len(gram)
    limits = sparse.vstack([sparse.csc_matrix(np.ones((1, n))), sparse.eye(n)])
    model = osqp.OSQP()
    model.setup(
        sparse.triu(sparse.csc_matrix(gram)).tocsc(),
        np.zeros(n),
        limits.tocsc(),
        np.r_[budget, np.zeros(n)],
        np.r_[budget, np.ones(n)],
        verbose=False,
        polishing=True,
        eps_abs=1e-6,
        eps_rel=1e-6,
        max_iter=100_000,
    )
    found: Matrix = model.solve().x
    return found


def by_quadprog(gram: Matrix, budget: int) -> Matrix:
    n = len(gram)
    limits = np.c_[np.ones(n), np.eye(n), -np.eye(n)]
    bounds = np.r_[budget, np.zeros(n), -np.ones(n)]
    found: Matrix = quadprog.solve_qp(gram, np.zeros(n), limits, bounds, 1)[0]
    return found


def by_slsqp(gram: Matrix, budget: int) -> Matrix:
    n = len(gram)
    found: Any = minimize(
        lambda c: c @ gram @ c / 2,
        np.full(n, budget / n),
        jac=gram.__matmul__,
        bounds=[(0, 1)] * n,
        constraints={"type": "eq", "fun": lambda c: c.sum() - budget},
        method="SLSQP",
        options={"ftol": 1e-12, "maxiter": 1000},
    )
    point: Matrix = found.x
    return point


if __name__ == "__main__":
    main()
