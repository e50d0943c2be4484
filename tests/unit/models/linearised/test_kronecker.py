import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from compat_eval.models.linearised.kronecker import (  # noqa: E402
    kronecker_preconditioner,
)
from compat_eval.models.linearised.quadratic import (  # noqa: E402
    Quadratic,
    QuadraticBlock,
)
from compat_eval.models.linearised.tangent import Tangent  # noqa: E402

pytestmark = pytest.mark.torch


def test_kronecker_factors_of_one_linear_layer_are_nearly_its_curvature() -> None:
    torch.manual_seed(0)
    x = torch.randn(500, 3, dtype=torch.double) * torch.tensor([0.1, 1.0, 30.0])
    ones = torch.ones(500, 2, dtype=torch.double)
    quadratic = Quadratic(
        tangent=Tangent.of(nn.Sequential(nn.Linear(3, 2)).double()),
        blocks=[QuadraticBlock(inputs=x, targets=x[:, :2].tanh(), weights=ones)],
        ridge=0.5,
    )
    plain: list[float] = []
    better: list[float] = []

    one = quadratic.minimum(tell=plain.append)
    two = quadratic.minimum(
        precondition=kronecker_preconditioner(quadratic), tell=better.append
    )

    assert torch.allclose(one, two, atol=1e-3)
    assert len(better) <= 4 < len(plain)
