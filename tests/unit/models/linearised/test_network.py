import pytest

torch = pytest.importorskip("torch")

from compat_eval.models.linearised.network import (  # noqa: E402
    LinearisedSizes,
    LinearisedTop,
    TopInputs,
)

pytestmark = pytest.mark.torch


def test_blocks_hold_inputs_of_one_shape_each_once() -> None:
    inputs = TopInputs([torch.zeros(n, 2) for n in (3, 2, 3, 3, 2)])

    blocks = inputs.blocks(2)

    assert blocks == [[1, 4], [0, 2], [3]]
    assert inputs.taken(blocks[0]).shape == (2, 2, 2)


def test_hidden_units_are_drawn_the_same_whatever_the_seed() -> None:
    sizes = LinearisedSizes(width=4, hidden=3)
    torch.manual_seed(1)
    one = LinearisedTop([], sizes, 2).state_dict()
    torch.manual_seed(2)
    two = LinearisedTop([], sizes, 2).state_dict()

    assert all(torch.equal(one[name], two[name]) for name in one)


def test_vectors_come_to_a_mean_square_of_one_whatever_their_length() -> None:
    top = LinearisedTop([], LinearisedSizes(width=4), 2)
    vectors = torch.tensor([[1.0, 2.0, 3.0, 4.0]])

    assert torch.allclose(top.features(vectors), top.features(7 * vectors))
    assert top.features(vectors).square().mean().item() == pytest.approx(1.0)
    assert not top(vectors).any()  # the head begins as zeros
