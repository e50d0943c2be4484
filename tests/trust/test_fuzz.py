"""No damaged file ends outside the contract, in a signal, or as a wrong PASS."""

import os
import signal
from pathlib import Path

import pytest

from tests.trust import fuzz

N_FILES = 2_000
# From 3.12 Python warns of a fork beside threads; Arrow starts its own anew.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


@pytest.mark.slow
def test_two_thousand_damaged_files_end_by_the_contract(here: Path) -> None:
    found, seen = fuzz.run_all(N_FILES, 0, here)

    assert found == []
    assert sum(seen.values()) == N_FILES
    assert min(seen.values()) > N_FILES // 60


def test_a_wrong_end_is_seen(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr("compat_eval.suite.data.formats.text.content", crash)

    found, _ = fuzz.run_all(fuzz.BATCH, 0, here)

    assert any("status" in one for one in found)
