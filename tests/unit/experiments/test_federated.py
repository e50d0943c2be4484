"""Streams, figures and claims of the experiments on replay selection."""

import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.federated import streams
from experiments.federated.analysis import Results, change_of, in_short, relative_norms
from experiments.federated.claims import Claim, bars
from experiments.federated.methods import METHODS, all_steps
from experiments.federated.page import write_page


def step(method: str, budget: int, seed: int, nats: float) -> dict[str, Any]:
    """Return a step of two clients and two periods of 10 tokens a client."""
    return {
        "stream": "topv2",
        "size": "small",
        "method": method,
        "budget": budget,
        "seed": seed,
        "periods": ["a", "b"],
        "n_weights": 9,
        "nats": [[[nats] * 2, [10.0] * 2]] * 2,
        "tokens": [[10, 10], [10, 10]],
        "kept": [[2 * budget, 0], [budget, budget]],
        "kept_tokens": [3.0, 3.0],
        "selection": [{"norms": [4.0, 3.0]}] if "coord" in method else [{}],
        "seconds": 1.0,
    }


def some_steps() -> list[dict[str, Any]]:
    spread = {1: -0.1, 2: 0.0, 3: 0.1, 4: 0.0, 5: 0.0}
    return [
        step(method, 20, seed, 10 + better + spread[seed] * (better != 0))
        for method, better in (
            ("uniform", 0),
            ("history-uniform", -1),
            ("coordinated, I = 1", 2),
        )
        for seed in spread
    ]


def test_changes_are_of_the_logarithm_paired_by_seed() -> None:
    found = change_of([0.01, 0.02, 0.03])
    half = 4.302653 * 0.01 / math.sqrt(3)
    assert found.value == pytest.approx(100 * math.expm1(0.02))
    assert found.low == pytest.approx(100 * math.expm1(0.02 - half), rel=1e-5)
    assert found.high == pytest.approx(100 * math.expm1(0.02 + half), rel=1e-5)
    assert not found.sure


def test_a_claim_is_shown_refuted_open_or_not_run() -> None:
    results = Results(map(in_short, some_steps()), "topv2", "small")

    def judged(better: str, worse: str) -> str:
        claim = Claim(text="", better=better, worse=worse, budget=20)
        return claim.judged(results)[0]

    assert judged("history-uniform", "uniform") == "shown"
    assert judged("coordinated, I = 1", "uniform") == "refuted"
    assert judged("uniform", "uniform") == "open"
    assert judged("none", "uniform") == "not run"
    assert relative_norms(results.rows, 1) == [0.75] * 5
    all_kept = [{**one, "kept": [[1, 0]]} for one in results.rows]
    assert relative_norms(all_kept, 1) == []
    verdicts = {bar.demand: bar.met for bar in bars(results)}
    assert verdicts["global relaxed norm at I = 1 ≤ 0.98 × that at I = 0"]
    assert verdicts["every row of the published ordering shown or refuted"] is None


def test_a_page_can_be_written_of_what_is_there(tmp_path: Path) -> None:
    write_page([], tmp_path)
    write_page(four_periods(), tmp_path)
    text = (tmp_path / "RESULTS.md").read_text("utf-8")
    assert "| history-uniform | -9.5 (-10.3 to -8.7) |" in text
    assert "not run" in text


def four_periods() -> list[dict[str, Any]]:
    return [
        {
            **one,
            "nats": [[one["nats"][0][0]] * 4] * 4,
            "tokens": [[10, 10]] * 4,
            "kept": [[one["budget"], one["budget"], 0, 0]] * 4,
            "kept_tokens": [3.0] * 4,
        }
        for one in some_steps()
    ]


def test_every_method_is_planned_at_every_budget_with_five_seeds() -> None:
    steps = {one.name: one for one in all_steps()}
    planned = Counter((one.stream, one.size, one.budget) for one in steps.values())
    n = len(METHODS) - 2
    assert all(planned["topv2", "small", budget] == 5 * n for budget in (5, 10, 100))
    assert planned["topv2", "small", 20] == 5 * n + 15
    assert {one.settings.local_steps for one in steps.values()} == {5}
    assert {one.settings.sketch for one in steps.values()} == {None}


def test_each_domain_is_in_each_place_once_over_five_seeds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        streams, "_requests", lambda d: [("IN:A", f"{d} {i}") for i in range(9000)]
    )
    orders = [
        streams.STREAMS["topv2"](np.random.default_rng(0), s) for s in range(1, 6)
    ]
    for place in range(4):
        assert len({order[place] for _, order in orders}) == 5
    held, _ = orders[0]
    assert len(held.texts) == len(set(held.texts)) == 64 * 4 * 100
