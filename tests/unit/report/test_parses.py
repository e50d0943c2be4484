"""Which words of the two toy sentences flipped, and where both sides hang them."""

import pyarrow as pa

from compat_eval.comparison.update import Update
from compat_eval.report.changes import Change, changes
from compat_eval.report.flips import flips
from compat_eval.report.parses import Arc, Sentence, parses
from compat_eval.report.results import read_results
from compat_eval.tasks.dependency.trees import TREE_TYPE
from tests.fakes import update
from tests.unit.comparison.parsed import NEW, parsed, trees
from tests.unit.report.made_run import made_run, varied_rows
from tests.unit.report.parsed_run import parsed_run


def read(level: str, of: Update | None = None) -> dict[str, Sentence]:
    run = parsed_run(level, of=of)
    results = read_results(run)
    return dict(parses(results, flips(results, level)))


def test_every_word_has_its_cell_and_punctuation_none() -> None:
    found = read("las")

    marks = [word.mark for word in found["s1"]]
    assert marks == ["kept", "kept", "broken", "fixed", "broken", "uncounted"]
    assert [word.mark for word in found["s2"]] == ["fixed", "fixed"]


def test_words_know_where_gold_and_both_sides_hang_them() -> None:
    word = read("las")["s1"][4]

    assert word.text == "dog"
    assert word.gold == word.old == Arc(2, "obj")
    assert word.new == Arc(3, "obj")


def test_levels_of_heads_alone_leave_relations_out() -> None:
    word = read("uas")["s1"][4]

    assert word.new == Arc(3, "")
    assert [w.mark for w in read("ucm")["s1"]][3] == "kept"


def test_changes_are_the_flipped_words() -> None:
    found = list(changes(read("las")["s1"]))

    assert found == [
        Change(cell="broken", symbol="▼", word="the", old="det ← dog", new="det ← saw"),
        Change(
            cell="fixed", symbol="▲", word="old", old="nmod ← dog", new="amod ← dog"
        ),
        Change(cell="broken", symbol="▼", word="dog", old="obj ← saw", new="obj ← the"),
    ]


def test_words_without_head_or_answer_say_so() -> None:
    heads = [2, 0, 5, 5, -1, 2]
    new = [{"heads": heads, "deprels": [*NEW[0][1][:4], None, "punct"]}, None]
    side = parsed().new.with_column(
        "prediction", pa.chunked_array([pa.array(new, TREE_TYPE)])
    )
    right = parsed(old=NEW)
    old = right.old.with_column("prediction", pa.chunked_array([trees(NEW)]))

    found = read("las", update(right.examples, old, side, task="dependency"))

    assert [c.new for c in changes(found["s2"])] == ["no answer", "no answer"]
    assert found["s1"][4].new == Arc(-1, "")


def test_runs_of_other_tasks_have_no_parses() -> None:
    results = read_results(made_run(varied_rows(20, broken=2, fixed=1, missed=1)))

    assert parses(results, flips(results, "example")) == {}
    assert parses(read_results(parsed_run()), []) == {}
