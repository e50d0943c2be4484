"""Pooling and layers, worked out by hand; whole encoders are compared elsewhere."""

import numpy as np
import pytest

from compat_eval.models.encoders.vector_head import (
    ACTIVATIONS,
    POOLINGS,
    Dense,
    LayerNorm,
    Normalise,
    Pooling,
    VectorHead,
)

STATES = np.array([[[1, 4], [3, -2], [9, 9]], [[2, 0], [4, 2], [6, 1]]], np.float32)
MASK = np.array([[1, 1, 0], [1, 1, 1]])


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("cls", [[1, 4], [2, 0]]),
        ("max", [[3, 4], [6, 2]]),
        ("mean", [[2, 1], [4, 1]]),
        ("mean_sqrt_len_tokens", [[4 / 2**0.5, 2 / 2**0.5], [12 / 3**0.5, 3 / 3**0.5]]),
        ("weightedmean", [[7 / 3, 0], [28 / 6, 7 / 6]]),
        ("lasttoken", [[3, -2], [6, 1]]),
    ],
)
def test_padding_never_counts(mode: str, expected: list[list[float]]) -> None:
    assert mode in POOLINGS
    found = Pooling(modes=(mode,))(STATES, MASK, 0)

    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_prompt_may_be_left_out() -> None:
    found = Pooling(modes=("mean", "cls"), with_prompt=False)(STATES, MASK, 1)

    expected = np.array([[3, -2, 3, -2], [5, 1.5, 4, 2]])
    np.testing.assert_allclose(found, expected)


def test_layers_follow_each_other() -> None:
    weight = np.array([[1, 1], [0, 2]], np.float32)
    dense = Dense(weight=weight, bias=np.array([0, -1], np.float32), activation="ReLU")
    head = VectorHead(pooling=Pooling(modes=("mean",)), steps=(dense, Normalise()))

    found = head(STATES, MASK, 0)

    np.testing.assert_allclose(
        found, [[3 / 10**0.5, 1 / 10**0.5], [5 / 26**0.5, 1 / 26**0.5]]
    )
    assert head.normalised
    assert not VectorHead(pooling=None, steps=(Normalise(), dense)).normalised
    assert head.describe()["steps"][0]["then"] == "ReLU"


def test_activations_and_normalisation_are_those_of_torch() -> None:
    torch = pytest.importorskip("torch")
    rows = np.random.default_rng(0).normal(size=(3, 7)).astype(np.float32)
    given = torch.from_numpy(rows)
    for name, activation in ACTIVATIONS.items():
        expected = getattr(torch.nn, name)()(given).numpy()
        np.testing.assert_allclose(activation(rows), expected, atol=1e-6)
    layer = LayerNorm(scale=rows[1], shift=rows[2])

    expected = torch.nn.functional.layer_norm(
        given, (7,), torch.from_numpy(rows[1]), torch.from_numpy(rows[2])
    )

    np.testing.assert_allclose(layer(rows), expected.numpy(), atol=1e-5)


def test_a_residual_is_added() -> None:
    weight = np.eye(2, dtype=np.float32)
    dense = Dense(weight=weight, bias=None, activation="Identity", residual=weight)

    np.testing.assert_allclose(dense(np.array([[1, 2]], np.float32)), [[2, 4]])


def test_a_vector_of_zeros_stays_one() -> None:
    assert not Normalise()(np.zeros((1, 3), np.float32)).any()
