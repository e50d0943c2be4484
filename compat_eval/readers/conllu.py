"""CoNLL-U files: gold treebanks, and what a parser made of them."""

from pathlib import Path

import pyarrow as pa

from compat_eval.core.errors import UsageError
from compat_eval.core.examples import Examples
from compat_eval.core.fingerprint import file_digest
from compat_eval.core.recorded import Recorded, Request
from compat_eval.tasks.dependency.conllu import read_conllu
from compat_eval.tasks.dependency.read import read_predictions
from compat_eval.tasks.dependency.trees import examples_of

SUFFIXES = (".conllu", ".conll")


def is_conllu(path: Path) -> bool:
    """Whether a file's name says that it is CoNLL-U."""
    return path.suffix.lower() in SUFFIXES


def read(path: Path, request: Request) -> Recorded:
    """Read a parser's output; words are aligned with gold as the UD scorer does.

    Raises:
        UsageError: There is no gold treebank to align with, or no such file.
        DataError: The file is malformed, or its text is another one.

    """
    if request.examples is None:
        raise UsageError(
            f"{request.name}: a parser's output needs gold trees; give --suite, or "
            "--task dependency with --gold FILE.conllu"
        )
    _require(path, request)
    predictions = read_predictions(
        path, request.examples, label_map=request.label_map, shown=request.name
    )
    return Recorded(
        name=request.name,
        predictions=predictions,
        examples=Examples(pa.table({"id": predictions.ids})),
        fingerprint=file_digest(path),
        provenance={"kind": "CoNLL-U file", "rows": len(predictions)},
    )


def read_gold(path: Path, request: Request) -> Examples:
    """Read a gold treebank as examples.

    Raises:
        UsageError: There is no such file, or the task compares no such trees.
        DataError: The file is malformed.

    """
    _require(path, request)
    return examples_of(read_conllu(path, shown=request.name))


def _require(path: Path, request: Request) -> None:
    if not path.is_file():
        what = "is a directory" if path.is_dir() else "does not exist"
        raise UsageError(f"{path}: {what}; expected a CoNLL-U file")
    if request.kind != "dependency":
        raise UsageError(
            f"{request.name}: holds dependency trees, and task {request.kind} compares "
            "none; add --task dependency"
        )
