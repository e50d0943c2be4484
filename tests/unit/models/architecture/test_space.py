"""What may be chosen of architectures within a budget."""

import numpy as np
import pytest

pytest.importorskip("torch")

from compat_eval.core.errors import UsageError
from compat_eval.models.architecture.space import ArchitectureSpace


def space(budget: float, *, least: float = 0.5) -> ArchitectureSpace:
    """Return a space whose operations are width times depth."""
    return ArchitectureSpace(
        choices={"width": (1, 2, 4, 8), "depth": (1, 2)},
        flops=lambda sizes: int(sizes["width"] * sizes["depth"]),
        budget=budget,
        least=least,
    )


def test_what_is_drawn_stays_within_the_budget() -> None:
    rng = np.random.default_rng(1)
    of = space(8)
    parent = {"width": 4, "depth": 1}

    drawn = [of.draw(rng) for _ in range(30)]
    drawn += [of.mutated(parent, rng, share=0.5) for _ in range(30)]
    drawn += [of.crossed(parent, {"width": 8, "depth": 1}, rng) for _ in range(30)]

    assert {4, 8} == {one["width"] * one["depth"] for one in drawn}


def test_the_largest_contains_all_others() -> None:
    assert space(8).largest() == {"width": 8, "depth": 2}


def test_a_budget_that_nothing_fits_is_refused() -> None:
    with pytest.raises(UsageError, match="choose another budget"):
        space(0.5).draw(np.random.default_rng(1))


def test_parents_that_cannot_be_crossed_stay() -> None:
    of = space(8, least=0.99)
    one, other = {"width": 8, "depth": 1}, {"width": 8, "depth": 1}

    assert of.crossed(one, other, np.random.default_rng(1)) == one
