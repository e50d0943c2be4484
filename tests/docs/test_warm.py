"""Programs that start at once behave as those that start anew."""

import os
import subprocess
from pathlib import Path

import pytest

from docs import pages

pytestmark = [pytest.mark.slow, pytest.mark.torch]


def called(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = pages.environment({**os.environ, "SAID": "yes"}, folder)
    return subprocess.run(
        ["env", *words],
        cwd=folder,
        env=environment,
        input="typed",
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_program_has_arguments_folder_environment_streams_and_exit_code(
    tmp_path: Path,
) -> None:
    (tmp_path / "beside.py").write_text("word = 'beside'\n", encoding="utf-8")
    (tmp_path / "say.py").write_text(
        "import os, sys, beside\n"
        "print(sys.argv, os.getcwd(), os.environ['SAID'], sys.stdin.read())\n"
        "print(beside.word, __name__, file=sys.stderr)\n"
        "sys.exit(3)\n",
        encoding="utf-8",
    )

    done = called(tmp_path, "python", "say.py", "one")

    assert done.stdout == f"['say.py', 'one'] {tmp_path} yes typed\n"
    assert done.stderr == "beside __main__\n"
    assert done.returncode == 3


def test_a_program_that_fails_says_why(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text("1 / 0\n", encoding="utf-8")

    done = called(tmp_path, "python", "wrong.py")

    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr


@pytest.mark.parametrize(
    ("words", "code"), [(["--version"], 0), (["compare", "no.csv", "none.csv"], 2)]
)
def test_a_command_ends_with_its_own_code(
    tmp_path: Path, words: list[str], code: int
) -> None:
    assert called(tmp_path, "compat-eval", *words).returncode == code


def test_other_uses_of_python_start_anew(tmp_path: Path) -> None:
    done = called(tmp_path, "python", "-c", "import sys; print('numpy' in sys.modules)")

    assert (done.stdout, done.returncode) == ("False\n", 0)
