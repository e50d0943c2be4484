"""The pages and summaries of federations and sweeps, from numbers that are known."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compat_eval.federated.sweep import SweepResults, SweptFederation, swept
from compat_eval.report.federations import federation, sweep
from compat_eval.report.federations.federation import ReportedFederation
from compat_eval.report.federations.render import render_federation, render_sweep
from compat_eval.suite.load import gates_of
from tests.streams import NAMES, jittered, write_stream

HOSTILE = "<script>alert(1)</script>"
FACTS = {
    "n": 2.0,
    "old_share": 0.5,
    "periods": 1.9,
    "tokens": 4.0,
    "tokens_of_all": 5.0,
    "distinct": 3.0,
}


@pytest.fixture
def content(tmp_path: Path) -> dict[str, Any]:
    stream = write_stream(tmp_path, noise=jittered)
    gates = [
        {"quantity": "forgetting_first", "at_most": 0.1},
        {"quantity": "worst_decile_ratio", "at_most": 1.5, "semantics": "certify"},
    ]
    nats = np.zeros((3, 3, 40))
    for model in range(3):
        nats[model] = stream.nats[model + 1].reshape(3, 40)
    return {
        "suite": "stream",
        "periods": [*NAMES],
        "clients": [HOSTILE, *(f"c{at}" for at in range(39))],
        "settings": {"algorithm": "fedavg", "replay": "coordinated"},
        "model": {"width": 8},
        "seed": 0,
        "n_tests": 120,
        "n_tests_trained_on": 3,
        "nats": nats.tolist(),
        "tokens": np.full((3, 40), 10).tolist(),
        "kept": {f"c{at}": [1, 1, 0] for at in range(40)},
        "diversity": [FACTS] * 3,
        "log": [
            {"period": 0, "round": 0, "clients": [0], "lost": ["c1"]},
            {"period": 0, "selection": {"norms": [3.0, 2.0], "n_degenerate": 2}},
        ],
        **stream.numbers(),
        **stream.judged(gates_of(gates)).to_dict(),
    }


def results(n: int = 3) -> SweepResults:
    rng = np.random.default_rng(0)
    runs = []
    for seed in range(n):
        base = 3 + 0.1 * rng.normal()
        for method, budget, moved in (
            ("uniform", 5, 0.0),
            ("uniform", 20, -0.1),
            ("none", None, 0.3),
            (HOSTILE, 5, -0.2),
        ):
            nats = np.full((2, 2, 3), 10.0 * (base + moved + 0.001 * seed))
            runs.append(
                SweptFederation(
                    method=method,
                    budget=budget,
                    seed=seed,
                    order=("a", "b"),
                    nats=nats,
                    tokens=np.full((2, 3), 10.0),
                    kept=FACTS,
                )
            )
    return swept("stream", runs, reference="uniform")


def test_the_page_of_a_federation_has_every_section(content: dict[str, Any]) -> None:
    page = render_federation(content)["report.html"].decode()
    for name in federation.SECTIONS:
        assert f'id="{name}"' in page, name
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


def test_the_summary_says_the_verdict_first(content: dict[str, Any]) -> None:
    text = render_federation(content)["summary.md"].decode()
    assert "> [!CAUTION]\n> **FAIL** – The limit of forgetting since" in text
    assert "| after 3 |" in text
    assert "<script>" not in text


def test_the_page_of_a_sweep_has_every_section() -> None:
    page = render_sweep(results())["report.html"].decode()
    for name in sweep.SECTIONS:
        assert f'id="{name}"' in page, name
    assert HOSTILE not in page
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len({*ids})


def test_what_is_beyond_chance_is_said_and_marked() -> None:
    view = sweep.methods(results())
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
        "higher beyond chance" in one for one in sweep.summary(results()).sentences
    )


def test_one_seed_shows_nothing_beyond_chance() -> None:
    said = sweep.summary(results(1)).sentences
    assert said[0] == "No method differs from uniform beyond chance."


def test_the_figure_has_a_line_for_each_method_but_the_reference() -> None:
    found = sweep.figure(results())
    assert found is not None
    assert [line.name.partition(" (")[0] for line in found.lines] == ["none", HOSTILE]
    assert "at 20" in found.text


def test_reports_are_the_same_of_the_same_results(content: dict[str, Any]) -> None:
    again = json.loads(json.dumps(content))
    assert render_federation(content) == render_federation(again)
    read = SweepResults.from_dict(json.loads(json.dumps(results().to_dict())))
    assert render_sweep(read) == render_sweep(
        SweepResults.from_dict(results().to_dict())
    )
