"""Everything that a page shows is run, and shows what comes out."""

from pathlib import Path

import pytest

from docs import generate, pages

RUNNABLE = {"console", "python"}


def runs_something(path: Path) -> bool:
    return any(b.kind in RUNNABLE for b in pages.blocks(path.read_text("utf-8")))


@pytest.mark.slow
@pytest.mark.torch
@pytest.mark.parametrize(
    "path",
    [path for path in generate.written_pages() if runs_something(path)],
    ids=lambda path: path.stem,
)
def test_a_page_shows_what_comes_out(path: Path, tmp_path: Path) -> None:
    page = path.read_text("utf-8")

    assert pages.run(page, tmp_path) == page, f"run: python docs/generate.py {path}"
