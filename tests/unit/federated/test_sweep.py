import json
import math

import numpy as np
import pytest

from compat_eval.core.errors import UsageError
from compat_eval.federated.sweep import SweepResults, SweptFederation, swept


def run(
    method: str,
    budget: int | None,
    seed: int,
    old: float,
    *,
    order: tuple[str, ...] = ("a", "b"),
    share: float = 0.5,
) -> SweptFederation:
    """Return two periods and two clients; the past period costs `old` nats a token."""
    nats = np.zeros((2, 2, 2))
    nats[0, 0], nats[0, 1] = [20.0, 20.0], [50.0, 50.0]
    nats[1, 0], nats[1, 1] = [20 * old * share, 20 * old * (1 - share)], [30.0, 30.0]
    return SweptFederation(
        method=method,
        budget=budget,
        seed=seed,
        order=order,
        nats=nats,
        tokens=np.full((2, 2), 10.0),
        kept={"old_share": 0.25 * seed},
    )


def test_a_change_is_paired_by_seed_and_its_interval_is_students_t() -> None:
    # Log-perplexities differ by −0.1 and −0.3: the mean is −0.2, its standard error
    # 0.1, and Student's t with one degree of freedom ends at 12.706 of those.
    found = swept(
        "stream",
        [
            run("uniform", 5, 1, 3.0),
            run("uniform", 5, 2, 4.0),
            run("better", 5, 1, 2.9),
            run("better", 5, 2, 3.7),
        ],
        reference="uniform",
    )
    assert found.methods == ("uniform", "better")
    (cell,) = found.of("better")
    relative = cell.estimates["relative"]
    assert relative.value == pytest.approx(math.expm1(-0.2))
    assert relative.low == pytest.approx(math.expm1(-0.2 - 1.2706), rel=1e-4)
    assert relative.high == pytest.approx(math.expm1(-0.2 + 1.2706), rel=1e-4)
    assert relative.n == 2
    assert cell.by_seed == pytest.approx([math.expm1(-0.1), math.expm1(-0.3)])
    assert cell.by_period[0].value == pytest.approx(math.expm1(-0.2))
    assert cell.by_period[1].value == 0
    assert cell.estimates["perplexity"].value == pytest.approx(math.exp(3.3))
    # Right after it was learned the first period cost 2 nats a token.
    assert cell.estimates["forgetting_first"].value == pytest.approx(1.3)
    assert cell.kept["old_share"].value == 0.375


def test_a_method_without_a_budget_is_compared_at_each() -> None:
    found = swept(
        "stream",
        [
            *(run("uniform", 5, seed, 3.0) for seed in (1, 2)),
            *(run("uniform", 20, seed, 2.5) for seed in (1, 2)),
            *(run("none", None, seed, 3.2) for seed in (1, 2)),
        ],
        reference="uniform",
    )
    assert found.budgets == (5, 20)
    few, many = found.of("none")
    assert not few.has_budget
    assert few.estimates["relative"].value == pytest.approx(math.expm1(0.2))
    assert many.estimates["relative"].value == pytest.approx(math.expm1(0.7))


def test_clients_that_lose_are_told_apart_from_the_mean() -> None:
    # Both cost 3 nats a token over both clients; one client's cost moved to another.
    found = swept(
        "stream",
        [
            run("uniform", 5, 1, 3.0),
            run("other", 5, 1, 3.0, share=0.6),
        ],
        reference="uniform",
    )
    (cell,) = found.of("other")
    assert cell.estimates["relative"].value == pytest.approx(0.0)
    assert cell.estimates["worse_clients"].value == 0.5
    # Changes of −0.6 and 0.6 nats a token: nine tenths of the way is 0.48.
    assert cell.estimates["worst_decile"].value == pytest.approx(math.expm1(0.48))


def test_one_seed_has_no_interval_and_says_so() -> None:
    found = swept("stream", [run("uniform", 5, 1, 3.0)], reference="uniform")
    estimate = found.cells[0].estimates["perplexity"]
    assert math.isnan(estimate.low)
    assert estimate.reason == "no interval: one random seed alone"


def test_what_has_no_partner_is_undefined_with_a_reason() -> None:
    found = swept(
        "stream",
        [
            run("uniform", 5, 1, 3.0),
            run("other", 5, 1, 3.0),
            run("other", 5, 2, 3.0),
        ],
        reference="uniform",
    )
    (cell,) = found.of("other")
    assert cell.estimates["relative"].reason == (
        "uniform lacks 1 of the seeds at budget 5"
    )


def test_orders_of_periods_are_pairs_of_their_own() -> None:
    orders = ("a", "b"), ("b", "a")
    found = swept(
        "stream",
        [
            run(method, 5, 1, old, order=order)
            for order, olds in zip(orders, ((3.0, 2.9), (4.0, 3.7)), strict=True)
            for method, old in zip(("uniform", "better"), olds, strict=True)
        ],
        reference="uniform",
    )
    assert found.n_orders == 2
    assert found.periods == ("period 1 of 2", "period 2 of 2")
    assert found.of("better")[0].estimates["relative"].n == 2


def test_results_are_the_same_after_json() -> None:
    runs = [run("uniform", 5, 1, 3.0), run("none", None, 1, 3.0)]
    found = swept("stream", runs, reference="uniform")
    text = json.dumps(found.to_dict(), allow_nan=False)
    assert SweepResults.from_dict(json.loads(text)).to_dict() == found.to_dict()


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        ([run("none", None, 1, 3.0)], "'uniform' is not among the methods"),
        ([run("uniform", 5, 1, 3.0)] * 2, "stands twice"),
    ],
)
def test_what_is_no_sweep_is_refused(runs: list[SweptFederation], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        swept("stream", runs, reference="uniform")
