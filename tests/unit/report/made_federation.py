"""A federation and a sweep whose numbers are known, as their pages are given them."""

from pathlib import Path
from typing import Any

import numpy as np

from compat_eval.federated.sweep import SweepResults, SweptFederation, swept
from compat_eval.suite.load import gates_of
from tests.streams import NAMES, jittered, write_stream

HOSTILE = "<script>alert(1)</script>"
FACTS = {
    "n": 2.0,
    "old_share": 0.5,
    "periods": 1.9,
    "tokens": 4.0,
    "tokens_of_all": 5.0,
    "distinct": 3.0,
}


def federation_content(folder: Path) -> dict[str, Any]:
    """Return what federation.json holds, of the stream that is written there."""
    stream = write_stream(folder, noise=jittered)
    gates = [
        {"quantity": "forgetting_first", "at_most": 0.1},
        {"quantity": "worst_decile_ratio", "at_most": 1.5, "semantics": "certify"},
    ]
    nats = np.zeros((3, 3, 40))
    for model in range(3):
        nats[model] = stream.nats[model + 1].reshape(3, 40)
    return {
        "suite": "stream",
        "periods": [*NAMES],
        "clients": [HOSTILE, *(f"c{at}" for at in range(39))],
        "settings": {"algorithm": "fedavg", "replay": "coordinated"},
        "model": {"width": 8},
        "seed": 0,
        "n_tests": 120,
        "n_tests_trained_on": 3,
        "nats": nats.tolist(),
        "tokens": np.full((3, 40), 10).tolist(),
        "kept": {f"c{at}": [1, 1, 0] for at in range(40)},
        "diversity": [FACTS] * 3,
        "log": [
            {"period": 0, "round": 0, "clients": [0], "lost": ["c1"]},
            {"period": 0, "selection": {"norms": [3.0, 2.0], "n_degenerate": 2}},
        ],
        **stream.numbers(),
        **stream.judged(gates_of(gates)).to_dict(),
    }


def sweep_results(n: int = 3) -> SweepResults:
    """Return a sweep of so many seeds, with a method whose name is hostile."""
    rng = np.random.default_rng(0)
    runs = []
    for seed in range(n):
        base = 3 + 0.1 * rng.normal()
        for method, budget, moved in (
            ("uniform", 5, 0.0),
            ("uniform", 20, -0.1),
            ("none", None, 0.3),
            (HOSTILE, 5, -0.2),
        ):
            nats = np.full((2, 2, 3), 10.0 * (base + moved + 0.001 * seed))
            runs.append(
                SweptFederation(
                    method=method,
                    budget=budget,
                    seed=seed,
                    order=("a", "b"),
                    nats=nats,
                    tokens=np.full((2, 3), 10.0),
                    kept=FACTS,
                )
            )
    return swept("stream", runs, reference="uniform")
