"""Files that are there whole or not at all."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from compat_eval.core.arrays import Array


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yield a path to write to; it becomes `path` when all is written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    yield partial
    partial.replace(path)


def save_arrays(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write named arrays as safetensors."""
    with whole(path) as partial:
        save_file({k: np.ascontiguousarray(a) for k, a in arrays.items()}, partial)


def write_results(out: Path, rows: Sequence[Mapping[str, Any]], page: str) -> None:
    """Write `results.json` and `RESULTS.md` into a folder."""
    text = json.dumps(rows, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    for name, content in (("results.json", text), ("RESULTS.md", page)):
        with whole(out / name) as partial:
            partial.write_text(content, "utf-8")
