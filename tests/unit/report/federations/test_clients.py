from pathlib import Path

import pytest

from compat_eval.report.federations.clients import clients
from compat_eval.report.federations.reported import ReportedFederation, step_name
from tests.unit.report.made_federation import HOSTILE, federation_content


def test_every_client_is_a_tick_and_the_worst_are_named(tmp_path: Path) -> None:
    content = federation_content(tmp_path)
    # The first client alone got worse with the last update.
    content["nats"][2][0][0] *= 3
    view = clients(ReportedFederation(name="stream", content=content))
    assert view is not None
    assert [len(strip.ticks) for strip in view.strips] == [40, 40]
    assert view.strips[1].text.startswith("2 → 3: 1 of 40 clients above 1")
    assert view.worst[0][0] == HOSTILE
    rightmost = max(map(float, view.strips[1].ticks))
    assert rightmost > float(view.rule) > float(view.strips[1].median)


def test_a_client_without_tests_is_left_out(tmp_path: Path) -> None:
    content = federation_content(tmp_path)
    for period in content["tokens"]:
        period[5] = 0
    view = clients(ReportedFederation(name="stream", content=content))
    assert view is not None
    assert [len(strip.ticks) for strip in view.strips] == [39, 39]


def test_one_period_has_no_updates_to_show(tmp_path: Path) -> None:
    content = {**federation_content(tmp_path), "updates": []}
    assert clients(ReportedFederation(name="stream", content=content)) is None


@pytest.mark.parametrize("name", ["2024", "a\nb"])
def test_an_update_is_called_by_its_periods(name: str) -> None:
    assert "\n" not in step_name({"old": name, "new": "2025"})
