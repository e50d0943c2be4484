"""Committed pages say what committed results say."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from experiments.parsing.page import page as parsing
from experiments.published.run import page as published
from experiments.semantic.page import page as semantic
from experiments.training.page import page as training
from experiments.updates.tables import Row

pytestmark = pytest.mark.torch

EXPERIMENTS = Path(__file__).parents[3] / "experiments"


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("parsing", parsing),
        ("published", published),
        ("semantic", semantic),
        ("training", training),
    ],
)
def test_a_page_is_made_of_its_results(
    name: str, page: Callable[[Sequence[Row]], str]
) -> None:
    folder = EXPERIMENTS / name
    rows = json.loads((folder / "results.json").read_text("utf-8"))

    assert page(rows) == (folder / "RESULTS.md").read_text("utf-8")
