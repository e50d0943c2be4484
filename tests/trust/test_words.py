"""A PASS bought by how labels are spelled: what is never right cannot break.

Every row is an attack: 600 examples of which NEW breaks 25 %. Compared with the same
labels spelled alike, the gate fails; spelled in another way, it must never pass.
"""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.trust.conftest import CASES, Command

PREDICTIONS = CASES / "predictions"
GATES = PREDICTIONS / "c42_gate_passes_at_zero_accuracy" / "g.yaml"
N = 600

Spell = Callable[[str, int], str]
"""A label and the number of its row to what a side writes."""


def write(
    path: str, answers: list[str], gold: list[str] | None, **more: list[str]
) -> None:
    columns = {"id": [f"e{i}" for i in range(len(answers))], "prediction": answers}
    columns |= {"gold": gold} if gold else {}
    columns |= more
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def pair(labels: tuple[str, str], old: Spell, new: Spell | None = None) -> None:
    """Write two sides: OLD always right, NEW wrong in every fourth example."""
    gold = [labels[i % 2] for i in range(N)]
    broken = [labels[(i + (i % 4 == 0)) % 2] for i in range(N)]
    write("old.csv", [old(label, i) for i, label in enumerate(gold)], gold)
    spell = new or old
    write("new.csv", [spell(label, i) for i, label in enumerate(broken)], gold)


def named(**words: str) -> Spell:
    return lambda label, _: words[label]


def half(spell: Spell) -> Spell:
    """Spell the examples of NEW's breaks in another way, the others like gold."""
    return lambda label, i: spell(label, i) if i % 4 == 0 else label


SPELLINGS: dict[str, tuple[tuple[str, str], Spell]] = {
    "trailing_blank": (("yes", "no"), lambda x, _: f"{x} "),
    "no_break_space": (("yes", "no"), lambda x, _: f"\u00a0{x}"),
    "byte_order_mark": (("yes", "no"), lambda x, _: f"\ufeff{x}"),
    "title_case": (("yes", "no"), lambda x, _: x.title()),
    "upper_case": (("yes", "no"), lambda x, _: x.upper()),
    "sharp_s": (("straße", "weg"), lambda x, _: x.upper()),
    "floats": (("0", "1"), lambda x, _: f"{x}.0"),
    "exponents": (("10", "20"), lambda x, _: f"{x[0]}e1"),
    "leading_zeros": (("1", "2"), lambda x, _: f"0{x}"),
    "python_booleans": (("true", "false"), lambda x, _: x.title()),
    "booleans_for_bits": (("1", "0"), named(**{"1": "True", "0": "False"})),
    "bits_for_booleans": (("yes", "no"), named(yes="1", no="0")),
    "decomposed": (("café", "thé"), lambda x, _: x.replace("é", "e\u0301")),
    "full_width": (("A", "B"), lambda x, _: chr(ord(x) + 0xFEE0)),
    "fasttext_prefix": (("pos", "neg"), lambda x, _: f"__label__{x}"),
    "generic_prefix": (("0", "1"), lambda x, _: f"LABEL_{x}"),
    "generic_for_names": (("neg", "pos"), named(neg="LABEL_0", pos="LABEL_1")),
    "numbers_for_names": (("neg", "pos"), named(neg="0", pos="1")),
    "underscores": (("not entailed", "entailed"), lambda x, _: x.replace(" ", "_")),
    "quoted": (("yes", "no"), lambda x, _: f'"{x}"'),
    "full_stop": (("yes", "no"), lambda x, _: f"{x}."),
    "list_of_one": (("yes", "no"), lambda x, _: f"['{x}']"),
    "whole_object": (("yes", "no"), lambda x, _: f'{{"label": "{x}"}}'),
    "named_answer": (("yes", "no"), lambda x, _: f"Answer: {x}"),
    "other_names": (("0", "1"), named(**{"0": "cat", "1": "dog"})),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_a_side_that_spells_in_its_own_way_is_refused(
    name: str, compare: Command
) -> None:
    labels, spell = SPELLINGS[name]
    pair(labels, spell)

    ended = compare("old.csv", "new.csv", "--gates", GATES)

    assert ended.code == 2
    assert "OLD" in ended.said
    assert "NEW" in ended.said
    assert "--label-map" in ended.said


@pytest.mark.parametrize(
    "name", sorted(SPELLINGS.keys() - {"other_names", "underscores"})
)
def test_a_spelling_of_the_rows_that_break_is_refused(
    name: str, compare: Command
) -> None:
    labels, spell = SPELLINGS[name]
    pair(labels, half(spell), lambda label, _: label)

    ended = compare("old.csv", "new.csv", "--gates", GATES)

    assert ended.code == 2
    assert "OLD" in ended.said


def test_the_same_labels_spelled_alike_fail(compare: Command) -> None:
    pair(("yes", "no"), lambda label, _: label)

    ended = compare("old.csv", "new.csv", "--gates", GATES)

    assert ended.code == 1
    assert ended.counts() == [450, 150, 0, 0]


@pytest.mark.parametrize(
    ("name", "forms"),
    [
        ("trailing_blank", "strip"),
        ("title_case", "case"),
        ("floats", "number"),
        ("decomposed", "nfc"),
    ],
)
def test_labels_are_evened_out_where_that_is_asked(
    name: str, forms: str, compare: Command, command: Command
) -> None:
    labels, spell = SPELLINGS[name]
    pair(labels, half(spell), spell)

    assert f"--normalise {forms}" in compare("old.csv", "new.csv").said
    ended = compare("old.csv", "new.csv", "--gates", GATES, "--normalise", forms)

    assert ended.code == 1
    assert ended.counts() == [450, 150, 0, 0]
    assert ended.comparison()["settings"]["normalise"] == [forms]
    assert f"(--normalise {forms})" in ended.comparison()["notes"][0]
    assert command("verify", "r").code == 0


def test_gold_in_two_spellings_is_refused_where_a_side_uses_the_other(
    compare: Command,
) -> None:
    gold = ["yes", "Yes"] * 100 + ["no", "No"] * 100
    lower = [label.lower() for label in gold]
    write("old.csv", lower, gold)
    write("new.csv", ["no" if label == "yes" else label for label in gold], gold)

    ended = compare("old.csv", "new.csv", "--gates", GATES)

    assert ended.code == 2
    assert "'yes' for 'Yes' (100)" in ended.said


def test_sides_that_use_either_spelling_of_gold_are_refused(compare: Command) -> None:
    gold = ["a", "A", "b"] * 100
    write("old.csv", ["b", "b", "a"] * 100, gold)
    write("new.csv", ["b", "b", "A"] * 100, gold)

    ended = compare("old.csv", "new.csv", "--gates", GATES)

    assert ended.code == 2
    assert "OLD and NEW spell labels differently: 'a' for 'A' (100)" in ended.said


def test_labels_that_a_suite_declares_may_look_alike(compare: Command) -> None:
    gold = ["a", "A", "b"] * 100
    Path("suite.yaml").write_text(
        "name: letters\ntask: classification\ndata: {test: {file: gold.csv}}\n"
        "fields: {id: id, input: prediction, gold: gold}\nlabels: {names: [a, A, b]}\n",
        "utf-8",
    )
    write("gold.csv", gold, gold)
    write("old.csv", gold, None)
    write("new.csv", ["a", "a", "b"] * 100, None)

    ended = compare("old.csv", "new.csv", "--suite", "suite.yaml")

    assert ended.code == 0
    assert ended.counts() == [200, 100, 0, 0]


@pytest.mark.parametrize(
    "case",
    [
        "c01_float_labels_csv",
        "c02_float_labels_one_side",
        "c06_bool_case_mixed_in_row",
        "c07_index_vs_name",
    ],
)
def test_small_cases_in_two_spellings_are_refused(case: str, compare: Command) -> None:
    old, new = (next((PREDICTIONS / case).glob(f"{side}.*")) for side in ("old", "new"))

    assert compare(old, new).code == 2


@pytest.mark.parametrize("name", ["names", "floats"])
def test_a_gate_does_not_pass_at_no_accuracy(name: str, compare: Command) -> None:
    sides = [GATES.parent / f"{name}_{side}.csv" for side in ("old", "new")]

    assert compare(*sides, "--gates", GATES).code == 2


@pytest.mark.parametrize(
    "cure", [["--label-map", GATES.parent / "map.yaml"], ["--normalise", "number"]]
)
def test_a_label_map_and_number_forms_give_the_right_counts(
    cure: list[object], compare: Command
) -> None:
    sides = [GATES.parent / f"floats_{side}.csv" for side in ("old", "new")]

    ended = compare(*sides, "--gates", GATES, *cure)

    assert ended.code == 1
    assert ended.counts()[1] == 275


@pytest.mark.parametrize("kind", ["n", "c"])
def test_an_old_file_in_other_spelling_does_not_pass(
    kind: str, compare: Command
) -> None:
    old, new, gates = (
        CASES / "files" / f for f in (f"{kind}2.csv", f"{kind}1.csv", "g.yaml")
    )

    assert compare(old, new, "--gates", gates).code == 2


def test_labels_unknown_to_a_suite_are_refused_with_the_nearest(
    compare: Command,
) -> None:
    folder = GATES.parent
    suite = folder / "suite.yaml"

    ended = compare(folder / "s_old.csv", folder / "s_new.csv", "--suite", suite)

    assert ended.code == 2
    assert "'NEG' for 'neg'" in ended.said
    assert "'Positive' (nearest: 'pos')" in ended.said


MODELS = """
def right():
    return lambda texts: [text.split()[-1] for text in texts]

def loud():
    return lambda texts: [text.split()[-1].upper() for text in texts]
"""


def test_models_and_earlier_runs_are_held_to_the_same_labels(
    compare: Command, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("words.py").write_text(MODELS, "utf-8")
    monkeypatch.syspath_prepend(str(here))
    gold = ["yes", "no"] * 50
    write("gold.csv", gold, gold, input=[f"say {label}" for label in gold])
    asked = ("--task", "classification", "--gold", "gold.csv")

    assert compare("python:words:right", "python:words:right", *asked).code == 0
    Path("r").rename("earlier")
    loud = compare("run:earlier#old", "python:words:loud", *asked)
    evened = compare(
        "run:earlier#old", "python:words:loud", *asked, "--normalise", "case"
    )

    assert loud.code == 2
    assert "NEW spells labels in another way than gold" in loud.said
    assert evened.code == 0
    assert evened.counts() == [100, 0, 0, 0]


def test_a_few_answers_that_are_no_label_are_wrong_and_told(compare: Command) -> None:
    gold = ["yes", "no"] * 50
    write("old.csv", gold, gold)
    write("new.csv", ["I cannot say", *gold[1:]], gold)

    ended = compare("old.csv", "new.csv")

    assert ended.code == 0
    assert ended.counts() == [99, 1, 0, 0]
    assert any("'I cannot say' (1)" in note for note in ended.comparison()["notes"])


def test_labels_as_written_are_compared_where_that_is_asked_and_told(
    compare: Command,
) -> None:
    pair(("yes", "no"), lambda label, _: label, lambda label, _: label.title())

    ended = compare("old.csv", "new.csv", "--gates", GATES, "--normalise", "none")

    assert ended.code == 1
    assert ended.counts() == [0, 600, 0, 0]
    assert any("Counted as written" in note for note in ended.comparison()["notes"])


def test_shards_are_merged_under_the_same_check(
    command: Command, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("words.py").write_text(MODELS, "utf-8")
    monkeypatch.syspath_prepend(str(here))
    gold = ["yes", "no"] * 50
    write("gold.csv", gold, gold, input=[f"say {label}" for label in gold])
    asked = ("--task", "classification", "--gold", "gold.csv")
    sides = ("compare", "python:words:right", "python:words:loud", *asked)

    for share in ("1/2", "2/2"):
        part = ("--shard", share, "--out", f"p{share[0]}")
        assert command(*sides, *part).code == 0
        assert command(*sides, *part, "--normalise", "case", "--overwrite").code == 0
    evened = command("merge", "p1", "p2", "--out", "r")

    assert evened.code == 0
    assert command("verify", "r").code == 0
    for share in ("1/2", "2/2"):
        command(*sides, "--shard", share, "--out", f"p{share[0]}", "--overwrite")
    assert command("merge", "p1", "p2", "--out", "s").code == 2


def test_a_pass_is_not_bought_by_labels_as_written(compare: Command) -> None:
    folder = CASES / "files"

    for kind in ("n", "c"):
        sides = (folder / f"{kind}2.csv", folder / f"{kind}1.csv")
        gates = ("--gates", folder / "g.yaml")
        assert not compare(*sides, *gates, "--normalise", "none").passed


def test_gold_that_two_files_spell_differently_is_refused_with_the_cure(
    compare: Command,
) -> None:
    gold = ["1", "0"] * 50
    write("old.csv", gold, gold)
    write("new.csv", gold, [f"{label}.0" for label in gold])

    refused = compare("old.csv", "new.csv")
    evened = compare("old.csv", "new.csv", "--normalise", "number")

    assert refused.code == 4
    assert "--normalise" in refused.said
    assert evened.counts() == [100, 0, 0, 0]


@pytest.mark.parametrize("forms", ["upper", "none,case", "strip case"])
def test_an_unknown_form_is_refused(forms: str, compare: Command) -> None:
    pair(("yes", "no"), lambda label, _: label)

    ended = compare("old.csv", "new.csv", "--normalise", forms)

    assert ended.code == 2
    assert "case, nfc, punctuation" in ended.said


def test_labels_are_evened_out_only_where_answers_are_labels(compare: Command) -> None:
    gold = ["[IN:A x ]"] * 4
    write("old.csv", gold, gold)

    ended = compare("old.csv", "old.csv", "--task", "semantic", "--normalise", "case")

    assert ended.code == 2
