import pyarrow as pa

from compat_eval.core.examples import Examples
from compat_eval.models.training.data import hold_out


def numbered(n: int) -> Examples:
    return Examples(pa.table({"id": [f"e{i}" for i in range(n)]}))


def test_the_parts_are_disjoint_and_whole() -> None:
    rest, held = hold_out(numbered(2000), share=0.1)
    assert held is not None

    ids = [*rest.ids.to_pylist(), *held.ids.to_pylist()]
    assert sorted(ids) == sorted(numbered(2000).ids.to_pylist())
    assert 140 < len(held) < 260  # 200, give or take four standard deviations


def test_more_examples_leave_held_out_ones_held_out() -> None:
    _, few = hold_out(numbered(500), share=0.1)
    _, many = hold_out(numbered(2000), share=0.1)
    assert few is not None
    assert many is not None

    assert set(few.ids.to_pylist()) <= set(many.ids.to_pylist())
