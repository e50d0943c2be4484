"""Packages from elsewhere, installed for one test as pip would: modules and names."""

import importlib
import shutil
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from compat_eval.cli import main
from docs import generate, pages
from tests.extension.toys import write_suite, write_toys

PACKAGES = Path(__file__).parent / "packages"

Install = Callable[[str], Path]
Call = Callable[..., tuple[int, str]]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder whose packages are installed; they are forgotten afterwards."""
    folder = tmp_path / "site"
    folder.mkdir()
    known = set(sys.modules)
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    for name in set(sys.modules) - known:
        file = getattr(sys.modules[name], "__file__", None) or ""
        if file.startswith(str(folder)):
            del sys.modules[name]


@pytest.fixture
def install(site: Path) -> Install:
    """Return what installs one of `packages/`."""

    def installed(name: str) -> Path:
        for module in (PACKAGES / name).glob("*.py"):
            shutil.copy(module, site)
        add_names(site, (PACKAGES / name / "pyproject.toml").read_text("utf-8"))
        return site

    return installed


@pytest.fixture
def package(site: Path) -> Path:
    """Install the package of docs/extending.md."""
    for block in pages.blocks((generate.ROOT / "docs/extending.md").read_text("utf-8")):
        if block.file is not None:
            path = site / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join(block.lines) + "\n", encoding="utf-8")
    add_names(site, (site / "pyproject.toml").read_text("utf-8"))
    return site


def add_names(site: Path, pyproject: str) -> None:
    """Write a package's metadata and entry points."""
    project = tomllib.loads(pyproject)["project"]
    lines = []
    for group, names in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {to}" for name, to in names.items())]
    info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\n"
        f"Version: {project['version']}\n",
        encoding="utf-8",
    )
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    importlib.invalidate_caches()


@pytest.fixture
def call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Call:
    """Return what runs a command in a folder of its own: exit code, what it said."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COMPAT_EVAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "120")

    def called(*words: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main(words)
        said = "".join(capsys.readouterr()).replace("\xa0", " ")
        return int(ended.value.code or 0), said

    return called


@pytest.fixture
def toys(tmp_path: Path, site: Path) -> None:
    """Write a suite, and a module with two models."""
    write_suite(tmp_path)
    write_toys(site)
