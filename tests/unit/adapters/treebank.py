"""Sixteen sentences with their trees, as examples and as CoNLL-U."""

from pathlib import Path
from typing import Any

from compat_eval.core.examples import Examples
from compat_eval.core.protocols import Encodes, ModelSource
from tests import fakes

_TAGGED = """
dogs/NOUN/2/nsubj chase/VERB/0/root cats/NOUN/2/obj
cats/NOUN/2/nsubj chase/VERB/0/root mice/NOUN/2/obj ./PUNCT/2/punct
she/PRON/2/nsubj sleeps/VERB/0/root ./PUNCT/2/punct
a/DET/2/det dog/NOUN/3/nsubj barks/VERB/0/root loudly/ADV/3/advmod
the/DET/2/det cat/NOUN/3/nsubj sleeps/VERB/0/root ./PUNCT/3/punct
the/DET/2/det dog/NOUN/3/nsubj chases/VERB/0/root a/DET/5/det cat/NOUN/3/obj
she/PRON/2/nsubj chases/VERB/0/root the/DET/4/det mice/NOUN/2/obj ./PUNCT/2/punct
sleep/VERB/0/root !/PUNCT/1/punct
"""


def sentences() -> list[list[list[str]]]:
    """Return for each sentence its words, as form, tag, head and relation."""
    lines = _TAGGED.strip().splitlines() * 2
    return [[word.split("/") for word in line.split()] for line in lines]


def inputs() -> list[dict[str, Any]]:
    return [
        {
            "words": [w[0] for w in words],
            "lemmas": [w[0] for w in words],
            "upos": [w[1] for w in words],
            "xpos": [w[1] for w in words],
        }
        for words in sentences()
    ]


def examples() -> Examples:
    gold = [
        {"heads": [int(w[2]) for w in words], "deprels": [w[3] for w in words]}
        for words in sentences()
    ]
    ids = [f"s{number}" for number in range(len(gold))]
    return fakes.examples(id=ids, input=inputs(), gold=gold)


def answers(source: ModelSource, asked: list[dict[str, Any]]) -> list[Any]:
    """Return what a parser says of each input."""
    model = source.load()
    assert isinstance(model, Encodes)
    return list(model.predict(model.encode(asked))["prediction"].to_pylist())


def write_conllu(path: Path) -> Path:
    path.write_text(
        "\n".join(
            f"# sent_id = s{number}\n"
            + "".join(
                f"{at}\t{form}\t{form}\t{tag}\t{tag}\t_\t{head}\t{relation}\t_\t_\n"
                for at, (form, tag, head, relation) in enumerate(words, start=1)
            )
            for number, words in enumerate(sentences())
        )
        + "\n"
    )
    return path
