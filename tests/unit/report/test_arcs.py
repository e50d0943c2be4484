"""The drawing of a parse: what is drawn, and that nothing lies on anything."""

import re
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compat_eval.report.flips import flips
from compat_eval.report.parses import Arc, ParsedWord, Sentence, parses
from compat_eval.report.results import read_results
from compat_eval.report.view.arcs import MOST_WORDS, ArcPicture, arc_picture
from compat_eval.report.view.text_width import text_width
from tests.unit.report.parsed_run import parsed_run


def toy() -> Sentence:
    results = read_results(parsed_run("las"))
    return parses(results, flips(results, "las"))["s1"]


def drawn(sentence: Sentence) -> ArcPicture:
    picture = arc_picture(sentence)
    assert picture is not None
    return picture


def sentence_of(heads: list[int], relations: list[str]) -> Sentence:
    arcs = [Arc(h, r) for h, r in zip(heads, relations, strict=True)]
    return tuple(
        ParsedWord(text=f"w{at}", mark="kept", gold=arc, old=arc, new=arc)
        for at, arc in enumerate(arcs)
    )


@st.composite
def parses_of(draw: st.DrawFn) -> Sentence:
    size = draw(st.integers(1, 15))
    numbers = list(range(1, size + 1))
    heads = [
        draw(st.sampled_from([h for h in (0, *numbers) if h != n])) for n in numbers
    ]
    relation = st.sampled_from(["obj", "compound:prt", ""])
    return sentence_of(heads, [draw(relation) for _ in numbers])


def test_above_stands_the_tree_of_old_and_below_what_new_draws_otherwise() -> None:
    picture = drawn(toy())

    middle = float(picture.words[0].y)
    above = [label.text for label in picture.labels if float(label.y) < middle - 15]
    below = [label.text for label in picture.labels if float(label.y) > middle]
    assert sorted(above) == ["det", "nmod", "nsubj", "obj", "punct", "root"]
    assert sorted(below) == ["▲ amod", "▼ det", "▼ obj"]


def test_flips_and_wrong_arcs_look_different() -> None:
    looks = {stroke.look: stroke.path.count("M") for stroke in drawn(toy()).strokes}

    assert looks == {
        "broken": 2,  # what old had right
        "broken wrong": 2,
        "fixed": 1,
        "fixed wrong": 1,
        "kept": 2,
        "uncounted": 1,
    }
    assert [w.look for w in drawn(toy()).words] == [
        *("", "", "broken", "fixed", "broken", ""),
    ]


@settings(max_examples=30, deadline=None)
@given(parses_of())
def test_labels_do_not_overlap_and_all_is_inside(sentence: Sentence) -> None:
    picture = drawn(sentence)

    width, height = float(picture.width), float(picture.height)
    boxes = []
    for label, unit in (
        *((label, 5.0) for label in picture.labels),
        *((word, 6.5) for word in picture.words),
    ):
        half = text_width(label.text, unit) / 2
        boxes.append((float(label.x) - half, float(label.x) + half, float(label.y)))
    assert all(a >= -1 and b <= width + 1 and 0 < y < height for a, b, y in boxes)
    for (a, b, y), (c, d, z) in combinations(boxes, 2):
        assert abs(y - z) >= 8 or b <= c or d <= a


@settings(max_examples=30, deadline=None)
@given(parses_of())
def test_every_arc_with_a_head_is_drawn_once(sentence: Sentence) -> None:
    picture = drawn(sentence)

    assert sum(s.path.count("M") for s in picture.strokes) == len(sentence)
    xs = [float(word.x) for word in picture.words]
    assert xs == sorted(xs)


def test_paths_hold_nothing_but_places() -> None:
    for stroke in drawn(toy()).strokes:
        assert re.fullmatch(r"[MVHqml0-9., -]+", stroke.path)


@pytest.mark.parametrize("size", [0, MOST_WORDS + 1])
def test_no_words_and_too_many_are_not_drawn(size: int) -> None:
    heads = [0, *range(1, size)][:size]

    assert arc_picture(sentence_of(heads, ["dep"] * size)) is None


def test_arcs_that_lead_nowhere_are_left_out() -> None:
    odd = sentence_of([0, 2, 9, -1], ["root", "self", "far", "none"])

    assert [label.text for label in drawn(odd).labels] == ["root"]


def test_the_weight_is_about_what_the_page_bears() -> None:
    picture = drawn(toy())
    texts = [t.text for t in (*picture.labels, *picture.words)]

    assert sum(map(len, texts)) < picture.weight < 3000
