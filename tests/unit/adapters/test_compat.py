import json
from pathlib import Path

import pytest

from compat_eval.adapters.compat import open_source, recognises
from compat_eval.adapters.options import ModelOptions
from compat_eval.core.errors import ModelError


def saved(directory: Path, **config: object) -> Path:
    (directory / "config.json").write_text(json.dumps(config))
    return directory


def test_a_model_of_somebody_else_is_told_where_to_go(tmp_path: Path) -> None:
    directory = saved(tmp_path, model_type="bert")

    with pytest.raises(ModelError, match="For a model of transformers write hf:"):
        open_source(str(directory), ModelOptions())
    assert not recognises(directory)


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    ours = {"kind": "embedding-bag", "schema_version": 2}

    with pytest.raises(
        ModelError, match=r"version 2; this compat-eval reads version 1"
    ):
        open_source(str(saved(tmp_path, compat_eval=ours)), ModelOptions())


def test_an_unknown_kind_is_refused_with_the_known(tmp_path: Path) -> None:
    ours = {"kind": "gpt", "schema_version": 1}

    with pytest.raises(ModelError, match=r"kind 'gpt'; known: .*embedding-bag.*tfidf"):
        open_source(str(saved(tmp_path, compat_eval=ours)), ModelOptions())


def test_a_narrow_dtype_is_refused(tmp_path: Path) -> None:
    ours = {"kind": "embedding-bag", "schema_version": 1}

    with pytest.raises(ModelError, match="only float32"):
        open_source(
            str(saved(tmp_path, compat_eval=ours)), ModelOptions(dtype="bfloat16")
        )


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such directory"):
        open_source(str(tmp_path / "nothing"), ModelOptions())
    with pytest.raises(ModelError, match=r"no config\.json"):
        open_source(str(tmp_path), ModelOptions())


@pytest.mark.torch
def test_weights_that_do_not_fit_are_named(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    save_file = pytest.importorskip("safetensors.numpy").save_file
    np = pytest.importorskip("numpy")
    ours = {"kind": "embedding-bag", "schema_version": 1}
    hashing = {"n_buckets": 10, "shortest": 3, "longest": 4}
    directory = saved(
        tmp_path, compat_eval=ours, labels=["a", "b"], width=4, hashing=hashing
    )
    save_file({"head.weight": np.zeros((2, 4), "f4")}, tmp_path / "model.safetensors")

    source = open_source(str(directory), ModelOptions())

    assert source.describe()["n_parameters"] == 8
    with pytest.raises(ModelError, match=r"weights do not fit its config\.json"):
        source.load()


@pytest.mark.parametrize(
    ("kind", "weights"),
    [
        ("biaffine", "model.safetensors"),
        ("embedding-bag", "model.safetensors"),
        ("tfidf", "model.skops"),
    ],
)
def test_weights_that_are_missing_are_named(
    tmp_path: Path, kind: str, weights: str
) -> None:
    ours = {"kind": kind, "schema_version": 1}
    directory = saved(tmp_path, compat_eval=ours, labels=["a", "b"])

    with pytest.raises(ModelError) as told:
        open_source(str(directory), ModelOptions())

    assert str(told.value) == (
        f"compat:{directory}: {weights} is missing (found config.json). Copy it back, "
        "or delete the directory and train the model again."
    )


@pytest.mark.torch
def test_settings_that_no_model_has_are_told_in_one_line(tmp_path: Path) -> None:
    save_file = pytest.importorskip("safetensors.numpy").save_file
    np = pytest.importorskip("numpy")
    ours = {"kind": "embedding-bag", "schema_version": 1}
    saved(tmp_path, compat_eval=ours, labels=["a", "b"], width=4, hashing={"x": 1})
    save_file({"head.weight": np.zeros((2, 4), "f4")}, tmp_path / "model.safetensors")

    with pytest.raises(ModelError) as told:
        open_source(str(tmp_path), ModelOptions()).load()

    said = str(told.value)
    assert said.startswith(
        f"{tmp_path / 'config.json'}: tells of no embedding-bag model: TypeError: "
    )
    assert said.endswith(
        "'x'. Restore the file, or delete the directory and train the model again."
    )
