"""Losses of encoders that are trained by somebody else's loop."""

from typing import Any

import pytest

from compat_eval.core.errors import UsageError

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

OLD = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
GOLD = torch.tensor([0, 1, 1])


def test_influence_is_nats_through_class_means() -> None:
    from compat_eval.mitigations.integrations.compatible_encoders import (
        CompatibleEncoderLoss,
    )

    loss = CompatibleEncoderLoss("bct", OLD[:2], GOLD[:2], normalised=False, scale=1.0)

    found = loss(torch.tensor([[0.2, 0.8]]), torch.tensor([1]))

    assert float(found.detach()) == pytest.approx(0.437488, abs=1e-5)  # ln(1 + e^-0.6)


def test_a_head_brings_the_loss_of_the_task() -> None:
    from compat_eval.mitigations.integrations.compatible_encoders import (
        CompatibleEncoderLoss,
    )

    loss = CompatibleEncoderLoss("l2", OLD, GOLD, share=0.0)
    head = torch.nn.Linear(2, 2, bias=False)
    torch.nn.init.eye_(head.weight)

    found = loss(torch.tensor([[2.0, 0.0]]), torch.tensor([0]), head)

    assert float(found.detach()) == pytest.approx(0.126928, abs=1e-5)  # ln(1 + e^-2)


def test_pairs_without_classes_are_each_their_own() -> None:
    from compat_eval.mitigations.integrations.compatible_encoders import (
        CompatibleEncoderLoss,
    )

    loss = CompatibleEncoderLoss("contrastive", OLD)

    near, far = loss(OLD, torch.arange(3)), loss(OLD.flip(0), torch.arange(3))

    assert float(near) < float(far)


def test_prototypes_are_made_before_an_epoch() -> None:
    from compat_eval.mitigations.integrations.compatible_encoders import (
        CompatibleEncoderLoss,
    )

    loss = CompatibleEncoderLoss("unibct", OLD, GOLD)
    with pytest.raises(UsageError, match="begin_epoch"):
        loss(OLD, torch.arange(3))

    loss.begin_epoch(OLD)

    assert float(loss(OLD, torch.arange(3))) > 0


def test_what_does_not_fit_is_told() -> None:
    from compat_eval.mitigations.integrations.compatible_encoders import (
        CompatibleEncoderLoss,
    )

    for arguments, told in (
        (("focal", OLD, GOLD), "sees logits alone"),
        (("bct", OLD, GOLD[:2]), "a class for each example"),
        (("bct", OLD / 0, GOLD), "not finite"),
        (("mixbct", OLD, GOLD), "works through NEW's classifier"),
    ):
        with pytest.raises(UsageError, match=told):
            CompatibleEncoderLoss(*arguments)(OLD, torch.arange(3))


def test_a_loss_of_sentence_transformers_finds_old_by_the_label() -> None:
    from compat_eval.mitigations.integrations.sentence_transformers import (
        CompatibleSentenceLoss,
    )

    layer = torch.nn.Linear(2, 2)

    def model(features: dict[str, Any]) -> dict[str, Any]:
        return {**features, "sentence_embedding": layer(features["x"])}

    loss = CompatibleSentenceLoss(model, "l2", OLD.numpy(), share=1.0)

    loss([{"x": OLD[[2, 0]]}], torch.tensor([2, 0])).backward()

    assert layer.weight.grad is not None
    with pytest.raises(UsageError, match="the number of each example, from 0 to 2"):
        loss([{"x": OLD}], torch.tensor([0, 1, 3]))


def test_it_is_a_loss_that_the_package_s_trainer_takes() -> None:
    pytest.importorskip(
        "sentence_transformers", reason="needs the package sentence-transformers"
    )
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import modules

    from compat_eval.mitigations.integrations.sentence_transformers import (
        CompatibleSentenceLoss,
    )

    torch.manual_seed(1)
    bag = modules.BoW(vocab=["open", "close"])
    model = SentenceTransformer(modules=[bag, modules.Dense(2, 2)], device="cpu")
    loss = CompatibleSentenceLoss(model, "contrastive", OLD.numpy()[:2])

    features = model.tokenize(["open", "close"])

    assert float(loss([features], torch.tensor([0, 1])).detach()) > 0
