"""The pages and summaries of federations and sweeps, from numbers that are known."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from compat_eval.federated.sweep import SweepResults
from compat_eval.report.federations import clients, federation, sweep
from compat_eval.report.federations.render import render_federation, render_sweep
from compat_eval.report.federations.reported import ReportedFederation
from tests.unit.report.made_federation import (
    HOSTILE,
    federation_content,
    sweep_results,
)


@pytest.fixture
def content(tmp_path: Path) -> dict[str, Any]:
    return federation_content(tmp_path)


def test_the_page_of_a_federation_has_every_section(content: dict[str, Any]) -> None:
    page = render_federation(content)["report.html"].decode()
    for name in federation.SECTIONS:
        assert (f'id="{name}"' in page) is (name != "personal"), name
    # ln 30/20 and ln 33/30: their mean is .250 nats, 28.5 % of perplexity.
    assert "+28.5%" in page
    assert "3 of 120 test documents have the text of a training document" in page
    assert "Clients were left out 1 time" in page
    assert "degenerate 2 times" in page
    assert HOSTILE not in page


def test_the_matrix_is_a_heat_map_of_changes(content: dict[str, Any]) -> None:
    view = federation.forgetting(ReportedFederation(name="stream", content=content))
    heats = [[cell.heat for cell in cells] for _, cells in view.rows]
    # 25/20 and 30/20 are rises by more than 15 %, 33/30 by more than 5 %.
    assert heats == [
        ["unlearned"] * 3,
        ["learned", "unlearned", "unlearned"],
        ["worse-3", "learned", "unlearned"],
        ["worse-3", "worse-2", "learned"],
    ]
    since = view.rows[3][1][0].since
    assert since is not None
    assert since.text.startswith("+50.")


def test_a_federation_of_flower_has_a_page_too(content: dict[str, Any]) -> None:
    for name in ("diversity", "n_tests", "n_tests_trained_on", "model"):
        del content[name]
    content["nats"][2][0][3] = None
    page = render_federation(content)["report.html"].decode()
    assert 'id="clients"' in page
    assert 'id="kept"' not in page


def test_clients_own_models_have_a_section_where_there_are_any(
    content: dict[str, Any],
) -> None:
    update = content["updates"][0]
    told = {"period": "1", "statistics": update["statistics"]}
    content |= {"personal_against_global": [told], "personal_updates": [update]}
    content["settings"] |= {"personal": "self-fl"}
    content |= {"right_tokens": [[300]], "personal_right_tokens": [[600]]}
    view = clients.personal(ReportedFederation(name="stream", content=content))
    assert view is not None
    assert view.headings[0] == "Pooled perplexity ratio"
    # √(25 · 30) over √(20 · 60) is .791; clients differ a little.
    assert view.updates[0][1][0].text == "0.790"
    page = render_federation(content)["report.html"].decode()
    assert "answered by its own client's model" in page
    assert "right at 50.0% of places, with the global model at 25.0%" in page


def test_the_summary_says_the_verdict_first(content: dict[str, Any]) -> None:
    text = render_federation(content)["summary.md"].decode()
    assert "> [!CAUTION]\n> **FAIL** – The limit of forgetting since" in text
    assert "| after 3 |" in text
    assert "<script>" not in text


def test_the_page_of_a_sweep_has_every_section() -> None:
    page = render_sweep(sweep_results())["report.html"].decode()
    for name in sweep.SECTIONS:
        assert f'id="{name}"' in page, name
    assert HOSTILE not in page
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len({*ids})


def test_what_is_beyond_chance_is_said_and_marked() -> None:
    view = sweep.methods(sweep_results())
    rows = dict(view.rows)
    assert view.columns == ("5 kept", "20 kept")
    none = rows["none"]
    assert none[0].proven == "worse"
    assert none[0].number is not None
    # e^0.3 − 1 against uniform at 5.
    assert none[0].number.text == "+35.0\xa0%"
    assert rows[HOSTILE][0].proven == "better"
    assert rows[HOSTILE][1].number is None
    assert any(
        "higher beyond chance" in one
        for one in sweep.summary(sweep_results()).sentences
    )


def test_one_seed_shows_nothing_beyond_chance() -> None:
    said = sweep.summary(sweep_results(1)).sentences
    assert said[0] == "No method differs from uniform beyond chance."


def test_the_figure_has_a_line_for_each_method_but_the_reference() -> None:
    found = sweep.figure(sweep_results())
    assert found is not None
    assert [line.name.partition(" (")[0] for line in found.lines] == ["none", HOSTILE]
    assert "at 20" in found.text


def test_reports_are_the_same_of_the_same_results(content: dict[str, Any]) -> None:
    again = json.loads(json.dumps(content))
    assert render_federation(content) == render_federation(again)
    read = SweepResults.from_dict(json.loads(json.dumps(sweep_results().to_dict())))
    assert render_sweep(read) == render_sweep(
        SweepResults.from_dict(sweep_results().to_dict())
    )
