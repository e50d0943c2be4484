"""Which flips are drawn, and what stands in place of a drawing."""

from html.parser import HTMLParser

import pytest

from compat_eval.core.picture import WrittenTree
from compat_eval.report import pictures as pictures_module
from compat_eval.report.flips import Flip, flips
from compat_eval.report.pictures import Pictures, pictures, plain_pictures
from compat_eval.report.render import render
from compat_eval.report.results import Results, read_results
from tests.unit.report.hostile import ACTS, HOSTILE
from tests.unit.report.made_run import made_run, varied_rows
from tests.unit.report.parsed_run import (
    UTTERANCES,
    parsed_run,
    run_of,
    semantic_run,
    sentences,
)

RIGHT: list[str | None] = list(UTTERANCES[1])


def listed(results: Results) -> tuple[Flip, ...]:
    return flips(results, results.task.update.main.level.name)


def drawn(results: Results) -> Pictures:
    return pictures(results, listed(results))


def trees(example: str, new: list[str | None]) -> tuple[WrittenTree, ...]:
    return drawn(read_results(semantic_run(RIGHT, new))).of[example].trees


def test_runs_of_other_tasks_have_no_pictures() -> None:
    results = read_results(made_run(varied_rows(20, broken=2, fixed=1, missed=1)))

    assert drawn(results) == Pictures(of={})
    assert pictures(read_results(parsed_run()), []) == Pictures(of={})


def test_parses_show_a_drawing_and_what_flipped() -> None:
    found = drawn(read_results(parsed_run("las")))

    assert found.legend.startswith("Above the words stands the tree of old")
    assert all(one.drawing for one in found.of.values())
    assert [one.part for one in found.of["s1"].changes] == ["the", "old", "dog"]
    assert found.left_out == ""
    assert 0 < found.of["s1"].weight < 3000


def test_what_there_is_no_room_for_lists_what_flipped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pictures_module, "MOST_DRAWN", 1)

    found = drawn(read_results(parsed_run("las")))

    assert [one.drawing is None for one in found.of.values()] == [False, True]
    assert found.left_out == (
        "1 example is not drawn, so that this page stays small; what flipped is listed."
    )


def test_no_answer_is_said() -> None:
    *_, new = trees("b", [RIGHT[0], None, *RIGHT[2:]])

    assert (new.verdict, new.instead) == ("wrong", "no answer")


def test_long_trees_are_cut_and_say_so() -> None:
    long = f"[IN:A {' '.join('[SL:B b ]' for _ in range(99))} ]"
    gold, _, new = trees("b", [RIGHT[0], long, *RIGHT[2:]])

    assert gold.verdict == ""
    assert (len(new.lines), new.more) == (60, "… 40 more lines")


def test_a_terminal_gets_what_flipped_as_plain_lines() -> None:
    parses, semantic = (
        read_results(run) for run in (parsed_run("las"), semantic_run())
    )

    assert plain_pictures(parses, listed(parses))["s1"][0] == (
        "▼ the: det ← dog, now det ← saw"
    )
    found = plain_pictures(semantic, listed(semantic))["a"]
    assert found[0] == "gold"
    assert "        ▼ SL:CATEGORY party" in found
    assert "new ✗" in found


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

    assert page.tags.count("h4") == 12
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
