import json as standard
from pathlib import Path

import pytest

from compat_eval.core.errors import MissingPackageError
from compat_eval.models.packages import package


def test_a_package_that_is_there_is_imported() -> None:
    assert package("json") is standard


def test_a_missing_package_comes_with_its_cure() -> None:
    with pytest.raises(
        MissingPackageError,
        match=r'no_such_thing is not installed; run: pip install "compat-eval\[onnx\]"',
    ):
        package("no_such_thing.part", extra="onnx")


def test_a_package_that_lacks_a_package_of_its_own_is_not_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lacking_one.py").write_text("import no_such_thing_either")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(ModuleNotFoundError, match="no_such_thing_either"):
        package("lacking_one")
