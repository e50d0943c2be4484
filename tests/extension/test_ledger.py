"""A section of the report, of another package."""

from pathlib import Path

import pytest

from tests.extension.conftest import Call, Install

pytestmark = pytest.mark.usefixtures("toys")

COMPARE = ("compare", "python:toys:old", "python:toys:new", "--suite", "suite.yaml")


def test_it_stands_where_it_wants_to(install: Install, call: Call) -> None:
    install("ledger")

    code, said = call(*COMPARE, "--out", "run", "-q")

    # NEW breaks 3, 13, 23 and 33, whose gold is b.
    assert code == 0, said
    page = Path("run/report.html").read_text("utf-8")
    assert '<tr><th scope="row">b</th><td>4</td></tr>' in page
    assert page.index('id="flips"') < page.index('id="ledger"') < page.index('id="metr')


def test_it_is_left_out_where_it_has_nothing_to_say(
    install: Install, call: Call
) -> None:
    install("ledger")

    code, said = call(*COMPARE[:2], *COMPARE[1:2], *COMPARE[3:], "--out", "run", "-q")

    assert code == 0, said
    assert 'class="ledger"' not in Path("run/report.html").read_text("utf-8")


def test_without_the_package_the_report_is_rendered_without_it(
    install: Install, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = install("ledger")
    assert call(*COMPARE, "--out", "run", "-q")[0] == 0
    monkeypatch.undo()

    code, said = call("report", str(site.parent / "run"))

    assert code == 0, said
    assert 'class="ledger"' not in (site.parent / "run/report.html").read_text("utf-8")
