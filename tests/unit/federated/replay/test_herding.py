"""Herding: the kept gradients stand for all."""

import numpy as np

from compat_eval.federated.replay.herding import herded


def test_the_mean_of_what_stays_is_closer_than_that_of_random_samples() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(60, 6)) + rng.normal(size=6)

    def apart(places: list[int]) -> float:
        return float(np.linalg.norm(rows[places].mean(0) - rows.mean(0)))

    chosen = herded(rows @ rows.T, 10)
    drawn = [apart(rng.choice(60, 10, replace=False).tolist()) for _ in range(200)]
    assert len(set(chosen)) == 10
    assert apart(chosen) < min(drawn)


def test_each_step_is_the_best_that_there_is() -> None:
    rows = np.random.default_rng(1).normal(size=(12, 3))
    chosen = herded(rows @ rows.T, 5)
    for n in range(5):
        distances = {
            at: np.linalg.norm(rows[[*chosen[:n], at]].mean(0) - rows.mean(0))
            for at in range(12)
            if at not in chosen[:n]
        }
        assert min(distances, key=lambda at: distances[at]) == chosen[n]


def test_there_may_be_fewer_samples_than_places_or_none() -> None:
    assert sorted(herded(np.eye(2), 5)) == [0, 1]
    assert herded(np.zeros((0, 0)), 5) == []
    assert herded(np.eye(3), 0) == []
