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
data:
  test: {hub: someone/tiny, revision: abc123, mirror: tiny, token: "${TOKEN}"}
fields: {input: text, gold: label}
"""


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of data files, which `datasets` reads like a data set on the hub."""
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    monkeypatch.delenv("TOKEN", raising=False)
    folder = tmp_path / "mirror" / "tiny"
    folder.mkdir(parents=True)
    rows = [{"text": "hi", "label": 1}, {"text": "bye", "label": 0}]
    (folder / "test.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return tmp_path / "mirror"


@pytest.mark.slow
def test_class_numbers_become_names(
    suite_of: Callable[[str], Suite], mirror: Path
) -> None:
    (mirror / "tiny" / "README.md").write_text(
        "---\ndataset_info:\n  features:\n  - {name: text, dtype: string}\n"
        "  - name: label\n    dtype:\n      class_label:\n"
        "        names: {'0': leave, '1': greet}\n---\n"
    )

    examples = load_examples(suite_of(TEXT), data_dir=mirror)

    assert examples.column("input").to_pylist() == ["hi", "bye"]
    assert examples.column("gold").to_pylist() == ["greet", "leave"]


@pytest.mark.slow
def test_numbers_without_names_stay_numbers(
    suite_of: Callable[[str], Suite], mirror: Path
) -> None:
    examples = load_examples(suite_of(TEXT), data_dir=mirror)

    assert examples.column("gold").to_pylist() == ["1", "0"]


@pytest.mark.slow
def test_a_split_that_is_not_there_is_named(
    suite_of: Callable[[str], Suite], mirror: Path
) -> None:
    suite = suite_of(TEXT.replace("revision", "split: dev, revision"))

    with pytest.raises(DataError, match=r"someone/tiny .revision abc123, split dev"):
        load_examples(suite, data_dir=mirror)


def test_a_data_set_that_cannot_be_loaded_is_named_without_the_token(
    suite_of: Callable[[str], Suite], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(name: str, *_: object, token: str, **__: object) -> None:
        raise ConnectionError(f"{name}: cannot use {token}")

    monkeypatch.setenv("TOKEN", "s3cret")
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets, "load_dataset", refuse)

    with pytest.raises(DataError, match=r"ConnectionError: .*cannot use …") as caught:
        load_examples(suite_of(TEXT))

    assert "s3cret" not in str(caught.value)


def test_a_token_that_is_not_set_is_named(
    suite_of: Callable[[str], Suite], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TOKEN", raising=False)

    with pytest.raises(DataError, match="variable TOKEN is not set"):
        load_examples(suite_of(TEXT))


def test_a_local_folder_does_not_pass_for_the_hub(
    suite_of: Callable[[str], Suite], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "someone" / "tiny").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)

    with pytest.raises(DataError, match="would be read in place of the hub"):
        load_examples(suite_of(TEXT))


def test_a_missing_package_says_how_to_install_it(
    suite_of: Callable[[str], Suite], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "s3cret")
    monkeypatch.setitem(sys.modules, "datasets", None)

    with pytest.raises(MissingPackageError, match=r"compat-eval\[models\]"):
        load_examples(suite_of(TEXT))
