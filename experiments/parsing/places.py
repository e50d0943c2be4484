"""Where the experiments find UD English and keep their work."""

from functools import cache
from pathlib import Path
from typing import TypeAlias

from compat_eval.adapters import ADAPTERS, ModelOptions
from compat_eval.core.examples import Examples
from compat_eval.models.biaffine_parser import BiaffineParser
from compat_eval.models.stack_pointer_parser import StackPointerParser
from compat_eval.tasks.conllu import read_conllu
from compat_eval.tasks.dependency_table import examples_of
from experiments.updates.places import data_folder, work_folder

HERE = Path(__file__).parent
WORK = work_folder("parsing")
"""Models and grades; no step found there is repeated."""

MODELS = WORK / "models"
EWT, ATIS = "ewt", "atis"


@cache
def treebank(split: str, name: str = EWT) -> Examples:
    """Return the `train`, `dev` or `test` sentences of UD English EWT (or ATIS)."""
    folder = data_folder() / f"ud_english_{name}"
    return examples_of(read_conllu(folder / f"en_{name}-ud-{split}.conllu"))


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
