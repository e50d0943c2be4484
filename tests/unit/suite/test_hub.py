import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from compat_eval.core.errors import DataError, MissingPackageError
from compat_eval.suite.examples import load_examples
from compat_eval.suite.suite import Suite

TEXT = """\
name: hubbed
task: classification
data: {test: {hub: someone/tiny, revision: abc123, token: "${TOKEN}"}}
fields: {input: text, gold: label}
"""


@pytest.fixture
def hub_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`datasets` reads a folder of data files like a data set without a script."""
    home = tmp_path / "hf"
    monkeypatch.setenv("TOKEN", "s3cret")
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", home)
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "someone" / "tiny"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.slow
def test_class_numbers_become_names(
    suite_of: Callable[[str], Suite], hub_folder: Path
) -> None:
    rows = [{"text": "hi", "label": 1}, {"text": "bye", "label": 0}]
    (hub_folder / "test.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (hub_folder / "README.md").write_text(
        "---\ndataset_info:\n  features:\n  - {name: text, dtype: string}\n"
        "  - name: label\n    dtype:\n      class_label:\n"
        "        names: {'0': leave, '1': greet}\n---\n"
    )

    examples = load_examples(suite_of(TEXT), offline=False)

    assert examples.column("input").to_pylist() == ["hi", "bye"]
    assert examples.column("gold").to_pylist() == ["greet", "leave"]


@pytest.mark.slow
def test_a_data_set_that_cannot_be_loaded_is_named_without_the_token(
    suite_of: Callable[[str], Suite], hub_folder: Path
) -> None:
    assert not list(hub_folder.iterdir())

    with pytest.raises(DataError, match=r"someone/tiny .revision abc123") as caught:
        load_examples(suite_of(TEXT))

    assert "s3cret" not in str(caught.value)


def test_a_missing_package_says_how_to_install_it(
    suite_of: Callable[[str], Suite], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "s3cret")
    monkeypatch.setitem(sys.modules, "datasets", None)

    with pytest.raises(MissingPackageError, match=r"compat-eval\[models\]"):
        load_examples(suite_of(TEXT))
