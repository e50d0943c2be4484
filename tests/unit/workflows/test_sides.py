from importlib import import_module
from pathlib import Path

import pytest

from compat_eval.adapters import ADAPTERS
from compat_eval.core.errors import ModelError
from compat_eval.workflows.sides import SCHEMES, resolve


def test_a_scheme_is_believed() -> None:
    found = resolve("hf:owner/model")

    assert (found.scheme, found.location) == ("hf", "owner/model")
    assert not found.recorded


def test_a_prediction_file_is_seen_by_its_suffix(tmp_path: Path) -> None:
    path = tmp_path / "old.csv"
    path.write_text("id,prediction\n1,a\n", "utf-8")

    found = resolve(str(path))

    assert found.scheme == "preds"
    assert found.recorded


def test_a_run_directory_is_seen_by_its_content(tmp_path: Path) -> None:
    (tmp_path / "comparison.json").write_text("{}", "utf-8")

    assert resolve(f"{tmp_path}#old").scheme == "run"


def test_an_unknown_scheme_lists_the_known() -> None:
    with pytest.raises(ModelError) as caught:
        resolve("tf:model")

    assert "unknown model scheme 'tf'" in str(caught.value)
    assert all(f"{scheme}:" in str(caught.value) for scheme in SCHEMES)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("owner/model", "write hf:owner/model"),
        ("nothing", "no such file"),
        ("hf:", "nothing follows hf:"),
    ],
)
def test_what_is_not_there_is_named(text: str, says: str) -> None:
    with pytest.raises(ModelError, match=says):
        resolve(text)


def test_of_what_is_not_there_the_nearest_name_is_told(tmp_path: Path) -> None:
    (tmp_path / "model-v2").mkdir()

    with pytest.raises(ModelError, match=r"no such .* \(did you mean model-v2\?\)"):
        resolve(str(tmp_path / "model-v3"))


def test_an_unclear_directory_says_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("?", "utf-8")

    with pytest.raises(ModelError, match=r"fits no kind of model .*notes\.txt"):
        resolve(str(tmp_path))


def test_an_unclear_file_says_so(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(b"?")

    with pytest.raises(ModelError, match=r"\.bin file fits no kind"):
        resolve(str(path))


def test_no_model_has_a_suffix_of_prediction_files(tmp_path: Path) -> None:
    for suffix in ("jsonl", "json", "csv", "tsv", "parquet", "conllu", "zip", "csv.gz"):
        path = tmp_path / f"some.{suffix}"
        path.write_text("{}")
        modules = [
            import_module(t.partition(":")[0]) for t in ADAPTERS.builtin.values()
        ]

        assert not [one for one in modules if one.recognises(path)], suffix
