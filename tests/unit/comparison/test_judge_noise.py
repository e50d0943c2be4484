from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from compat_eval.comparison.compare import compare_panel, judge_panel
from compat_eval.comparison.panel import Panel
from compat_eval.comparison.pooled import judge_pooled, pooled_claims
from compat_eval.comparison.update import Update
from compat_eval.core.predictions import Predictions
from compat_eval.core.verdict import Verdict
from compat_eval.gates import ALONE, Demands, Gate
from compat_eval.gates.release import PooledGate
from compat_eval.tasks import task
from tests.fakes import examples, panel, predictions

N = 400
IDS = [f"q{at}" for at in range(N)]
LOSS = Gate(quantity="loss", of="score", at_most=0.1, level="judge")
WORSE = Gate(quantity="worse_rate", at_most=0.2, level="judge")


def side(*askings: Sequence[float]) -> Predictions:
    named = {f"judge__{at}": one for at, one in enumerate(askings, start=1)}
    return predictions(id=IDS, prediction=["x"] * N, **named)


def both(old: Predictions, new: Predictions) -> Panel:
    gold = examples(id=IDS, input=IDS)
    suited = task("generation").suited([gold], [old, new])  # type: ignore[attr-defined]
    return panel(gold, old, new, task=suited)


def verdicts(old: Predictions, new: Predictions, *gates: Gate) -> list[Verdict]:
    found = compare_panel(both(old, new), demands=Demands(gates=gates))
    return [one.verdict for one in found.gates]


def asked(
    truth: np.ndarray[Any, Any], wrong: float, seed: int, times: int = 2
) -> Predictions:
    """Return what a judge says that errs by chance, each time anew."""
    rng = np.random.default_rng(seed)
    flips = rng.random((times, len(truth))) < wrong
    return side(*np.where(flips, 1 - truth, truth).tolist())


GOOD = np.ones(N)
HALF = np.repeat([1.0, 0.0], N // 2)


def test_a_judge_that_agrees_with_itself_decides() -> None:
    nearly = np.where(np.arange(N) % 50 == 0, 0.0, 1.0)
    assert verdicts(asked(GOOD, 0, 1), asked(nearly, 0, 2), LOSS, WORSE) == [
        Verdict.PASS,
        Verdict.PASS,
    ]
    assert verdicts(asked(GOOD, 0, 1), asked(HALF, 0, 2), LOSS, WORSE) == [
        Verdict.FAIL,
        Verdict.FAIL,
    ]


@pytest.mark.parametrize("wrong", [0.1, 0.2, 0.35, 0.5, 0.65])
@pytest.mark.parametrize("times", [2, 3, 8])
def test_a_judge_that_guesses_makes_no_loss_pass(wrong: float, times: int) -> None:
    lost = np.where(np.arange(N) % 5 == 0, 0.0, 1.0)  # a fifth, limit a tenth
    found = verdicts(
        asked(GOOD, wrong, 1, times), asked(lost, wrong, 2, times), LOSS, WORSE
    )
    assert Verdict.PASS not in found


def test_a_loss_within_the_judges_noise_is_inconclusive_and_says_why() -> None:
    old, new = asked(GOOD, 0.3, 1), asked(GOOD, 0.3, 2)
    assert verdicts(old, new, WORSE) == [Verdict.INCONCLUSIVE]
    (result,) = compare_panel(both(old, new), demands=Demands(gates=(WORSE,))).gates
    assert "only by the mean of what the judge says" in result.reason


def test_gates_that_are_judged_on_a_kept_panel_know_the_judges_noise() -> None:
    old, new = asked(GOOD, 0.3, 1), asked(GOOD, 0.3, 2)
    (result,) = judge_panel(both(old, new), demands=Demands(gates=(LOSS,)))
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "only by the mean of what the judge says" in result.reason


@pytest.mark.parametrize("noisy", [1, 2])
def test_a_gate_on_several_suites_knows_the_judges_noise(noisy: int) -> None:
    sound = [both(asked(GOOD, 0, 1), asked(GOOD, 0, 2))] * (2 - noisy)
    unsure = [both(asked(GOOD, 0.3, 1), asked(GOOD, 0.3, 2))] * noisy
    updates = {
        f"suite {at}": Update(panel=one) for at, one in enumerate([*unsure, *sound])
    }
    change = Gate(quantity="score_change", at_least=-0.1, semantics="certify")
    gate = PooledGate(name="pooled_score_change", gate=change)

    result = judge_pooled(
        gate, updates, alpha=0.05, correction="holm", doubts=(), others=ALONE
    )

    assert pooled_claims(gate, updates).kept[0] < 0.05
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "only by the mean of what the judge says" in result.reason


def test_a_loss_beyond_the_judges_noise_fails() -> None:
    assert verdicts(asked(GOOD, 0.05, 1), asked(1 - GOOD, 0.05, 2), LOSS, WORSE) == [
        Verdict.FAIL,
        Verdict.FAIL,
    ]
