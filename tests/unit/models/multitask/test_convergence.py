import pytest

from compat_eval.models.multitask.convergence import Standing, next_converged


def standing_after(*scores: float) -> Standing:
    standing = Standing()
    for step, score in enumerate(scores, 1):
        standing = standing.after(score, step)
    return standing


def test_a_task_converges_at_the_sixth_check_and_its_best_is_the_third() -> None:
    scores = [0.60, 0.70, 0.74, 0.73, 0.73, 0.72]
    standings = [standing_after(*scores[:n]) for n in range(1, 7)]

    ready = [next_converged([standing], 3) for standing in standings]

    assert ready == [None, None, None, None, None, 0]
    assert standings[-1].best_step == 3


@pytest.mark.parametrize("gain", [0.0, 0.00005])
def test_a_gain_of_next_to_nothing_is_none(gain: float) -> None:
    assert standing_after(0.7, 0.7 + gain).waited == 1


def test_of_several_the_one_whose_best_is_oldest_comes_first() -> None:
    later = standing_after(0.1, 0.5, 0.4, 0.4)
    earlier = standing_after(0.5, 0.4, 0.4, 0.4)

    assert next_converged([later, earlier], 2) == 1


def test_no_patience_is_patience_for_ever() -> None:
    assert next_converged([standing_after(*[0.5] * 1000)], None) is None


def test_a_converged_task_is_not_checked_again() -> None:
    standing = Standing(best=0.5, best_step=1, converged=True)

    assert standing.after(0.9, 2) == standing
    assert next_converged([standing], 1) is None
