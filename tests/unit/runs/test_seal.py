import json
from pathlib import Path

import pytest

from compat_eval.core.errors import DataError
from compat_eval.runs.encoding import json_bytes
from compat_eval.runs.seal import changed_files, is_sealed, require_unchanged, sealed

CONTENT = {"a.txt": b"one", "report.html": b"two"}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    for name, content in CONTENT.items():
        (tmp_path / name).write_bytes(content)
    manifest = sealed({"schema_version": 1, "seed": 0.5}, CONTENT)
    (tmp_path / "manifest.json").write_bytes(json_bytes(manifest))
    return tmp_path


def manifest_of(run: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((run / "manifest.json").read_bytes())
    return found


def test_what_was_written_is_sound(run: Path) -> None:
    assert is_sealed(manifest_of(run))
    assert list(changed_files(run, manifest_of(run))) == []
    require_unchanged(run, manifest_of(run))


@pytest.mark.parametrize("name", ["a.txt", "report.html"])
def test_a_changed_or_absent_file_is_named(name: str, run: Path) -> None:
    (run / name).write_bytes(b"three")
    assert list(changed_files(run, manifest_of(run))) == [name]
    (run / name).unlink()
    assert list(changed_files(run, manifest_of(run))) == [name]


def test_reports_may_be_rendered_again(run: Path) -> None:
    (run / "report.html").write_bytes(b"three")
    require_unchanged(run, manifest_of(run))
    (run / "a.txt").write_bytes(b"three")
    with pytest.raises(DataError, match=r"a\.txt was changed after it was written"):
        require_unchanged(run, manifest_of(run))


@pytest.mark.parametrize("number", ["0.6", "NaN", "1e999", "null"])
def test_a_changed_manifest_is_not_sealed(number: str, run: Path) -> None:
    path = run / "manifest.json"
    path.write_text(path.read_text().replace("0.5", number))

    assert not is_sealed(manifest_of(run))
    with pytest.raises(DataError, match=r"manifest\.json was changed"):
        require_unchanged(run, manifest_of(run))


def test_blanks_count_too_and_a_manifest_without_sums_is_refused(run: Path) -> None:
    path = run / "manifest.json"
    path.write_bytes(path.read_bytes() + b"\n")

    assert list(changed_files(run, manifest_of(run))) == ["manifest.json"]
    with pytest.raises(DataError, match="earlier compat-eval"):
        is_sealed({"schema_version": 1})
