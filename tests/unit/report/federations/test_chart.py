import math
from itertools import pairwise

import pytest

from compat_eval.core.estimate import Estimate
from compat_eval.report.federations.chart import HEIGHT, Chart, Series, change, chart


def estimate(value: float, low: float = math.nan, high: float = math.nan) -> Estimate:
    return Estimate(
        value=value, low=low, high=high, confidence=0.95, method="student-t", n=5
    )


def drawn(*series: Series, bands: bool = False) -> Chart | None:
    return chart(
        series,
        ["5", "20"],
        unit="share",
        across_title="kept",
        upwards_title="relative",
        text="a chart",
        rule=0.0,
        bands=bands,
    )


def test_higher_values_stand_higher_and_intervals_around_them() -> None:
    found = drawn(
        Series(name="a", points={0: estimate(0.1, 0.0, 0.2), 1: estimate(-0.1)})
    )
    assert found is not None
    (line,) = found.lines
    up, down = (float(point.split(",")[1]) for point in line.path[1:].split("L"))
    assert up < float(found.rule) < down
    first = line.marks[0]
    assert float(first.high) < up < float(first.low)


def test_what_is_undefined_is_not_drawn() -> None:
    assert drawn(Series(name="a", points={0: estimate(math.nan)})) is None
    found = drawn(
        Series(name="a", points={0: estimate(0.1)}),
        Series(name="b", points={0: estimate(math.nan)}),
    )
    assert found is not None
    assert [line.name for line in found.lines] == ["a"]


def test_names_of_lines_that_end_together_stand_apart() -> None:
    same = {0: estimate(0.1), 1: estimate(0.1)}
    found = drawn(*(Series(name=name, points=same) for name in "abcdefgh"))
    assert found is not None
    heights = sorted(float(line.label_y) for line in found.lines)
    assert all(b - a >= 12.9 for a, b in pairwise(heights))
    assert heights[-1] <= HEIGHT
    assert len({line.marks[0].shape.strip("0123456789.,") for line in found.lines}) > 1


def test_what_may_lie_beyond_does_not_set_the_scale() -> None:
    inside = Series(name="a", points={0: estimate(0.1), 1: estimate(-0.1)})
    alone = drawn(inside)
    both = drawn(inside, Series(name="none", points={1: estimate(2.3)}, beyond=True))
    assert alone is not None
    assert both is not None
    assert both.upwards == alone.upwards
    assert [line.name for line in both.lines] == ["a", "none (+230%)"]


def test_a_band_goes_around_the_intervals() -> None:
    points = {0: estimate(1.0, 0.5, 1.5), 1: estimate(2.0, 1.5, 2.5)}
    found = drawn(Series(name="a", points=points), bands=True)
    assert found is not None
    assert found.lines[0].band.count("L") == 3


@pytest.mark.parametrize(
    ("value", "said"), [(0.021, "+2.1\xa0%"), (-0.021, "−2.1\xa0%"), (0.0, "0.0\xa0%")]
)
def test_a_change_is_written_with_its_sign(value: float, said: str) -> None:
    assert change(estimate(value)).text == said
