from typing import Any

import numpy as np
import pytest
from scipy.special import log_softmax

from compat_eval.core.errors import CapabilityError, ModelError, UsageError
from compat_eval.mitigations.combine.classifier_mixing import mixing
from compat_eval.mitigations.combine.gated import (
    FEATURES,
    FusionGate,
    features,
    fitted_gate,
    gated_fusion,
)
from tests.fakes import FakeModel
from tests.unit.mitigations.toy_classifiers import ToyClassifier

TEXTS = ["one", "two", "three"]


def toy(seed: int, labels: tuple[str, ...] = ("a", "b", "c")) -> ToyClassifier:
    rng = np.random.default_rng(seed)
    known = {text: rng.normal(size=len(labels)).tolist() for text in TEXTS}
    return ToyClassifier(known, labels)


def even(**changes: Any) -> dict[str, Any]:
    zeros = (0.0,) * len(FEATURES)
    plain = {
        "weights": zeros,
        "bias": 0.0,
        "centre": zeros,
        "spread": (1.0,) * len(FEATURES),
        "temperature": 1.0,
    }
    return {**plain, **changes}


def test_a_gate_that_sees_nothing_is_a_constant_share() -> None:
    old, new = toy(1), toy(2)

    for tilt, share in ((0.0, 0.5), (np.log(3.0), 0.75)):
        found: Any = gated_fusion(old, new, gate=even(), tilt=tilt)
        mixed: Any = mixing(old, new, weight=share)

        np.testing.assert_allclose(
            found.logits(found.encode(TEXTS)), mixed.logits(mixed.encode(TEXTS))
        )


def test_features_are_how_sure_both_are_and_whether_they_agree() -> None:
    old = np.log([[0.5, 0.3, 0.2], [0.6, 0.2, 0.2]])
    new = np.log([[0.1, 0.8, 0.1], [0.7, 0.2, 0.1]])

    found = features(old, new)

    assert found.shape == (2, len(FEATURES))
    np.testing.assert_allclose(found[0, :2], [np.log(0.5), np.log(0.8)])
    np.testing.assert_allclose(found[0, 2:4], [0.2, 0.7])
    np.testing.assert_allclose(
        found[1, 5], -sum(p * np.log(p) for p in (0.7, 0.2, 0.1))
    )
    np.testing.assert_allclose(found[:, 6], [0.0, 1.0])
    np.testing.assert_allclose(found[0, 7:], [np.log(0.5 / 0.3), np.log(8.0)])


def test_a_gate_learns_to_trust_whoever_is_sure() -> None:
    rng = np.random.default_rng(0)
    gold = rng.integers(0, 3, size=600)
    right = 4.0 * np.eye(3)[gold]
    noise = 2.0 * rng.normal(size=(2, 600, 3))
    sure = rng.random(600) < 0.5  # OLD knows one half, NEW the other
    old = log_softmax(np.where(sure[:, None], right, noise[0]), axis=1)
    new = log_softmax(np.where(sure[:, None], noise[1], right), axis=1)

    parts = fitted_gate(old, new, gold, keep=0.0, penalty=0.001)
    weights, bias, centre, spread = parts
    gate = FusionGate(
        weights=tuple(weights),
        bias=bias,
        centre=tuple(centre),
        spread=tuple(spread),
        temperature=1.0,
    )
    share = gate.share(old, new, 0.0)[:, None]
    mixed = (1 - share) * new + share * old

    assert share[sure].mean() > share[~sure].mean() + 0.4
    constant = ((old + new) / 2).argmax(axis=1) == gold
    assert (mixed.argmax(axis=1) == gold).mean() > constant.mean()


def test_more_weight_on_what_old_has_right_gives_old_a_larger_share() -> None:
    rng = np.random.default_rng(1)
    gold = rng.integers(0, 3, size=400)
    old, new = (
        log_softmax(rng.normal(size=(400, 3)) + 1.5 * np.eye(3)[gold], axis=1)
        for _ in range(2)
    )

    _, plain, *_ = fitted_gate(old, new, gold, keep=0.0, penalty=10.0)
    _, keen, *_ = fitted_gate(old, new, gold, keep=5.0, penalty=10.0)

    assert keen > plain + 0.3


def test_what_it_needs_is_told() -> None:
    with pytest.raises(CapabilityError, match="OLD to have the capability GivesLogits"):
        gated_fusion(FakeModel({}), toy(1), gate=even(), tilt=0.0)
    with pytest.raises(ModelError, match="no label in common"):
        gated_fusion(toy(1, labels=("x", "y")), toy(2), gate=even(), tilt=0.0)
    with pytest.raises(UsageError, match="the gate is fitted on dev"):
        gated_fusion(toy(1), toy(2), tilt=0.0)
