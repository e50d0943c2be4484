"""Where the experiments find their data and keep their work."""

import json
from pathlib import Path
from typing import Any, TypeAlias

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

EWT, ATIS = "ewt", "atis"


def treebank(split: str, name: str = EWT) -> Examples:
    """Return the `train`, `dev` or `test` sentences of UD English EWT (or ATIS)."""
    folder = data_folder() / f"ud_english_{name}"
    return examples_of(read_conllu(folder / f"en_{name}-ud-{split}.conllu"))


def model_path(name: str) -> Path:
    return WORK / "models" / name


Parser: TypeAlias = BiaffineParser | StackPointerParser


def load(name: str) -> Parser:
    """Load a trained parser, as `compat:` does."""
    source = ADAPTERS.load("compat")(str(model_path(name)), ModelOptions())
    model = source.load()
    assert isinstance(model, BiaffineParser | StackPointerParser)
    return model


def training_record(name: str) -> dict[str, Any]:
    """Return what training.json says."""
    text = (model_path(name) / "training.json").read_text("utf-8")
    record: dict[str, Any] = json.loads(text)
    return record
