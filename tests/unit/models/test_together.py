import math

import pytest

from compat_eval.core.errors import UsageError
from compat_eval.models.together import Together, items_of, require_weights


def test_an_input_is_as_long_as_its_longest_reading() -> None:
    assert len(Together(("a few", "one", "two"))) == len("a few")


def test_each_model_reads_its_own_items() -> None:
    inputs = [Together(("old 1", "new 1")), Together(("old 2", "new 2"))]

    assert items_of(inputs, 1) == ["new 1", "new 2"]


@pytest.mark.parametrize(
    "weights", [(-0.5, 1.5), (0.0, 0.0), (math.nan, 1.0), (math.inf, 1.0)]
)
def test_weights_that_mix_nothing_are_refused(weights: tuple[float, float]) -> None:
    with pytest.raises(UsageError, match=f"not all 0; got {weights[0]}, {weights[1]}"):
        require_weights(weights)


def test_a_weight_may_be_0() -> None:
    require_weights([0.0, 2.5])
