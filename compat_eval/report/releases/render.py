"""A release's three reports: the index page, `junit.xml` and `summary.md`."""

import xml.etree.ElementTree as ET
from typing import get_args

from markupsafe import Markup

import compat_eval
from compat_eval.report.html import (
    content_hash,
    environment,
    template_text,
    when,
)
from compat_eval.report.junit import (
    Inconclusive,
    add_child,
    as_bytes,
    junit_suite,
    new_case,
    test_suite,
)
from compat_eval.report.markdown import (
    ALERTS,
    MOST_CHARACTERS,
    comment_mark,
    markdown_table,
)
from compat_eval.report.releases.view import (
    PooledRow,
    ReleaseView,
    SuiteRow,
    release_view,
)
from compat_eval.report.text import code, plain, shortened, visible
from compat_eval.runs.releases import Release

_FILES = ("index.html", "junit.xml", "summary.md")
_LENGTH = 300


def render_release(
    release: Release, *, inconclusive: Inconclusive = "fail"
) -> dict[str, bytes]:
    """Return each report by the name of its file; the same release, the same bytes."""
    view = release_view(release)
    return {
        "index.html": _page(view),
        "junit.xml": _junit(view, inconclusive),
        "summary.md": _summary(view),
    }


def possible_reports(release: Release) -> dict[str, tuple[bytes, ...]]:
    """Return every content that each report of a release may have, by name."""
    made = [render_release(release, inconclusive=i) for i in get_args(Inconclusive)]
    return {name: tuple(one[name] for one in made) for name in _FILES}


def _page(view: ReleaseView) -> bytes:
    """Return the index page, which allows its one style by hash and nothing else."""
    style = template_text("report.css") + template_text("release.css")
    policy = (
        f"default-src 'none'; style-src {content_hash(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    text = (
        environment()
        .get_template("release.html.j2")
        .render(
            view=view,
            policy=policy,
            style=Markup(style),  # noqa: S704
            created=when(view.created),
            version=compat_eval.__version__,
        )
    )
    return text.encode("utf-8")


def _junit(view: ReleaseView, inconclusive: Inconclusive) -> bytes:
    """Return one test suite for each suite, and one for the release itself."""
    suites = []
    for row in view.rows:
        found = view.results.get(row.key)
        if found is not None:
            advisory = row.tier == "advisory" or row.tolerated
            made = junit_suite(found, inconclusive=inconclusive, name=row.name)
            suites.append(_without_failures(made) if advisory else made)
            continue
        case = new_case(row.name, "suite")
        tag = "error" if row.verdict == "blocked" else "skipped"
        add_child(
            case, tag, visible(row.reason), message=shortened(row.reason, _LENGTH)
        )
        suites.append(test_suite(row.name, [case]))
    cases = [_pooled_case(view.name, one, inconclusive) for one in view.pooled]
    if cases:
        suites.append(test_suite(view.name, cases))
    return as_bytes(suites)


def _without_failures(suite: ET.Element) -> ET.Element:
    """Turn failures of a suite that does not decide into skipped cases."""
    for case in suite.iter("testcase"):
        for failure in case.findall("failure"):
            failure.tag = "skipped"
    found = len(suite.findall("testcase/skipped"))
    suite.set("failures", "0")
    suite.set("skipped", str(found))
    return suite


def _pooled_case(name: str, row: PooledRow, inconclusive: Inconclusive) -> ET.Element:
    case = new_case(name, f"{row.name} {row.asked}")
    said = f"{row.title}: {row.found or 'no value'}, {row.asked}. {row.reason}"
    counts_as = {"fail": "failure", "pass": "system-out"}.get(row.verdict)
    if counts_as is None:
        counts_as = {"fail": "failure", "warn": "skipped", "pass": "system-out"}[
            inconclusive
        ]
    if counts_as == "system-out":
        add_child(case, counts_as, visible(said))
    else:
        message = shortened(said, _LENGTH)
        add_child(case, counts_as, visible(said), message=message, type=row.verdict)
    return case


def _summary(view: ReleaseView) -> bytes:
    lines = (view.sentence, *view.lines, *view.notes)
    body = "\n>\n".join(f"> {plain(shortened(line, 1000))}" for line in lines)
    parts = [
        comment_mark(view.name),
        f"> [!{ALERTS[view.verdict]}]\n> **{view.word}** {code(view.name)}\n>\n{body}",
        markdown_table(
            ("Verdict", "Suite", "Tier", "Examples", "Found", "Gate", "Why"),
            [_summary_row(row) for row in view.rows],
        ),
    ]
    if view.pooled:
        rows = [
            (
                f"{one.symbol} {one.word}",
                code(one.name, cell=True),
                plain(one.asked),
                plain(one.found or "–"),
                one.suites,
                plain(shortened(one.reason, _LENGTH)),
            )
            for one in view.pooled
        ]
        head = ("Verdict", "Gate", "Limit", "Value", "Over", "Why")
        parts += ["### Over several suites", markdown_table(head, rows)]
    parts += [f"*{plain(view.correction)}*"] if view.correction else []
    text = "\n\n".join(parts) + "\n"
    if len(text) > MOST_CHARACTERS:
        cut = "\n\n*Cut here to keep this comment small; index.html has everything.*\n"
        text = text[: MOST_CHARACTERS - len(cut)].rpartition("\n")[0] + cut
    return text.encode("utf-8")


def _summary_row(row: SuiteRow) -> tuple[str, ...]:
    gate = row.gate
    why = row.reason or ("" if gate is None else gate.reason)
    tolerated = " (tolerated)" if row.tolerated else ""
    return (
        f"{row.symbol} {row.word}{tolerated}",
        code(row.name, cell=True),
        row.tier,
        row.examples or "–",
        plain(row.found or "–"),
        "–" if gate is None else code(shortened(gate.key, 200), cell=True),
        plain(shortened(why, _LENGTH)) or "–",
    )
