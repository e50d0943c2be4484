"""The package of docs/extending.md, installed for one test."""

import importlib
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs import generate, pages

NAME = "house_rules"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Install the package as pip would: its modules, and its entry points."""
    site = tmp_path / "site"
    for block in pages.blocks((generate.ROOT / "docs/extending.md").read_text("utf-8")):
        if block.file is not None:
            path = site / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join(block.lines) + "\n", encoding="utf-8")
    project = tomllib.loads((site / "pyproject.toml").read_text("utf-8"))["project"]
    lines = []
    for group, names in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {to}" for name, to in names.items())]
    info = site / f"{NAME}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\n"
        f"Version: {project['version']}\n",
        encoding="utf-8",
    )
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(site))
    importlib.invalidate_caches()
    yield site
    for module in [m for m in sys.modules if m.partition(".")[0] == NAME]:
        del sys.modules[module]
