"""Focal distillation of tokens is that of classifiers, with tokens as examples."""

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch


@pytest.mark.parametrize("temperature", [1.0, 5.0])
def test_it_is_the_focal_distillation_of_classifiers(temperature: float) -> None:
    from compat_eval.models.causal_lm.teacher import TopTokens
    from compat_eval.models.causal_lm.token_focal import TokenFocalDistillation
    from compat_eval.models.training.objectives.focal_distillation import (
        FocalDistillation,
    )

    new, old = torch.randn(2, 6, 4, generator=torch.Generator().manual_seed(0))
    gold = torch.tensor([0, 1, 2, 3, 0, 1])
    parameters = {"alpha": 0.5, "beta": 2.0, "temperature": temperature, "share": 0.3}

    found = TokenFocalDistillation(**parameters)(
        new, gold, old=TopTokens.of(old, 4, temperature)
    )

    wanted = FocalDistillation(**parameters)(  # type: ignore[arg-type]
        new, gold, teacher_logits=old, taught=(old.argmax(-1) == gold).float()
    )
    assert float(found.mean()) == pytest.approx(float(wanted), rel=1e-5)
