"""What simulations share."""

import pytest

from compat_eval.statistics.intervals.change import ChangeEvidence
from compat_eval.statistics.intervals.evidence import Fresh
from compat_eval.statistics.intervals.share import ShareEvidence
from compat_eval.statistics.unlucky import Repeatable


@pytest.fixture
def verdicts_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the search for fresh samples: thousands of gates are judged."""
    for evidence in (ShareEvidence, ChangeEvidence, Repeatable):
        monkeypatch.setattr(evidence, "fresh_examples", lambda *_, **__: Fresh())
