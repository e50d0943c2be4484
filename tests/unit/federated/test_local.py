"""What a client does in a round."""

import torch

from compat_eval.federated.local import LocalTask, LocalTraining, train_locally
from compat_eval.federated.problem import LabelProblem, weights_of

TRAINING = LocalTraining(steps=6, batch_size=4, learning_rate=0.1)


def task(
    problem: LabelProblem, rows: list[int], training: LocalTraining = TRAINING
) -> LocalTask:
    return LocalTask(
        client=1,
        weights=weights_of(problem.network),
        rows=rows,
        training=training,
        seed=(1, 2, 3),
    )


def test_one_step_on_all_samples_is_gradient_descent(problem: LabelProblem) -> None:
    training = LocalTraining(steps=1, batch_size=9, learning_rate=0.1)
    asked = task(problem, [0, 1, 2], training)
    loss = problem.losses(problem.network, *problem.batch([0, 1, 2])).mean()
    slopes = torch.autograd.grad(loss, list(problem.network.parameters()))
    expected = -0.1 * torch.cat([one.flatten() for one in slopes])
    found = train_locally(problem, asked)
    assert torch.allclose(found.total / found.weight, expected, atol=1e-6)
    assert (found.client, found.weight) == (1, 3)


def test_the_same_task_has_the_same_answer(problem: LabelProblem) -> None:
    asked = task(problem, [*range(9)])
    first = train_locally(problem, asked)
    assert torch.equal(train_locally(problem, asked).total, first.total)


def test_the_proximal_term_keeps_a_client_near(problem: LabelProblem) -> None:
    asked = task(problem, [*range(9)])
    free = train_locally(problem, asked).total.norm()
    training = LocalTraining(steps=6, batch_size=4, learning_rate=0.1, proximal=5.0)
    near = LocalTask(
        client=1, weights=asked.weights, rows=asked.rows, training=training, seed=(1,)
    )
    assert train_locally(problem, near).total.norm() < 0.8 * free


def test_a_loss_that_leaves_the_numbers_is_sent(problem: LabelProblem) -> None:
    problem.inputs[3] = torch.inf
    found = train_locally(problem, task(problem, [*range(9)]))
    assert not found.total.isfinite().all()
