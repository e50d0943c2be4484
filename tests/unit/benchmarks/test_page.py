import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parents[3] / "benchmarks"


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The page's module, found as a benchmark finds it."""
    monkeypatch.syspath_prepend(str(FOLDER))
    for name in ("page", "record", "asked"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return __import__("page")


def row(name: str, ours: float, other: float, ratio: float) -> dict[str, object]:
    return {
        "name": name,
        "ours": ours,
        "other": other,
        "ratio": ratio,
        "runs": 5,
        "machine": "2 cores, load 0.7",
    }


def test_the_page_is_made_from_the_rows(page: ModuleType) -> None:
    results = FOLDER / "results.json"
    if not results.is_file():
        pytest.skip("nothing was measured yet")

    made = page.page_of(json.loads(results.read_text("utf-8")))

    assert made == (FOLDER / "RESULTS.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("seconds", "said"), [(1.2, "| met |"), (1.8, "| **missed** |")]
)
def test_what_was_asked_is_met_or_missed(
    page: ModuleType, seconds: float, said: str
) -> None:
    name = "compare 10 k rows, s: against the asked 1.5 s"

    made = page.page_of([row(name, seconds, 1.5, 1.5 / seconds)])

    assert said in made


def test_sizes_and_times_have_units(page: ModuleType) -> None:
    made = page.page_of(
        [
            row("compare x, peak bytes: against y", 1.1e9, 2.2e9, 2.0),
            row("start-up, --help, s: against y", 0.125, 0.25, 2.0),
        ]
    )

    assert "1.10 GB | 2.20 GB | 2.00" in made
    assert "0.125 s | 0.250 s | 2.00" in made
