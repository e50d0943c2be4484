"""Where the experiments find UD English and keep their work."""

from functools import cache
from pathlib import Path
from typing import TypeAlias

import pyarrow.compute as pc

from compat_eval.adapters import ADAPTERS, ModelOptions
from compat_eval.core.examples import Examples
from compat_eval.models.biaffine.parser import BiaffineParser
from compat_eval.models.stack_pointer.parser import StackPointerParser
from compat_eval.tasks.dependency.conllu import read_conllu
from compat_eval.tasks.dependency.trees import examples_of
from experiments.updates.places import data_folder, work_folder

HERE = Path(__file__).parent
WORK = work_folder("parsing")
"""Models and grades; no step found there is repeated."""

MODELS = WORK / "models"
EWT, ATIS = "ewt", "atis"


@cache
def treebank(split: str, name: str = EWT) -> Examples:
    """Return the `train`, `dev` or `test` sentences of UD English EWT (or ATIS)."""
    sentences = read_conllu(_file(split, name))
    examples = examples_of(sentences)
    # A sentence without a document is one of its own.
    document = pc.coalesce(sentences["document"], sentences["id"])
    return examples.with_column("cluster", document)


def _file(split: str, name: str) -> Path:
    return data_folder() / f"ud_english_{name}" / f"en_{name}-ud-{split}.conllu"


def seen_in_training(split: str) -> int:
    """Return how many sentences of a split have the words of a training sentence."""
    train, here = (
        [tuple(one["words"]) for one in treebank(s).column("input").to_pylist()]
        for s in ("train", split)
    )
    known = set(train)
    return sum(words in known for words in here)


Parser: TypeAlias = BiaffineParser | StackPointerParser


@cache
def load(name: str) -> Parser:
    """Load a trained parser, as `compat:` does."""
    model = ADAPTERS.load("compat")(str(MODELS / name), ModelOptions()).load()
    assert isinstance(model, BiaffineParser | StackPointerParser)
    return model


def arc_factored(name: str) -> BiaffineParser:
    parser = load(name)
    assert isinstance(parser, BiaffineParser), f"{name} is not arc-factored"
    return parser
