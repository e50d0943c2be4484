from collections.abc import Callable
from pathlib import Path

import pytest

from compat_eval.suite.data.places import DataPlaces
from compat_eval.suite.load import load_suite
from compat_eval.suite.suite import Suite

CSV = "id,text,intent\na,hello there,greet\nb,good bye,leave\nc,hi,greet\n"
SUITE = """\
name: tiny
task: classification
data: {test: {file: test.csv}}
fields: {id: id, input: text, gold: intent}
"""


@pytest.fixture(autouse=True)
def _own_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("COMPAT_EVAL_DATA", raising=False)
    monkeypatch.setenv("COMPAT_EVAL_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a sound suite of three examples."""
    (tmp_path / "test.csv").write_text(CSV)
    (tmp_path / "suite.yaml").write_text(SUITE)
    return tmp_path


@pytest.fixture
def suite_of(folder: Path) -> Callable[[str], Suite]:
    """Write and load a suite; the text is YAML."""

    def load(text: str = SUITE) -> Suite:
        (folder / "suite.yaml").write_text(text)
        return load_suite(folder / "suite.yaml")

    return load


@pytest.fixture
def places(folder: Path) -> DataPlaces:
    return DataPlaces(base=folder, data_dir=None, cache=folder / "cache", environ={})
