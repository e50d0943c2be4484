import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from compat_eval.suite import catalogue
from compat_eval.suite.catalogue import listed_suites
from compat_eval.suite.data.places import DataPlaces

HEAVY = ("numpy", "scipy", "pandas", "pyarrow", "torch", "datasets", "pydantic")


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "suites"
    shutil.copytree(catalogue.shipped_root(), root)
    monkeypatch.setattr("compat_eval.suite.catalogue.shipped_root", lambda: root)
    monkeypatch.setattr("compat_eval.suite.catalogue.shipped_root", lambda: root)
    return root


def places(tmp_path: Path, data_dir: Path | None = None) -> DataPlaces:
    return DataPlaces(base=None, data_dir=data_dir, cache=tmp_path / "cache")


def test_the_shipped_suites_are_listed(tmp_path: Path) -> None:
    found = {one.name: one for one in listed_suites(places(tmp_path))}

    assert sorted(found) == [
        "clinc150",
        "clinc150-by-intent",
        "cranfield",
        "fsdd",
        "fsdd-by-digit",
        "hwu64",
        "hwu64-by-intent",
        "library-desk",
        "library-desk-documents",
        "library-desk-pages",
        "library-desk-requests",
        "library-desk-sums",
        "library-desk-trees",
        "omniglot",
        "omniglot-by-character",
        "snips",
        "topv2",
        "ud-afribooms",
        "ud-atis",
        "ud-ewt",
    ]
    assert found["library-desk"].availability == "here"
    assert found["library-desk"].source == "bundled"
    assert found["clinc150"].kind == "classification"
    assert found["clinc150"].licence == "CC-BY-3.0"
    assert found["clinc150"].availability == "to fetch"
    assert found["clinc150"].n_files == 5
    assert found["hwu64"].n_files == 10
    assert found["snips"].n_files == 21
    assert found["topv2"].n_files == 22
    assert found["ud-ewt"].kind == "dependency"
    assert found["library-desk-trees"].n_files == 3


def test_a_mirror_counts_as_here(tmp_path: Path) -> None:
    (tmp_path / "clinc150").mkdir()
    for name in ("full", "small", "imbalanced", "oos_plus"):
        (tmp_path / "clinc150" / f"data_{name}.json").touch()
    found = {one.name: one for one in listed_suites(places(tmp_path, tmp_path))}

    assert found["clinc150"].availability == "4 of 5 files here"

    (tmp_path / "clinc150" / "domains.json").touch()
    found = {one.name: one for one in listed_suites(places(tmp_path, tmp_path))}
    assert found["clinc150"].availability == "here"


def test_a_damaged_suite_does_not_hide_the_others(
    shipped: Path, tmp_path: Path
) -> None:
    (shipped / "classification" / "snips" / "suite.yaml").write_text("a: [")
    found = {one.name: one for one in listed_suites(places(tmp_path))}

    assert found["snips"].kind == "damaged"
    assert "suites/classification/snips/suite.yaml:" in found["snips"].description
    assert found["hwu64"].kind == "classification"


def test_a_hub_suite_is_said_to_be_on_the_hub(shipped: Path, tmp_path: Path) -> None:
    (shipped / "classification" / "snips" / "suite.yaml").write_text(
        "task: {kind: classification}\ndata: {test: {hub: a/b, revision: x}}\n"
    )
    found = {one.name: one for one in listed_suites(places(tmp_path))}

    assert found["snips"].availability == "on the hub"


def test_listing_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from compat_eval.suite.catalogue import listed_suites\n"
        "from compat_eval.suite.data.places import DataPlaces, default_cache\n"
        "listed_suites(DataPlaces(base=None, data_dir=None, cache=default_cache()))\n"
        f"print([m for m in {HEAVY!r} if m in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


def test_a_damaged_installation_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "_PACKAGE", tmp_path / "none" / "compat_eval")

    with pytest.raises(ValueError, match="install compat-eval again"):
        catalogue.shipped_root()
