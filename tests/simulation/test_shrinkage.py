"""Personal estimates against the best that is possible, with estimated variances."""

import numpy as np
import pytest

from compat_eval.federated.personal.shrinkage import Uncertainty, between_variance

CLIENTS, WIDTH, TIMES = 60, 60, 20


def errors(between: float, spread: float, seed: int) -> tuple[float, float, float]:
    """Return mean squared errors: ours, the oracle's, and the best single share's."""
    rng = np.random.default_rng(seed)
    within = np.exp(rng.uniform(0, np.log(spread), CLIENTS))
    within *= 1 / within.mean()
    ours, oracle = 0.0, 0.0
    shares = np.linspace(0, 1, 41)
    single = np.zeros(len(shares))
    for _ in range(TIMES):
        true = rng.normal(scale=np.sqrt(between), size=(CLIENTS, WIDTH))
        noise = rng.normal(size=true.shape) * np.sqrt(within)[:, None]
        found = true + noise
        for known in (True, False):
            level = between if known else between_variance(found, within)
            told = Uncertainty(between=level, within=within)
            share = told.to_global[:, None]
            personal = (1 - share) * found + share * (told.weights @ found)
            error = float(((personal - true) ** 2).mean())
            oracle, ours = (oracle + error, ours) if known else (oracle, ours + error)
        mean = found.mean(axis=0)
        for at, one in enumerate(shares):
            single[at] += (((1 - one) * found + one * mean - true) ** 2).mean()
    return ours, oracle, float(single.min())


@pytest.mark.parametrize(
    ("between", "spread", "beside_oracle", "beside_single"),
    [
        (0.5, 10, 1.01, 0.93),
        (0.5, 100, 1.01, 0.77),
        (0.05, 10, 1.02, 0.97),
        (2.0, 10, 1.01, 0.97),
    ],
)
def test_estimated_variances_cost_next_to_nothing(
    between: float, spread: float, beside_oracle: float, beside_single: float
) -> None:
    ours, oracle, single = errors(between, spread, seed=1)
    assert ours <= beside_oracle * oracle
    assert ours <= beside_single * single
