import pytest

torch = pytest.importorskip("torch")
from torch import Tensor, nn  # noqa: E402
from torch.func import functional_call, jacrev  # noqa: E402

from compat_eval.models.linearised.tangent import Tangent, leaky  # noqa: E402

pytestmark = pytest.mark.torch


class Product(nn.Module):
    """f(u, v) = v · leaky(u·x), the worked example."""

    def __init__(self) -> None:
        super().__init__()
        self.u = nn.Parameter(torch.tensor(1.0))
        self.v = nn.Parameter(torch.tensor(2.0))

    def forward(self, x: Tensor) -> Tensor:
        return self.v * nn.functional.leaky_relu(self.u * x, 0.2)


@pytest.mark.parametrize(
    ("dv", "change", "linear"), [(-0.2, 0.0, 6.0), (0.1, 0.9, 6.9)]
)
def test_a_step_changes_outputs_to_first_order(
    dv: float, change: float, linear: float
) -> None:
    tangent, x = Tangent.of(Product()), torch.tensor([[3.0]])

    f0, moved = tangent.pushed(x, torch.tensor([0.1, dv]))

    assert f0.item() == 6.0
    assert moved.item() == pytest.approx(change, abs=1e-6)
    assert tangent.linear(x, torch.tensor([0.1, dv])).item() == pytest.approx(linear)


def test_no_step_is_the_network_itself() -> None:
    tangent, x = Tangent.of(Product()), torch.tensor([[3.0], [-1.0]])

    assert torch.equal(tangent.linear(x, tangent.zero()), tangent.outputs(x))


def test_products_with_the_jacobian_are_those_of_the_explicit_one() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 4), nn.LeakyReLU(0.2), nn.Linear(4, 2))
    tangent, x = Tangent.of(network.double()), torch.randn(5, 3, dtype=torch.double)
    step, towards = torch.randn(tangent.size).double(), torch.randn(5, 2).double()
    explicit = jacrev(lambda weights: functional_call(network, weights, (x,)))(
        tangent.weights
    )
    rows = torch.cat([explicit[n].reshape(10, -1) for n in tangent.names], dim=1)

    assert torch.allclose(tangent.pushed(x, step)[1].reshape(-1), rows @ step)
    assert torch.allclose(tangent.pulled(x, towards), rows.T @ towards.reshape(-1))


def test_only_weights_that_are_trained_are_in_a_step() -> None:
    network = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    network[0].requires_grad_(requires_grad=False)

    assert Tangent.of(network).names == ("1.weight", "1.bias")


def test_averaged_steps_are_averaged_outputs() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()
    tangent, x = Tangent.of(network), torch.randn(5, 3, dtype=torch.double)
    one, two = torch.randn(2, tangent.size, dtype=torch.double)

    mixed = tangent.linear(x, 0.3 * one + 0.7 * two)

    apart = 0.3 * tangent.linear(x, one) + 0.7 * tangent.linear(x, two)
    assert torch.allclose(mixed, apart)


def test_leaky_relus_take_the_place_of_relus_and_gelus() -> None:
    network = nn.Sequential(
        nn.Linear(2, 2), nn.ReLU(), nn.Sequential(nn.GELU()), nn.Tanh()
    )

    assert leaky(network, 0.2) == 2
    assert network[1](torch.tensor(-1.0)).item() == pytest.approx(-0.2)
    assert isinstance(network[3], nn.Tanh)
