"""The drawing of a parse: what is drawn, and that nothing lies on anything."""

import re
from itertools import combinations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compat_eval.comparison.update import Update
from compat_eval.core.picture import Drawing, PartChange, Picture
from compat_eval.tasks.dependency.picture import (
    MOST_WORDS,
    Arc,
    ParsedWord,
    Sentence,
    draw_arcs,
    text_width,
)
from compat_eval.tasks.dependency.task import Dependency
from compat_eval.tasks.dependency.trees import TREE_TYPE
from tests.fakes import update
from tests.unit.comparison.parsed import NEW, parsed, trees


def pictures(level: str, of: Update | None = None) -> list[Picture | None]:
    made = of or parsed()
    return list(Dependency().pictures(made.examples, made.old, made.new, level))


def changes(level: str, of: Update | None = None) -> list[tuple[PartChange, ...]]:
    return [one.changes for one in pictures(level, of) if one is not None]


def toy(level: str = "las") -> Drawing:
    first = pictures(level)[0]
    assert first is not None
    drawing = first.draw()
    assert isinstance(drawing, Drawing)
    return drawing


def drawn(sentence: Sentence) -> Drawing:
    picture = draw_arcs(sentence)
    assert picture is not None
    return picture


def sentence_of(heads: list[int], relations: list[str]) -> Sentence:
    arcs = [Arc(h, r) for h, r in zip(heads, relations, strict=True)]
    return tuple(
        ParsedWord(text=f"w{at}", cell="kept", old=arc, new=arc)
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
    picture = toy()

    middle = picture.words[0].y
    above = [label.text for label in picture.labels if label.y < middle - 15]
    below = [label.text for label in picture.labels if label.y > middle]
    assert sorted(above) == ["det", "nmod", "nsubj", "obj", "punct", "root"]
    assert sorted(below) == ["▲ amod", "▼ det", "▼ obj"]


def test_flips_and_wrong_arcs_look_different() -> None:
    looks = {stroke.look: stroke.path.count("M") for stroke in toy().strokes}

    assert looks == {
        "broken": 2,  # what old had right
        "broken wrong": 2,
        "fixed": 1,
        "fixed wrong": 1,
        "kept": 2,
        "uncounted": 1,
    }
    assert [w.mark for w in toy().words] == [
        *("", "", "broken", "fixed", "broken", ""),
    ]


@settings(max_examples=30, deadline=None)
@given(parses_of())
def test_labels_do_not_overlap_and_all_is_inside(sentence: Sentence) -> None:
    picture = drawn(sentence)

    width, height = picture.width, picture.height
    boxes = []
    for label, unit in (
        *((label, 5.0) for label in picture.labels),
        *((word, 6.5) for word in picture.words),
    ):
        half = text_width(label.text, unit) / 2
        boxes.append((label.x - half, label.x + half, label.y))
    assert all(a >= -1 and b <= width + 1 and 0 < y < height for a, b, y in boxes)
    for (a, b, y), (c, d, z) in combinations(boxes, 2):
        assert abs(y - z) >= 8 or b <= c or d <= a


@settings(max_examples=30, deadline=None)
@given(parses_of())
def test_every_arc_with_a_head_is_drawn_once(sentence: Sentence) -> None:
    picture = drawn(sentence)

    assert sum(s.path.count("M") for s in picture.strokes) == len(sentence)
    xs = [word.x for word in picture.words]
    assert xs == sorted(xs)


def test_paths_hold_nothing_but_places() -> None:
    for stroke in toy().strokes:
        assert re.fullmatch(r"[MVHqml0-9., -]+", stroke.path)


@pytest.mark.parametrize("size", [0, MOST_WORDS + 1])
def test_no_words_and_too_many_are_not_drawn(size: int) -> None:
    heads = [0, *range(1, size)][:size]

    assert draw_arcs(sentence_of(heads, ["dep"] * size)) is None


def test_arcs_that_lead_nowhere_are_left_out() -> None:
    odd = sentence_of([0, 2, 9, -1], ["root", "self", "far", "none"])

    assert [label.text for label in drawn(odd).labels] == ["root"]


def test_changes_are_the_flipped_words() -> None:
    first, second = changes("las")

    assert first == (
        PartChange(mark="broken", part="the", old="det ← dog", new="det ← saw"),
        PartChange(mark="fixed", part="old", old="nmod ← dog", new="amod ← dog"),
        PartChange(mark="broken", part="dog", old="obj ← saw", new="obj ← the"),
    )
    assert [one.mark for one in second] == ["fixed", "fixed"]


def test_levels_of_heads_alone_leave_relations_out() -> None:
    first, _ = changes("uas")

    last = first[-1]
    assert (last.part, last.old, last.new) == ("dog", "← saw", "← the")
    assert "old" not in [one.part for one in changes("ucm")[0]]


def test_words_without_head_or_answer_say_so() -> None:
    heads = [2, 0, 5, 5, -1, 2]
    new = [{"heads": heads, "deprels": [*NEW[0][1][:4], None, "punct"]}, None]
    side = parsed().new.with_column(
        "prediction", pa.chunked_array([pa.array(new, TREE_TYPE)])
    )
    right = parsed(old=NEW)
    old = right.old.with_column("prediction", pa.chunked_array([trees(NEW)]))

    first, second = changes("las", update(right.examples, old, side, task="dependency"))

    assert "dog" not in [one.part for one in first]  # wrong on both sides
    assert [one.new for one in second] == ["no answer", "no answer"]


def test_what_has_no_words_or_no_trees_has_no_picture() -> None:
    made = parsed()
    plain = made.examples.with_column("input", pa.chunked_array([["a", "b"]]))
    flat = made.new.with_column("prediction", pa.chunked_array([["x", "y"]]))
    task = Dependency()

    assert list(task.pictures(plain, made.old, made.new, "las")) == [None, None]
    assert list(task.pictures(made.examples, made.old, flat, "las")) == [None, None]
