"""Pages of parses and of semantic trees."""

from html.parser import HTMLParser

import pytest

from compat_eval.report import pictures as pictures_module
from compat_eval.report.render import render
from compat_eval.report.results import read_results
from compat_eval.report.sections.breakdowns import (
    breakdowns,
    coflips,
    worst_values,
)
from tests.fakes import judged, update
from tests.unit.report.hostile import ACTS, HOSTILE
from tests.unit.report.made_run import made_run, varied_rows
from tests.unit.report.parsed_run import (
    UTTERANCES,
    parsed_run,
    run_of,
    semantic_run,
    sentences,
)


class Tags(HTMLParser):
    """Counts tags, and keeps texts and attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.names: set[str] = set()
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.names |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def pages(run: object) -> dict[str, str]:
    found = render(run)  # type: ignore[arg-type]
    return {name: content.decode("utf-8") for name, content in found.items()}


def test_parses_are_drawn_with_a_legend_and_the_words_that_flipped() -> None:
    page = Tags(pages(parsed_run())["report.html"])
    text = " ".join(" ".join(page.texts).split())

    assert page.tags.count("desc") == 2
    assert "Above the words stands the tree of old" in text
    assert "▼ the : det ← dog , now det ← saw" in text
    assert "2:root←0" not in text  # the drawing replaces the listing


def test_semantic_trees_stand_side_by_side() -> None:
    page = Tags(pages(semantic_run())["report.html"])
    text = " ".join(" ".join(page.texts).split())

    assert page.tags.count("h4") == 6
    assert "▼ broken: SL:CATEGORY party" in text
    assert "✗ wrong: SL:NAME party" in text


def test_pages_without_trees_have_neither_drawings_nor_breakdowns() -> None:
    run = made_run(varied_rows(30, broken=3, fixed=2, missed=1))
    page = pages(run)["report.html"]

    assert '<section id="breakdowns"' not in page
    assert "<desc>" not in page


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_words_and_relations_stay_text(text: str) -> None:
    safe = text.encode("utf-8", "replace").decode()
    subtype = "obj:x" if ":" in safe else "obj"  # then there is one facet more
    plain = sentences(3, size=4, word="word", relation=subtype)
    hostile = sentences(3, size=4, word=safe, relation=safe)

    found = pages(run_of(hostile, "las"))
    expected = pages(run_of(plain, "las"))

    assert Tags(found["report.html"]).tags == Tags(expected["report.html"]).tags
    assert Tags(found["report.html"]).names == Tags(expected["report.html"]).names
    for page in found.values():
        assert ACTS.search(page.replace("\u200b", "")) is None


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_trees_stay_text(text: str) -> None:
    safe = "_".join(text.encode("utf-8", "replace").decode().split())
    right = list(UTTERANCES[1])

    def page(word: str) -> str:
        new = [f"[IN:X{word} [SL:{word} {word} ] ]", *right[1:]]
        return pages(semantic_run(list(right), list(new)))["report.html"]

    assert Tags(page(safe)).names <= Tags(page("plain")).names
    assert Tags(page(safe)).tags.count("script") == 1
    assert ACTS.search(page(safe)) is None


def test_two_thousand_flipped_sentences_fit_in_two_megabytes() -> None:
    run = run_of(sentences(2000, size=20), "las")

    page = pages(run)["report.html"]

    assert len(page.encode()) <= 2_000_000
    assert 30 < page.count("<desc>") <= pictures_module.MOST_DRAWN
    assert "are not drawn, so that this page stays small" in page


def test_facets_are_listed_worst_first_or_in_their_order() -> None:
    found = breakdowns(read_results(parsed_run()).task)

    assert found is not None
    tables = {one.title: [row.name for row in one.table.rows] for one in found.tables}
    assert tables["Relation"][:2] == ["det", "obj"]
    assert tables["Head distance"] == ["root", "1", "2", "3"]
    assert list(found.folded) == ["Whole trees, unlabelled (UCM)"]


def test_the_three_worst_values_are_of_different_facets() -> None:
    results = read_results(parsed_run())

    found = worst_values(results.task.update)

    # Each is the one word 'the', which broke.
    assert [(facet, value.part) for facet, value in found.items()] == [
        ("head_distance", "2"),
        ("part_of_speech", "DET"),
        ("relation", "det"),
    ]
    summary = pages(parsed_run())["summary.md"]
    assert "| Relation | `det` | 1 | 1 | 0 | 100.0" in summary
    assert "| Example | Input | Flipped | Old | New |" in summary


def test_values_that_are_left_out_are_counted() -> None:
    words = sentences(40, size=6)
    run = run_of(words, "las")
    found_here = judged(run.comparison)["analyses"]
    values = [
        {**found_here["breakdowns"][0]["values"][0], "value": f"v{at:02}"}
        for at in range(20)
    ]
    one = {**found_here["breakdowns"][0], "values": values, "left_out": 7}

    found_here["breakdowns"] = [one]

    found = breakdowns(read_results(run).task)

    assert found is not None
    assert (len(found.tables[0].table.rows), found.tables[0].left_out) == (
        15,
        "12 more values",
    )


def test_pairs_say_what_independence_would_give() -> None:
    found = coflips(read_results(parsed_run()).task)

    assert found is not None
    # One of seven pairs; 2 of 7 words broke: (2/7) / (2 − 2/7).
    assert found.said == (
        "Where one of two words of an example broke, both did in 14.3\u00a0% of the "
        "pairs; it would be 16.7\u00a0% if words broke independently."
    )
    assert [row.distance for row in found.tables[1].rows] == ["1", "2", "3"]


def test_where_nothing_broke_there_are_no_pairs_to_show() -> None:
    same = sentences(2, size=3)
    unchanged = update(same.examples, same.old, same.old, task="dependency")

    assert coflips(read_results(run_of(unchanged, "las")).task) is None
