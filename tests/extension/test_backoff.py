"""A mitigation that combines, of another package."""

from pathlib import Path
from typing import Any

import pytest

from compat_eval.core.errors import UsageError
from compat_eval.mitigations import MITIGATIONS
from compat_eval.mitigations.mitigation import Combination
from tests.extension.conftest import Call, Install


@pytest.mark.usefixtures("toys")
def test_compare_shows_what_it_makes_of_new(install: Install, call: Call) -> None:
    install("backoff")

    code, said = call(
        *("compare", "python:toys:old", "python:toys:new", "--suite", "suite.yaml"),
        *("--mitigate", "backoff:below=0.7", "--out", "run"),
    )

    # NEW breaks what ends in 3, with a score of 0.6, and OLD answers there.
    assert code == 0, said
    assert "backoff:below=0.7: broken 4 → 0" in said
    assert call("verify", "run")[0] == 0
    assert "backoff:below=0.7" in Path("run/report.html").read_text("utf-8")


@pytest.mark.usefixtures("toys")
def test_it_is_kept_as_a_model(install: Install, call: Call) -> None:
    install("backoff")

    code, said = call(
        *("mitigate", "backoff:below=0.7", "python:toys:old", "python:toys:new"),
        *("--suite", "suite.yaml", "--out", "kept"),
    )
    assert code == 0, said
    code, said = call(
        *("compare", "python:toys:old", "compat:kept", "--suite", "suite.yaml"),
        *("--trust-remote-code", "-q"),
    )

    assert code == 0, said
    assert "0 of 40 examples broke" in said


def test_its_settings_are_checked(install: Install) -> None:
    install("backoff")
    backoff: Combination[Any] = MITIGATIONS.load("backoff")

    with pytest.raises(UsageError, match=r"below must be a number in \[0, 1\]; got 2"):
        backoff(None, None, below=2)
