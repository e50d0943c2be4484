"""Divergences from a teacher of whom only the top tokens are known."""

from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch


def kl(old: Any, new: Any, temperature: float) -> Any:
    from torch.nn.functional import kl_div

    return kl_div(
        (new / temperature).log_softmax(-1),
        (old / temperature).log_softmax(-1),
        log_target=True,
        reduction="none",
    ).sum(-1)


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_with_all_tokens_it_is_the_whole_divergence(temperature: float) -> None:
    from compat_eval.models.causal_lm.teacher import TopTokens, divergence

    old, new = torch.randn(2, 5, 9, generator=torch.Generator().manual_seed(0))

    found = divergence(new, TopTokens.of(old, 99, temperature), temperature)

    assert torch.allclose(found, kl(old, new, temperature), atol=1e-6)


def test_the_other_tokens_are_one_event() -> None:
    from compat_eval.models.causal_lm.teacher import TopTokens, divergence

    old = torch.tensor([[0.5, 0.1, 0.3, 0.1]])
    new = torch.tensor([[0.2, 0.4, 0.2, 0.2]])

    found = divergence(new.log(), TopTokens.of(old.log(), 2))

    three = torch.tensor([[0.5, 0.3, 0.2]]), torch.tensor([[0.2, 0.2, 0.6]])
    assert torch.allclose(found, kl(three[0].log(), three[1].log(), 1.0), atol=1e-6)


def test_it_is_zero_only_for_the_teacher_itself_and_never_more_than_the_whole() -> None:
    from compat_eval.models.causal_lm.teacher import TopTokens, divergence

    old, new = torch.randn(2, 50, 9, generator=torch.Generator().manual_seed(1))
    top = TopTokens.of(old, 3)

    assert torch.allclose(divergence(old, top), torch.zeros(50), atol=1e-5)
    assert (divergence(new, top) > 0).all()
    assert (divergence(new, top) <= kl(old, new, 1.0) + 1e-6).all()


def test_gradients_stay_finite_where_the_rest_has_no_probability() -> None:
    from compat_eval.models.causal_lm.teacher import TopTokens, divergence

    new = torch.tensor([[40.0, 0.0, -40.0, -40.0]], requires_grad=True)
    old = TopTokens.of(torch.tensor([[60.0, 30.0, -60.0, -60.0]]), 2)

    loss: Any = divergence(new, old).sum()
    loss.backward()

    assert torch.isfinite(new.grad).all()
