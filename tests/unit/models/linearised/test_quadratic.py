import pytest

torch = pytest.importorskip("torch")
from torch import Tensor, nn  # noqa: E402
from torch.func import functional_call, jacrev  # noqa: E402

from compat_eval.core.errors import DataError  # noqa: E402
from compat_eval.models.linearised.kronecker import (  # noqa: E402
    kronecker_preconditioner,
)
from compat_eval.models.linearised.quadratic import (  # noqa: E402
    Quadratic,
    QuadraticBlock,
    Rescaling,
    conjugate_gradient,
)
from compat_eval.models.linearised.tangent import Tangent  # noqa: E402

pytestmark = pytest.mark.torch


def made(*, ridge: float = 0.3, n: int = 30, weight: float = 4.0) -> Quadratic:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 6), nn.LeakyReLU(0.2), nn.Linear(6, 2))
    x, gold = torch.randn(n, 3, dtype=torch.double), torch.arange(n) % 2
    rescaling = Rescaling(weight=weight, target=2.0)
    targets, weights = rescaling.goals(gold, 2, x)
    blocks = [
        QuadraticBlock(inputs=x[part], targets=targets[part], weights=weights[part])
        for part in (slice(0, 13), slice(13, n))
    ]
    return Quadratic(tangent=Tangent.of(network.double()), blocks=blocks, ridge=ridge)


def explicit(quadratic: Quadratic) -> Tensor:
    """Solve the normal equations of the explicit Jacobian."""
    tangent = quadratic.tangent
    x = torch.cat([block.inputs for block in quadratic.blocks])
    y = torch.cat([block.targets for block in quadratic.blocks]).reshape(-1)
    w = torch.cat([block.weights for block in quadratic.blocks]).reshape(-1)
    found = jacrev(lambda weights: functional_call(tangent.network, weights, (x,)))(
        tangent.weights
    )
    j = torch.cat([found[n].reshape(len(y), -1) for n in tangent.names], dim=1)
    left = j.T @ (w[:, None] * j) + quadratic.ridge * torch.eye(tangent.size).double()
    right = j.T @ (w * (y - tangent.outputs(x).reshape(-1)))
    found_step: Tensor = torch.linalg.solve(left, right)
    return found_step


def test_the_minimum_solves_the_normal_equations_of_the_explicit_jacobian() -> None:
    quadratic = made()

    assert torch.allclose(
        quadratic.minimum(tolerance=1e-12), explicit(quadratic), atol=1e-8
    )


def test_kronecker_factors_lead_to_the_same_minimum() -> None:
    quadratic = made()

    found = quadratic.minimum(
        precondition=kronecker_preconditioner(quadratic), tolerance=1e-12
    )

    assert torch.allclose(found, explicit(quadratic), atol=1e-8)


def test_the_ridge_pulls_to_its_centre() -> None:
    free = made(ridge=1e9)
    centre = torch.ones(free.tangent.size, dtype=torch.double)
    pulled = Quadratic(
        tangent=free.tangent, blocks=free.blocks, ridge=1e9, centre=centre
    )

    assert torch.allclose(pulled.minimum(tolerance=1e-9), centre, atol=1e-3)


def test_two_solutions_are_the_same_to_the_last_bit() -> None:
    one, two = made(), made()

    assert torch.equal(
        one.minimum(precondition=kronecker_preconditioner(one)),
        two.minimum(precondition=kronecker_preconditioner(two)),
    )


def test_numbers_that_are_not_finite_are_told() -> None:
    with pytest.raises(DataError, match="not finite in step 1"):
        conjugate_gradient(lambda x: x * torch.nan, torch.ones(2))


def test_nothing_to_solve_is_the_step_to_nowhere() -> None:
    assert torch.equal(conjugate_gradient(lambda x: x, torch.zeros(3)), torch.zeros(3))


def test_the_rescaled_loss_weighs_the_right_label_and_averages_over_labels() -> None:
    outputs = torch.tensor([[1.0, 3.0, 0.0]], requires_grad=True)
    rescaling = Rescaling(weight=15.0, target=5.0)

    targets, weights = rescaling.goals(torch.tensor([1]), 3, outputs)
    loss = (weights * (outputs - targets).square()).mean(-1)
    loss.sum().backward()

    assert loss.item() == pytest.approx((15 * 4 + 1) / 3)
    assert torch.allclose(outputs.grad, torch.tensor([[2.0, -60.0, 0.0]]) / 3)
