"""The search among architectures, on a super-network that is not trained."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from compat_eval.core.progress import Silence  # noqa: E402
from compat_eval.models.architecture.search import (  # noqa: E402
    ArchitectureSearch,
    SearchedSettings,
    TriedArchitecture,
    mean_average_precision,
)
from compat_eval.models.architecture.space import ArchitectureSpace  # noqa: E402

HOW = SearchedSettings(population=4, generations=3)


class Widths:
    """Its part of width w keeps the first w of four dimensions."""

    def __init__(self) -> None:
        self.sizes: dict[str, Any] = {}
        self.asked = 0

    def eval(self) -> None:
        pass

    def vectors(self, batch: Any) -> Any:
        self.asked += 1
        kept = torch.arange(4) < self.sizes["width"]
        return batch * kept + 1e-3


def searched(network: Any, out: Path) -> ArchitectureSearch:
    rows = np.eye(4)[np.arange(12) % 4]
    return ArchitectureSearch(
        space=ArchitectureSpace(
            choices={"width": (1, 2, 3, 4), "depth": (1, 2)},
            flops=lambda sizes: int(sizes["width"]),
            budget=3,
            least=0,
        ),
        network=network,
        items=[torch.tensor(rows[:6]), torch.tensor(rows[6:])],
        gold=np.arange(12) % 4,
        gallery=rows,
        seed=1,
        out=out,
        progress=Silence(),
    )


def test_the_best_within_the_budget_stands_first(tmp_path: Path) -> None:
    found = searched(Widths(), tmp_path).run(HOW)

    assert found[0].sizes["width"] == max(one.sizes["width"] for one in found) <= 3
    rewards = [one.reward("product") for one in found]
    assert rewards == sorted(rewards, reverse=True)


def test_what_was_judged_is_not_judged_again(tmp_path: Path) -> None:
    first = searched(Widths(), tmp_path).run(HOW)
    again = Widths()

    second = searched(again, tmp_path).run(HOW)

    assert (again.asked, second) == (0, first)


def test_rewards() -> None:
    one = TriedArchitecture(sizes={}, flops=1, homogeneous=0.5, heterogeneous=0.2)

    assert one.reward("homogeneous") == 0.5
    assert one.reward("heterogeneous") == 0.2
    assert one.reward("product") == pytest.approx(0.1)


def test_mean_average_precision_by_hand() -> None:
    # Of item 0 the order is 1, 2: AP 1. Of 1 it is 0, 2: AP 1. 2 has no match.
    rows = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])

    assert mean_average_precision(rows, rows, np.array(["a", "a", "b"])) == 1.0
    # With item 2 of label a, and 1 of b: 0 finds it second, and it 0 second.
    assert mean_average_precision(rows, rows, np.array(["a", "b", "a"])) == 0.5
