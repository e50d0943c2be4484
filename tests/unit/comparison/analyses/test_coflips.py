"""Pairs of units that broke together, against every pair looked at one by one."""

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compat_eval.comparison.analyses.coflips import coflips, pairs_with
from compat_eval.comparison.update import Update
from tests.unit.comparison.parsed import GOLD, NEW, OLD, parsed, parsed_at
from tests.unit.comparison.test_compare import paired


@given(st.lists(st.lists(st.booleans(), max_size=6), max_size=5))
def test_each_pair_with_a_chosen_unit_is_found_once(groups: list[list[bool]]) -> None:
    offsets = np.cumsum([0, *map(len, groups)])
    chosen = np.array([one for group in groups for one in group], np.bool_)

    one, other = pairs_with(chosen, offsets)

    expected = {
        (a, b)
        for start, end in itertools.pairwise(offsets.tolist())
        for a, b in itertools.combinations(range(start, end), 2)
        if chosen[a] or chosen[b]
    }
    found = [tuple(sorted(p)) for p in zip(one.tolist(), other.tolist(), strict=True)]
    assert len(found) == len(expected)
    assert set(found) == expected
    assert chosen[one].all()


def test_pairs_by_distance_are_those_that_looking_at_each_finds() -> None:
    (found,) = coflips(parsed_at("las")) or []

    heads, relations = GOLD[0]
    (old_heads, old_relations), (new_heads, new_relations) = OLD[0], NEW[0]
    right = list(zip(heads, relations, strict=True))
    broken = {
        at
        for at in range(5)  # the sixth word is punctuation
        if (old_heads[at], old_relations[at]) == right[at]
        and (new_heads[at], new_relations[at]) != right[at]
    }
    assert broken == {2, 4}
    either = [p for p in itertools.combinations(range(5), 2) if broken & {*p}]
    pairs = Counter(b - a for a, b in either)
    assert {v["distance"]: v["pairs"] for v in found["by_words"]} == {
        str(distance): n for distance, n in sorted(pairs.items())
    }
    both = {v["distance"]: v["both"] for v in found["by_words"]}
    assert both == {"1": 0, "2": 1, "3": 0, "4": 0}
    assert found["pairs"] == len(either) == 7
    assert found["both"] == 1


def test_tree_distances_are_paths_in_the_gold_tree() -> None:
    (found,) = coflips(parsed_at("las")) or []

    # the–dog 1 (both); she–the 3, saw–the 2, the–old 2; she–dog 2, saw–dog 1, old–dog 1
    assert [(v["distance"], v["pairs"], v["both"]) for v in found["by_edges"]] == [
        ("1", 3, 1),
        ("2", 3, 0),
        ("3", 1, 0),
    ]
    assert found["by_edges"][0]["share"] == pytest.approx(1 / 3)


def test_what_independence_would_give_follows_from_the_rate() -> None:
    (found,) = coflips(parsed_at("las")) or []

    rate = 2 / 7
    assert found["independent"] == pytest.approx(rate**2 / (1 - (1 - rate) ** 2))


def test_where_nothing_broke_there_are_no_pairs() -> None:
    (found,) = coflips(parsed_at("las", of=parsed(old=OLD, new=OLD))) or []

    assert (found["pairs"], found["both"], found["independent"]) == (0, 0, 0.0)
    assert found["by_words"] == found["by_edges"] == []


def test_examples_that_are_units_have_no_pairs() -> None:
    assert coflips(parsed_at("lcm", "ucm")) == []
    plain = Update(panel=paired())
    assert coflips(plain) is None
