"""Losses and gradients of single samples."""

import math

import pytest
import torch

from compat_eval.federated.problem import (
    LabelProblem,
    LanguageProblem,
    random_sketch,
    sample_gradients,
    sample_scores,
    use_weights,
    weights_of,
)
from compat_eval.models.language_models.network import TransformerNetwork


def texts() -> LanguageProblem:
    torch.manual_seed(0)
    return LanguageProblem(
        network=TransformerNetwork(n_tokens=7, width=8, layers=1, heads=2, longest=6),
        names=["a", "b", "c"],
        tokens=torch.tensor([[0, 2, 3, -1, -1], [0, 4, 5, 6, 2], [0, -1, -1, -1, -1]]),
    )


def loop(problem: LanguageProblem | LabelProblem, rows: list[int]) -> torch.Tensor:
    """Return the gradient of each sample, one backward pass each."""
    found = []
    for row in rows:
        problem.network.zero_grad()
        loss = problem.losses(problem.network, *problem.batch([row])).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        parts = [
            torch.zeros_like(one) if one.grad is None else one.grad
            for one in problem.network.parameters()
        ]
        found.append(torch.cat([one.flatten() for one in parts]))
    return torch.stack(found)


def test_gradients_of_samples_are_those_of_a_loop(problem: LabelProblem) -> None:
    for one, rows in ((texts(), [0, 1, 2]), (problem, [*range(40)])):
        found = sample_gradients(one, weights_of(one.network), rows)
        assert torch.allclose(found, loop(one, rows), atol=1e-6)


def test_gradients_of_the_last_layer_are_those_of_all_and_0_elsewhere(
    problem: LabelProblem,
) -> None:
    for one, n, first in ((texts(), 7 * 8, True), (problem, 4 * 2 + 2, False)):
        weights = weights_of(one.network)
        every = sample_gradients(one, weights, [0, 1])
        last = sample_gradients(one, weights, [0, 1], last=True)
        own = slice(0, n) if first else slice(len(weights) - n, None)
        expected = torch.zeros_like(every)
        expected[:, own] = every[:, own]
        assert torch.allclose(last, expected, atol=1e-7)


def test_losses_and_entropies_are_those_of_the_network(problem: LabelProblem) -> None:
    weights = weights_of(problem.network)
    losses = sample_scores(problem.losses, problem, weights, [3, 4])
    entropies = sample_scores(problem.entropies, problem, weights, [3, 4])
    shares = problem.network(problem.inputs[3:5]).softmax(-1)
    gold = shares[[0, 1], problem.labels[3:5]]
    assert torch.allclose(losses, -gold.log(), atol=1e-6)
    assert torch.allclose(entropies, -(shares * shares.log()).sum(-1), atol=1e-6)
    one = texts()
    found = sample_scores(one.entropies, one, weights_of(one.network), [0, 2])
    (ids,) = one.batch([0])
    shares = one.network(ids[:, :-1]).softmax(-1)
    each = -(shares * shares.log()).sum(-1)
    assert found.tolist() == pytest.approx([float(each.detach().mean()), 0], abs=1e-5)


def test_a_text_without_tokens_has_no_loss_and_no_gradient() -> None:
    one = texts()
    assert one.losses(one.network, *one.batch([2])).tolist() == [0]
    assert sample_gradients(one, weights_of(one.network), [2]).abs().max() == 0
    assert one.sizes([0, 1, 2]).tolist() == [2, 4, 0]


def test_the_loss_of_a_text_is_its_mean_whatever_stands_beside_it() -> None:
    one = texts()
    alone = one.losses(one.network, *one.batch([0]))
    beside = one.losses(one.network, *one.batch([0, 1]))[:1]
    assert torch.allclose(alone, beside, atol=1e-6)


def test_no_samples_have_no_gradients(problem: LabelProblem) -> None:
    weights = weights_of(problem.network)
    assert sample_gradients(problem, weights, []).shape == (0, len(weights))


def test_weights_are_used_as_they_were_taken(problem: LabelProblem) -> None:
    before = weights_of(problem.network)
    use_weights(problem.network, torch.zeros_like(before))
    assert problem.losses(problem.network, *problem.batch([0])).item() == pytest.approx(
        math.log(2)
    )
    use_weights(problem.network, before)
    assert torch.equal(weights_of(problem.network), before)


def test_a_sketch_keeps_products_in_the_mean(problem: LabelProblem) -> None:
    weights = weights_of(problem.network)
    whole = sample_gradients(problem, weights, [0, 1, 2])
    products = [
        sketched @ sketched.T
        for seed in range(400)
        for sketched in [whole @ random_sketch(len(weights), 8, seed)]
    ]
    found = torch.stack(products).mean(0)
    assert torch.allclose(found, whole @ whole.T, atol=0.1 * float(whole.norm()) ** 2)
    small = sample_gradients(
        problem, weights, [0, 1], sketch=random_sketch(len(weights), 8, 3)
    )
    assert torch.allclose(small, whole[:2] @ random_sketch(len(weights), 8, 3))
