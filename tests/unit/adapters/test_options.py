import pytest

from compat_eval.adapters.options import ModelOptions
from compat_eval.core.errors import UsageError


def test_nothing_unsafe_or_inexact_is_on_unless_asked() -> None:
    options = ModelOptions()

    assert options.dtype == "float32"
    assert not any(options.flags().values())
    assert not options.offline


def test_an_unknown_dtype_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"float32, bfloat16, float16; got 'int8'"):
        ModelOptions(dtype="int8")  # type: ignore[arg-type]


def test_fewer_threads_than_one_are_refused() -> None:
    with pytest.raises(UsageError, match="at least 1; got 0"):
        ModelOptions(threads=0)


def test_the_number_of_a_device_decides_no_answer() -> None:
    assert ModelOptions(device="cuda:1").deciding() == (
        ModelOptions(device="cuda").deciding()
    )
    assert ModelOptions(device="cuda").deciding() != ModelOptions().deciding()
