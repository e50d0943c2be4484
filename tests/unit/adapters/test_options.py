from pathlib import Path

import pytest

from compat_eval.adapters.options import ModelOptions
from compat_eval.core.errors import UsageError


def test_nothing_unsafe_or_inexact_is_on_unless_asked() -> None:
    options = ModelOptions()

    assert options.dtype == "float32"
    assert not options.allow_pickle
    assert not options.trust_remote_code
    assert not options.offline


def test_what_was_allowed_and_how_large_the_weights_are_is_told(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"12345")
    options = ModelOptions(allow_pickle=True, label_map={"a": "b"})
    told = options.description(
        labels=("b",), weights=[tmp_path / "model.bin"], libraries={}, format="new"
    )

    assert told["format"] == "new"
    assert (told["weights"], told["weight_bytes"]) == (["model.bin"], 5)
    assert (told["labels"], told["label_map"]) == (["b"], {"a": "b"})
    assert (told["allow_pickle"], told["trust_remote_code"]) == (True, False)


def test_a_fingerprint_is_of_content_and_deciding_options() -> None:
    bare = ModelOptions().fingerprint("new", 1, {"weights": "12"})

    assert bare == ModelOptions(threads=4).fingerprint("new", 1, {"weights": "12"})
    assert bare != ModelOptions().fingerprint("new", 1, {"weights": "13"})
    narrow = ModelOptions(dtype="float16")
    assert bare != narrow.fingerprint("new", 1, {"weights": "12"})


def test_an_unknown_dtype_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"float32, bfloat16, float16; got 'int8'"):
        ModelOptions(dtype="int8")  # type: ignore[arg-type]


def test_fewer_threads_than_one_are_refused() -> None:
    with pytest.raises(UsageError, match="at least 1; got 0"):
        ModelOptions(threads=0)


def test_the_number_of_a_device_decides_no_answer() -> None:
    assert ModelOptions(device="cuda:1").deciding() == (
        ModelOptions(device="cuda").deciding()
    )
    assert ModelOptions(device="cuda").deciding() != ModelOptions().deciding()
