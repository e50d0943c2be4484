import io
from pathlib import Path

import numpy as np
import pytest
from udtools.udeval import (  # type: ignore[import-untyped]
    evaluate,
    load_conllu,
)

from compat_eval.core.errors import DataError
from compat_eval.core.examples import Examples
from compat_eval.core.grades import names
from compat_eval.tasks.dependency.conllu import parse_conllu
from compat_eval.tasks.dependency.read import predictions_of, read_predictions
from compat_eval.tasks.dependency.task import Dependency
from compat_eval.tasks.dependency.trees import examples_of, official_counts_in

SCORES = {
    "Tokens": "tokens",
    "Sentences": "sentences",
    "Words": "words",
    "UPOS": "upos",
    "XPOS": "xpos",
    "UFeats": "ufeats",
    "AllTags": "alltags",
    "Lemmas": "lemmas",
    "UAS": "uas",
    "LAS": "las",
    "CLAS": "clas",
    "MLAS": "mlas",
    "BLEX": "blex",
}

Word = tuple[str, int, str]


def sentence(
    *words: Word, name: str | None = None, ranges: dict[int, str] | None = None
) -> str:
    """Write a sentence; a range "1-2" stands before its first word."""
    lines = [f"# sent_id = {name}"] if name else []
    for number, (form, head, relation) in enumerate(words, start=1):
        if ranges and number in ranges:
            lines.append(f"{ranges[number]}\t" + "\t".join("_" * 8))
        lines.append(f"{number}\t{form}\t_\tX\t_\t_\t{head}\t{relation}\t_\t_")
    return "\n".join(lines) + "\n\n"


def multiword(text: str, first: int, last: int) -> dict[int, str]:
    return {first: f"{first}-{last}\t{text}"}


def gold_of(text: str) -> Examples:
    return examples_of(parse_conllu(text.encode()))


GOLD = sentence(
    ("Call", 0, "root"), ("me", 1, "obj"), (".", 1, "punct"), name="a"
) + sentence(("Now", 0, "root"), ("!", 1, "punct"), name="b")


def test_sentences_go_by_id_whatever_their_order() -> None:
    turned = sentence(("Now", 0, "root"), ("!", 1, "punct"), name="b") + sentence(
        ("Call", 0, "root"), ("me", 1, "nsubj"), (".", 2, "punct"), name="a"
    )

    found = predictions_of(parse_conllu(turned.encode()), gold_of(GOLD))

    assert found.ids.to_pylist() == ["b", "a"]
    assert found.column("prediction").to_pylist()[1] == {
        "heads": [0, 1, 2],
        "deprels": ["root", "nsubj", "punct"],
    }


def test_sentences_that_were_not_parsed_are_missing_and_not_made_up() -> None:
    some = sentence(("Now", 0, "root"), ("!", 1, "punct"), name="b")

    found = predictions_of(parse_conllu(some.encode()), gold_of(GOLD))

    assert found.ids.to_pylist() == ["b"]


def test_other_sentences_and_words_are_laid_over_gold() -> None:
    one_sentence = sentence(
        ("Call", 0, "root"), ("me.", 1, "obj"), ("Now", 1, "advmod"), ("!", 1, "punct")
    )

    found = predictions_of(parse_conllu(one_sentence.encode()), gold_of(GOLD))

    assert found.ids.to_pylist() == ["a", "b"]
    first, second = found.column("prediction").to_pylist()
    assert first == {"heads": [0, -1, -1], "deprels": ["root", None, None]}
    assert second == {"heads": [-1, -1], "deprels": ["advmod", "punct"]}
    assert official_counts_in(found.column("official"), "words").tolist() == [
        [1, 2, 3, 1],
        [2, 2, 2, 2],
    ]
    assert official_counts_in(found.column("official"), "uas").tolist() == [
        [1, 2, 3, 1],
        [0, 2, 2, 2],
    ]
    assert official_counts_in(found.column("official"), "sentences")[:, 0].sum() == 0
    graded = Dependency(punctuation="include")
    assert graded.grade(gold_of(GOLD), found)["uas"].right.tolist() == [
        True,
        False,
        False,
        False,
        False,
    ]


def test_words_of_multiword_tokens_align_by_their_forms() -> None:
    gold = sentence(
        ("Va", 0, "root"),
        ("à", 4, "case"),
        ("le", 4, "det"),
        ("lit", 1, "obl"),
        ranges=multiword("au", 2, 3),
    )
    system = sentence(
        ("Va", 0, "root"),
        ("de", 5, "case"),
        ("À", 5, "case"),
        ("le", 5, "det"),
        ("lit", 1, "obl"),
        ranges=multiword("au", 2, 4),
    )

    found = predictions_of(parse_conllu(system.encode()), gold_of(gold))

    (tree,) = found.column("prediction").to_pylist()
    assert tree == {"heads": [0, 4, 4, 1], "deprels": ["root", "case", "det", "obl"]}
    words = Dependency().grade(gold_of(gold), found)["las"]
    assert words.right.all()
    assert not Dependency().grade(gold_of(gold), found)["lcm"].right.any(), (
        "a word too many is no complete match"
    )


def test_other_words_can_be_refused(tmp_path: Path) -> None:
    file = tmp_path / "p.conllu"
    file.write_text(
        sentence(("Call", 0, "root"), ("me.", 1, "obj"))
        + sentence(("Now", 0, "root"), ("!", 1, "punct"))
    )

    with pytest.raises(DataError, match=r"p\.conllu: sentences or words differ.*\(a\)"):
        read_predictions(file, gold_of(GOLD), tokenisation="refuse")

    file.write_text(GOLD)
    assert len(read_predictions(file, gold_of(GOLD), tokenisation="refuse")) == 2


def test_another_text_is_refused_where_it_starts_to_differ() -> None:
    other = GOLD.replace("Now", "Not")

    with pytest.raises(DataError, match=r"sentence b expected 'w!', got 't!'"):
        predictions_of(parse_conllu(other.encode()), gold_of(GOLD))


def official(text: str) -> object:
    return load_conllu(io.StringIO(text), "memory", {"no_empty_nodes": False})


def random_analysis(text: str, rng: np.random.Generator) -> str:
    """Cut a text into sentences, tokens and (inside some tokens) words at random."""
    out, at = [], 0
    while at < len(text):
        size = int(rng.integers(3, 12))
        out.append(_random_sentence(text[at : at + size], rng))
        at += size
    return "".join(out)


def _random_sentence(text: str, rng: np.random.Generator) -> str:
    forms: list[str] = []
    ranges: dict[int, str] = {}
    at = 0
    while at < len(text):
        token = text[at : at + int(rng.integers(1, 4))]
        at += len(token)
        n = int(rng.integers(2, 4)) if rng.random() < 0.35 else 1
        if n > 1:
            first = len(forms) + 1
            ranges[first] = f"{first}-{first + n - 1}\t{token}\t" + "\t".join("_" * 8)
            forms += [str(rng.choice(list("abcAB"))) for _ in range(n)]
        else:
            forms.append(token)
    order = rng.permutation(len(forms))
    heads = [0] * len(forms)
    for i in range(1, len(forms)):
        heads[order[i]] = int(order[rng.integers(0, i)]) + 1
    rows = []
    for i, form in enumerate(forms, start=1):
        if i in ranges:
            rows.append(ranges[i])
        head = heads[i - 1]
        relation = rng.choice(["nsubj", "case", "det:x", "obj", "punct", "aux"])
        tags = "\t".join(
            [
                str(rng.choice(["x", "_"])),
                str(rng.choice(["N", "V"])),
                str(rng.choice(["1", "2"])),
                str(rng.choice(["Case=Nom|Zz=1", "Zz=2|Case=Nom", "Case=Acc", "_"])),
            ]
        )
        rows.append(
            f"{i}\t{form}\t{tags}\t{head}\t{'root' if head == 0 else relation}\t_\t_"
        )
    return "\n".join(rows) + "\n\n"


@pytest.mark.parametrize("seed", range(40))
def test_counts_equal_those_of_the_official_scorer(seed: int) -> None:
    rng = np.random.default_rng(seed)
    text = "".join(rng.choice(list("abcABc"), 60))
    gold, system = (random_analysis(text, rng) for _ in range(2))

    found = predictions_of(parse_conllu(system.encode()), gold_of(gold))
    expected = evaluate(official(gold), official(system))

    for theirs, ours in SCORES.items():
        correct, of_system, of_gold, aligned = official_counts_in(
            found.column("official"), ours
        ).sum(axis=0)
        score = expected[theirs]
        assert (correct, of_system, of_gold) == (
            score.correct,
            score.system_total,
            score.gold_total,
        ), theirs
        if score.aligned_total is not None:
            assert aligned == score.aligned_total, theirs


def test_words_of_a_sentence_that_is_no_tree_have_no_head_in_any_score() -> None:
    joined = sentence(
        ("Call", 0, "root"),
        ("me", 1, "obj"),
        (".", 1, "punct"),
        ("Now", 0, "root"),
        ("!", 4, "punct"),
    )

    found = predictions_of(parse_conllu(joined.encode(), trees=False), gold_of(GOLD))

    assert found.column("no_tree").to_pylist() == [True, True]
    for score, right in {"words": 5, "upos": 5, "uas": 0, "las": 0, "clas": 0}.items():
        assert official_counts_in(found.column("official"), score)[:, 0].sum() == right
    for level in names(Dependency().levels):
        assert not Dependency().grade(gold_of(GOLD), found)[level].right.any()


def test_two_trees_over_one_gold_sentence_are_trees() -> None:
    apart = sentence(("Call", 0, "root"), ("me", 1, "obj")) + sentence(
        (".", 0, "root"), ("Now", 1, "dep"), ("!", 1, "punct")
    )

    found = predictions_of(parse_conllu(apart.encode()), gold_of(GOLD))

    assert found.column("no_tree").to_pylist() == [False, False]


def test_relations_of_a_file_go_by_the_label_map(tmp_path: Path) -> None:
    other = GOLD.replace("\tobj\t", "\tdobj\t").replace("\troot\t", "\tROOT\t")
    (tmp_path / "p.conllu").write_text(other, "utf-8")

    found = read_predictions(
        tmp_path / "p.conllu",
        gold_of(GOLD),
        label_map={"dobj": "obj", "ROOT": "root", "never": "said"},
    )

    assert Dependency().grade(gold_of(GOLD), found)["las"].right.all()
    assert official_counts_in(found.column("official"), "las")[:, 0].sum() == 5
