"""What simulations share."""

import pytest

from compat_eval.statistics.intervals.evidence import Fresh


@pytest.fixture
def verdicts_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the search for fresh samples: thousands of gates are judged."""
    for place in ("share.ShareEvidence", "change.ChangeEvidence"):
        monkeypatch.setattr(
            f"compat_eval.stats.{place}.fresh_examples", lambda *_, **__: Fresh()
        )
