"""One set of weights for many architectures."""

import pytest

torch = pytest.importorskip("torch")

from compat_eval.models.architecture.supernetwork import Sizes, SuperNetwork  # noqa: E402
from compat_eval.models.classifiers.cnn import ConvolutionalNetwork  # noqa: E402
from compat_eval.models.classifiers.embedding_bag import HashedText  # noqa: E402
from compat_eval.models.classifiers.text_transformer import TextTransformer  # noqa: E402

pytestmark = pytest.mark.torch

LARGE = {"width": 16, "depth": 2, "heads": 2, "expansion": 2}
SMALL = {"width": 8, "depth": 1, "heads": 1, "expansion": 1}
TEXTS = [HashedText([1, 2, 3]), HashedText([4])]


def transformer(sizes: Sizes) -> TextTransformer:
    return TextTransformer(n_buckets=10, n_labels=3, projection=4, **sizes)


def test_a_part_answers_as_a_small_network_with_the_leading_weights() -> None:
    whole = SuperNetwork(transformer(LARGE), transformer, [LARGE, SMALL]).eval()
    small = transformer(SMALL).eval()
    large = dict(whole.largest.named_parameters())
    with torch.no_grad():
        for name, mine in small.named_parameters():
            mine.copy_(large[name][tuple(slice(size) for size in mine.shape)])

    whole.sizes = SMALL

    assert torch.allclose(whole.vectors(TEXTS), small.vectors(TEXTS), atol=1e-6)


def test_the_largest_sizes_are_the_whole_network() -> None:
    whole = SuperNetwork(transformer(LARGE), transformer, [LARGE]).eval()

    assert torch.allclose(whole.vectors(TEXTS), whole.largest.vectors(TEXTS))


def test_gradients_reach_the_leading_weights_alone() -> None:
    whole = SuperNetwork(transformer(LARGE), transformer, [SMALL]).train()

    whole(TEXTS).sum().backward()

    gradient = whole.largest.blocks[0].rise.weight.grad
    assert gradient[:8, :8].abs().sum() > 0
    assert gradient[8:].abs().sum() == gradient[:, 8:].abs().sum() == 0
    assert whole.largest.blocks[1].rise.weight.grad is None


def test_images_share_weights_of_channels_and_of_further_convolutions() -> None:
    def network(sizes: Sizes) -> ConvolutionalNetwork:
        return ConvolutionalNetwork(shape=(1, 8, 8), n_labels=2, projection=3, **sizes)

    large = {"widths": [8, 12], "depths": [2, 2]}
    small = {"widths": [4, 8], "depths": [2, 1]}
    whole = SuperNetwork(network(large), network, [small]).eval()
    part = network(small).eval()
    weights = dict(whole.largest.named_parameters())
    with torch.no_grad():
        for name, mine in part.named_parameters():
            mine.copy_(weights[name][tuple(slice(size) for size in mine.shape)])
    images = torch.rand(2, 1, 8, 8)

    assert torch.allclose(whole.vectors(images), part.vectors(images), atol=1e-6)
