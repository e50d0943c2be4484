import pytest

from compat_eval.report.html import render_html
from compat_eval.report.results import read_results
from compat_eval.report.section import SECTIONS, ReportedRun, Section, sections
from tests.unit.report.made_run import made_run, varied_rows

ROWS = varied_rows(40, broken=3, fixed=2, missed=4)


def reported() -> ReportedRun:
    results = read_results(made_run(ROWS))
    return ReportedRun.of(results, show=["broken", "fixed"])


def test_sections_stand_in_the_order_of_what_decides() -> None:
    names = list(sections())

    assert names[:5] == ["decision", "verdict", "gates", "counts", "matrix"]
    assert names[-1] == "provenance"
    assert set(names) == set(SECTIONS.names())


def test_a_section_that_does_not_apply_is_left_out_with_its_entry() -> None:
    page = render_html(reported()).decode()

    assert '<section id="slices"' in page
    assert "mitigations" not in page.partition("<nav")[2].partition("</nav>")[0]


def test_a_section_of_another_package_stands_where_it_asks_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    added = Section(
        title="Notes & <more>",
        view=lambda found: f"<b>{len(found.flips)}</b>",
        template="<p class='mine'>{{ view }} flips</p>",
        after="flips",
    )
    monkeypatch.setattr(type(SECTIONS), "names", lambda self: (*self.builtin, "notes"))
    load = type(SECTIONS).load
    monkeypatch.setattr(
        type(SECTIONS),
        "load",
        lambda self, name: added if name == "notes" else load(self, name),
    )

    names = list(sections())
    page = render_html(reported()).decode()

    assert names[names.index("flips") + 1] == "notes"
    assert '<li><a href="#notes">Notes &amp; &lt;more&gt;</a></li>' in page
    assert "<p class='mine'>&lt;b&gt;5&lt;/b&gt; flips</p>" in page
