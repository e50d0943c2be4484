"""The wheel holds what git tracks, and works where there is no checkout."""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("hatchling")

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = {
    "compat_eval/": "compat_eval/",
    "suites/": "compat_eval/_suites/",
    "reports/templates/": "compat_eval/_templates/",
}
ANSWERS = {
    "old": ["a,yes,yes", "b,yes,yes", "c,no,yes", "d,no,yes"],
    "new": ["d,no,yes", "a,yes,yes", "b,yes,no", "c,no,no"],
}


def test_no_python_file_stands_where_an_editable_install_would_stumble() -> None:
    moved = [folder for folder, to in SHIPPED.items() if folder != to]

    assert [path for folder in moved for path in (ROOT / folder).rglob("*.py")] == []


def run(*words: str, folder: Path, **environment: str) -> str:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("COMPAT_EVAL")}
    done = subprocess.run(
        words,
        cwd=folder,
        env={**kept, "NO_COLOR": "1", "COLUMNS": "100", **environment},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, f"{words}: {done.stdout}\n{done.stderr}"
    return done.stdout


def known_to_git() -> Iterator[str]:
    """Yield what git tracks, or would if it were added: not what it ignores."""
    if not (ROOT / ".git").exists():
        pytest.skip("needs a git checkout")
    listed = run(
        "git",
        *("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--"),
        *SHIPPED,
        folder=ROOT,
    )
    yield from (name for name in listed.split("\0") if name and (ROOT / name).is_file())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    build = ("-m", "hatchling", "build", "-t", "wheel", "-d", str(out))
    run(sys.executable, *build, folder=ROOT)
    (made,) = out.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the wheel installed, far from the checkout."""
    site = tmp_path_factory.mktemp("site")
    options = ("--quiet", "--no-deps", "--no-index", "--disable-pip-version-check")
    pip = ("-m", "pip", "install", *options, "--target", str(site))
    run(sys.executable, *pip, str(wheel), folder=site)
    return site


def test_the_wheel_holds_exactly_what_git_tracks(wheel: Path) -> None:
    expected = set()
    for name in known_to_git():
        place = next(p for p in SHIPPED if name.startswith(p))
        expected.add(SHIPPED[place] + name.removeprefix(place))

    held = {n for n in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in n}

    assert held == expected
    assert "compat_eval/py.typed" in held
    assert "compat_eval/_suites/classification/library-desk/utterances.csv" in held
    assert "compat_eval/_templates/report.html.j2" in held


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [n for n in archive.namelist() if n.endswith("/METADATA")]
        about = archive.read(name).decode("utf-8")
        licences = [n for n in archive.namelist() if n.endswith("licenses/LICENSE")]

    assert "Name: compat-eval\n" in about
    assert "License-Expression: Apache-2.0\n" in about
    assert len(licences) == 1


def command(site: Path, *words: str, folder: Path) -> str:
    program = str(site / "bin" / "compat-eval")
    cache = str(folder / "cache")
    return run(
        sys.executable,
        "-P",
        program,
        *words,
        folder=folder,
        PYTHONPATH=str(site),
        COMPAT_EVAL_CACHE=cache,
        COMPAT_EVAL_OFFLINE="1",
    )


def test_what_runs_is_what_was_installed(site: Path, tmp_path: Path) -> None:
    where = "import compat_eval; print(compat_eval.__file__)"

    found = run(
        sys.executable, "-P", "-c", where, folder=tmp_path, PYTHONPATH=str(site)
    )

    assert Path(found.strip()) == site / "compat_eval" / "__init__.py"


def test_the_shipped_suites_are_there(site: Path, tmp_path: Path) -> None:
    listed = command(site, "suites", "list", folder=tmp_path)
    validated = command(site, "suites", "validate", "library-desk", folder=tmp_path)

    assert "library-desk" in listed
    assert "clinc150" in listed
    assert "suite library-desk is valid" in validated


def test_two_files_are_compared_and_reported(site: Path, tmp_path: Path) -> None:
    for name, rows in ANSWERS.items():
        text = "\n".join(["id,gold,prediction", *rows]) + "\n"
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")

    printed = command(
        site, "compare", "old.csv", "new.csv", "--out", "run", "--json", folder=tmp_path
    )

    # old: a b right, c d wrong; new: a c right, b d wrong.
    counts = json.loads(printed)["tasks"][0]["updates"][0]["levels"]["example"][
        "counts"
    ]
    assert counts == {"kept": 1, "broken": 1, "fixed": 1, "missed": 1}
    page = (tmp_path / "run" / "report.html").read_text("utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "broken" in page
    assert "reproduced" in command(site, "verify", "run", folder=tmp_path)
