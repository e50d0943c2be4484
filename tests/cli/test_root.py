import os

import pytest
from typer.testing import CliRunner

from compat_eval.cli.root import app

RUNNER = CliRunner()


@pytest.mark.parametrize(
    ("mistyped", "meant"),
    [
        ("comapre a b", "Did you mean 'compare'?"),
        ("repotr runs/1", "Did you mean 'report'?"),
        ("suites lst", "Did you mean 'list'?"),
        ("cache prnue", "Did you mean 'prune'?"),
        ("compare a b --gatse x", "--gates"),
        ("plan --limt 3", "--limit"),
        ("--verison", "--version"),
    ],
)
def test_a_mistyped_word_is_answered_with_the_one_that_was_meant(
    mistyped: str, meant: str
) -> None:
    done = RUNNER.invoke(app, mistyped.split())

    assert done.exit_code == 2
    assert meant in done.output


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("compat-eval comp", "compare"),
        ("compat-eval suites v", "validate"),
        ("compat-eval compare a b --trust-c", "--trust-correct"),
        ("compat-eval compare a b --inconclusive w", "warn"),
    ],
)
def test_a_shell_completes_commands_options_and_values(
    monkeypatch: pytest.MonkeyPatch, typed: str, completed: str
) -> None:
    monkeypatch.setitem(os.environ, "_COMPAT_EVAL_COMPLETE", "complete_bash")
    monkeypatch.setitem(os.environ, "COMP_WORDS", typed)
    monkeypatch.setitem(os.environ, "COMP_CWORD", str(typed.count(" ")))

    done = RUNNER.invoke(app, prog_name="compat-eval")

    assert done.output.split() == [completed]
