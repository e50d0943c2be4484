"""Parses that must end as right numbers or a refusal, never as a crash or a PASS."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.fakes import judged
from tests.trust.conftest import CASES, Command

CONLLU = CASES / "conllu"
BLANKS = ("ws_end", "ws_gate", "ws_ideographic", "ws_nbsp", "ws_start_b", "ws_gold")
GATE = "gates:\n- {quantity: nfr, at_most: 0.02}\n"


def line(at: int, head: int, relation: str = "dep", tag: str = "NOUN") -> str:
    return f"{at}\tw{at}\tw\t{tag}\t_\t_\t{head}\t{relation}\t_\t_\n"


def treebank(
    path: str,
    heads: Sequence[Sequence[int]],
    *,
    relation: str = "dep",
    tag: str = "NOUN",
) -> None:
    text = ""
    for number, sentence in enumerate(heads):
        text += f"# sent_id = s{number}\n"
        for at, head in enumerate(sentence, start=1):
            text += line(at, head, relation if head else "root", tag)
        text += "\n"
    Path(path).write_text(text, "utf-8")


def gold_of(path: str | Path, options: str = "") -> tuple[str, ...]:
    return ("--task", f"dependency{options}", "--gold", str(path))


@pytest.mark.parametrize("case", BLANKS)
def test_a_word_of_blanks_is_refused_with_sentence_and_line(
    case: str, compare: Command
) -> None:
    old, new, gold = (CONLLU / case / f"{n}.conllu" for n in ("old", "new", "gold"))

    ended = compare(old, new, *gold_of(gold))

    assert ended.code == 2
    assert ", line " in ended.said
    assert "empty or blank" in ended.said


@pytest.mark.parametrize(
    "blank", ["\u2028", "\u3000\u00a0", "\u2003", "\x0b"], ids=ascii
)
def test_blanks_of_every_kind_are_no_word(blank: str, compare: Command) -> None:
    treebank("gold.conllu", [[0, 1]])
    text = Path("gold.conllu").read_text("utf-8")
    Path("new.conllu").write_text(text.replace("w2", blank), "utf-8")

    ended = compare("gold.conllu", "new.conllu", *gold_of("gold.conllu"))

    assert ended.code == 2


@pytest.mark.parametrize(
    "number", ["9" * 23, "9" * 10, str(2**63), str(2**32), str(2**31)]
)
@pytest.mark.parametrize("place", ["id", "first", "last", "head"])
def test_numbers_beyond_every_sentence_are_no_crash(
    number: str, place: str, compare: Command
) -> None:
    treebank("gold.conllu", [[0, 1]])
    lines = Path("gold.conllu").read_text("utf-8").splitlines(keepends=True)
    rest = "\tx" + "\t_" * 8 + "\n"
    if place == "id":
        lines[2] = lines[2].replace("2\tw2", f"{number}\tw2")
    elif place == "head":
        lines[2] = lines[2].replace("\t1\tdep", f"\t{number}\tdep")
    else:
        span = f"{number}-{number}" if place == "first" else f"1-{number}"
        lines.insert(1, span + rest)
    Path("new.conllu").write_text("".join(lines), "utf-8")

    ended = compare("gold.conllu", "new.conllu", *gold_of("gold.conllu"))

    assert ended.code == 2
    assert "sentence s0, line" in ended.said


@pytest.mark.parametrize("case", ["id_huge/new.conllu", "mwt_huge.conllu"])
def test_huge_numbers_of_the_cases_are_refused(case: str, compare: Command) -> None:
    gold = CONLLU / "mwt_gold.conllu"

    assert compare(gold, CONLLU / case, *gold_of(gold)).code == 2


TREES = {"two roots": [0, 0, 2, 3], "cycle": [2, 1, 2, 3], "outside": [0, 1, 2, 99]}


@pytest.mark.parametrize("fault", TREES)
def test_an_answer_that_is_no_tree_is_wrong_at_every_level_and_told(
    fault: str, compare: Command, command: Command
) -> None:
    good = [[0, 1, 2, 3]] * 50
    treebank("gold.conllu", good)
    treebank("new.conllu", [*good[1:], TREES[fault]])
    gold = gold_of("gold.conllu")

    ended = compare("gold.conllu", "new.conllu", *gold)

    assert ended.code == 0
    assert ended.counts("las") == ended.counts("uas") == [196, 4, 0, 0]
    assert ended.counts("lcm") == ended.counts("ucm") == [49, 1, 0, 0]
    assert "1 answer is no tree with one root (s49)" in " ".join(ended.said.split())
    assert command("verify", "r").code == 0


@pytest.mark.parametrize("fault", TREES)
def test_an_answer_that_is_no_tree_is_refused_where_that_is_asked(
    fault: str, compare: Command
) -> None:
    treebank("gold.conllu", [[0, 1, 2, 3]])
    treebank("new.conllu", [TREES[fault]])

    ended = compare(
        "gold.conllu", "new.conllu", *gold_of("gold.conllu", ":not_trees=refuse")
    )

    assert ended.code == 2
    assert "s0" in ended.said


@pytest.mark.parametrize("fault", TREES)
def test_gold_that_is_no_tree_is_refused(fault: str, compare: Command) -> None:
    treebank("gold.conllu", [TREES[fault]])
    treebank("old.conllu", [[0, 1, 2, 3]])

    assert compare("old.conllu", "old.conllu", *gold_of("gold.conllu")).code == 2


def test_no_trees_of_old_buy_no_pass(compare: Command) -> None:
    good = [[0, 1, 2, 3]] * 200
    treebank("gold.conllu", good)
    treebank("old.conllu", [TREES["cycle"]] * 200)
    Path("g.yaml").write_text(GATE, "utf-8")

    ended = compare(
        "old.conllu", "old.conllu", *gold_of("gold.conllu"), "--gates", "g.yaml"
    )

    assert not ended.passed


def test_chains_of_five_thousand_words_are_counted(
    compare: Command, command: Command
) -> None:
    n = 5000
    treebank("chain.conllu", [list(range(n))])
    treebank("flat.conllu", [[0] + [1] * (n - 1)])

    ended = compare("chain.conllu", "flat.conllu", *gold_of("chain.conllu"))

    assert ended.code == 0
    assert ended.counts("las") == [2, n - 2, 0, 0]
    assert command("diff", "r").code == 0
    assert command("verify", "r").code == 0


def brackets(depth: int) -> str:
    return "[IN:A " * depth + "x " + "] " * depth


def utterances(path: str, gold: str, said: Sequence[str]) -> None:
    rows = [
        {"id": str(at), "gold": gold, "prediction": one} for at, one in enumerate(said)
    ]
    Path(path).write_text("\n".join(map(json.dumps, rows)), "utf-8")


@pytest.mark.parametrize("depth", [101, 1_000, 5_000, 50_000])
@pytest.mark.parametrize("options", ["", ":order=ignore", ":words=slots,case=lower"])
def test_deep_brackets_are_refused_as_gold_and_wrong_as_answers(
    depth: int, options: str, compare: Command
) -> None:
    utterances("gold.jsonl", brackets(depth), [brackets(depth)] * 4)
    utterances("old.jsonl", brackets(3), [brackets(3)] * 4)
    utterances("new.jsonl", brackets(3), [brackets(3)] * 3 + [brackets(depth)])
    task = ("--task", f"semantic{options}")

    refused = compare("gold.jsonl", "gold.jsonl", *task)
    counted = compare("old.jsonl", "new.jsonl", *task)

    assert refused.code == 2
    assert "nested at most 100 deep" in refused.said
    assert counted.code == 0
    assert counted.counts("exact_match") == [3, 1, 0, 0]


@pytest.mark.parametrize(
    ("options", "gold", "said"),
    [
        (
            "order=ignore",
            "[IN:A [SL:X a ] [SL:Y b c ] ]",
            "[IN:A [SL:Y b c ] [SL:X a ] ]",
        ),
        ("words=slots", "[IN:A call [SL:X a ] ]", "[IN:A [SL:X a ] ]"),
    ],
)
def test_answers_that_are_the_same_are_right_at_every_level_shown(
    options: str, gold: str, said: str, compare: Command
) -> None:
    utterances("old.jsonl", gold, [gold] * 20)
    utterances("new.jsonl", gold, [said] * 20)

    ended = compare("old.jsonl", "new.jsonl", "--task", f"semantic:{options}")

    task = judged(ended.comparison())
    assert set(task["levels"]) == {"exact_match", "intent"}
    assert all(ended.counts(level) == [20, 0, 0, 0] for level in task["levels"])
    assert "slot_f1" not in task["statistics"]


def test_gold_without_tags_says_that_punctuation_counts(compare: Command) -> None:
    folder = CONLLU / "no_upos"

    ended = compare(
        folder / "gold.conllu", folder / "gold.conllu", *gold_of(folder / "g2.conllu")
    )

    assert ended.code == 0
    assert "No gold word is tagged PUNCT" in ended.said


def test_an_answer_without_any_relation_is_told(compare: Command) -> None:
    treebank("gold.conllu", [[0, 1, 2]] * 5)
    text = Path("gold.conllu").read_text("utf-8")
    bare = text.replace("\troot\t", "\t_\t").replace("\tdep\t", "\t_\t")
    Path("new.conllu").write_text(bare, "utf-8")

    ended = compare("gold.conllu", "new.conllu", *gold_of("gold.conllu"))

    assert "NEW answers without any relation" in ended.said
    assert ended.counts("uas") == [15, 0, 0, 0]


@pytest.mark.parametrize(("options", "broken"), [("", 10), (":relations=universal", 0)])
def test_a_side_that_never_writes_subtypes_is_told_with_the_cure(
    options: str, broken: int, compare: Command
) -> None:
    treebank("gold.conllu", [[0, 1, 2]] * 5, relation="nmod:poss")
    treebank("new.conllu", [[0, 1, 2]] * 5, relation="nmod")

    ended = compare("gold.conllu", "new.conllu", *gold_of("gold.conllu", options))

    notes = ended.comparison()["notes"]
    assert any("NEW never writes a subtype" in note for note in notes) == (broken > 0)
    assert any("preset=official" in note for note in notes) == (broken > 0)
    assert ended.counts("las")[1] == broken


@pytest.mark.skipif("COMPAT_EVAL_DATA" not in os.environ, reason="needs the parses")
def test_published_parses_of_another_convention_are_told_first(
    compare: Command,
) -> None:
    folder = Path(os.environ["COMPAT_EVAL_DATA"]) / "conll2018_outputs_en_ewt"
    sides = [folder / f"{n}.conllu" for n in ("conll18-baseline", "UDPipe-Future")]
    Path("g.yaml").write_text("gates:\n- {quantity: nfr, at_most: 0.05}\n", "utf-8")
    gold = folder / "gold.en_ewt.conllu"

    full = compare(*sides, *gold_of(gold), "--gates", "g.yaml")

    assert full.code == 1
    assert full.counts("las")[1] == 1536
    assert "Levels move in opposite directions" in full.comparison()["notes"][0]
    assert "NEW never writes a subtype" in full.comparison()["notes"][1]

    official = compare(*sides, *gold_of(gold, ":preset=official"), "--gates", "g.yaml")

    assert official.passed
    assert official.counts("las")[1] == 911
    assert official.comparison()["notes"] == []
