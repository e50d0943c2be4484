"""Counts by relation, part of speech and length, checked by hand."""

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from compat_eval.comparison.analyses import breakdowns as module
from compat_eval.comparison.analyses.breakdowns import breakdowns
from compat_eval.comparison.update import Update
from tests.fakes import examples, predictions, update
from tests.unit.comparison.parsed import parsed, parsed_at
from tests.unit.comparison.test_compare import paired


def counted(found: Any, facet: str, level: str = "las") -> dict[str, list[int]]:
    assert found is not None
    one = next(b for b in found if (b["facet"], b["level"]) == (facet, level))
    return {v["value"]: list(v["counts"].values()) for v in one["values"]}


def test_each_value_has_its_four_counts() -> None:
    found = breakdowns(parsed_at("las", "ucm"), confidence=0.95)

    # kept, broken, fixed, missed; the most frequent first
    assert counted(found, "relation") == {
        "nsubj": [1, 0, 1, 0],
        "root": [1, 0, 1, 0],
        "amod": [0, 0, 1, 0],
        "det": [0, 1, 0, 0],
        "obj": [0, 1, 0, 0],
    }
    assert counted(found, "part_of_speech")["NOUN"] == [0, 1, 1, 0]
    assert counted(found, "sentence_length", "ucm") == {
        "1–5": [0, 0, 1, 0],
        "6–10": [0, 1, 0, 0],
    }


def test_ranges_stand_in_their_order_and_names_by_how_many_there_are() -> None:
    found = breakdowns(parsed_at("las"), confidence=0.95)

    assert list(counted(found, "head_distance")) == ["root", "1", "2", "3"]
    assert list(counted(found, "relation"))[:2] == ["nsubj", "root"]


def test_every_unit_is_in_one_group_of_each_facet() -> None:
    found = breakdowns(parsed_at("las", "uas"), confidence=0.95) or []

    sums = {sum(v["units"] for v in one["values"]) for one in found}
    assert sums == {7}


def test_rates_follow_from_the_counts_and_words_are_clustered_by_sentence() -> None:
    found = breakdowns(parsed_at("las"), confidence=0.9) or []

    noun = next(
        v
        for one in found
        if one["facet"] == "part_of_speech"
        for v in one["values"]
        if v["value"] == "NOUN"
    )
    assert noun["units"] == 2
    assert noun["statistics"]["nfr"]["value"] == pytest.approx(1 / 2)
    assert noun["statistics"]["nfi"]["value"] == pytest.approx(1.0)
    assert noun["statistics"]["nfr"]["confidence"] == 0.9
    det = found[0]["values"][3]
    assert det["value"] == "det"
    assert det["clusters"] is None  # one word is a cluster of its own
    length = next(one for one in found if one["facet"] == "sentence_length")
    assert [v["clusters"] for v in length["values"]] == [1, 1]


def test_an_undefined_rate_says_why() -> None:
    found = breakdowns(parsed_at("las"), confidence=0.95) or []

    nsubj = found[0]["values"][0]["statistics"]["nfi"]
    assert nsubj["value"] is None
    assert nsubj["reason"] == "new makes no error"


def test_the_rarest_values_are_left_out_and_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST_VALUES", 2)

    relation = (breakdowns(parsed_at("las"), confidence=0.95) or [])[0]

    assert [v["value"] for v in relation["values"]] == ["nsubj", "root"]
    assert relation["left_out"] == 3


def test_tasks_without_facets_have_no_breakdowns() -> None:
    plain = Update(panel=paired())

    assert breakdowns(plain, confidence=0.95) is None


def test_units_that_a_file_graded_are_not_broken_down() -> None:
    panel = parsed().panel
    grades = pa.chunked_array([pa.array([True, False])])
    answers = {
        role: side.with_column("correct.las", grades)
        for role, side in panel.answers.items()
    }
    graded = Update(panel=replace(panel, answers=answers))

    assert breakdowns(parsed_at("las", of=graded), confidence=0.95) == []


def test_spans_are_broken_down_by_label() -> None:
    gold = ["[IN:STOP stop [SL:WHAT it ] ]", "[IN:GO to [SL:WHERE home ] ]"]
    new = [gold[0].replace("WHAT", "WHERE"), gold[1]]
    ids = ["a", "b"]
    spans = update(
        examples(id=ids, gold=gold),
        predictions(id=ids, prediction=gold),
        predictions(id=ids, prediction=new),
        task="semantic",
        levels=("span_label",),
    )

    found = breakdowns(spans, confidence=0.95)

    assert counted(found, "label", "span_label") == {
        "IN:GO": [1, 0, 0, 0],
        "IN:STOP": [1, 0, 0, 0],
        "SL:WHAT": [0, 1, 0, 0],
        "SL:WHERE": [1, 0, 0, 0],
    }
