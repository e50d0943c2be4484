"""Published outputs of BIG-Bench Hard: an object with a list under "outputs".

Each output has the whole prompt (a few solved examples, then the question), what the
model said, and the target. Rows have no ids; they are in the order of the data set, and
the question is checked. https://github.com/suzgunmirac/BIG-Bench-Hard
"""

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa

from compat_eval.core.errors import DataError
from compat_eval.readers.logs.log import Log
from compat_eval.readers.logs.rows import json_head, known_columns, told
from compat_eval.suite.data.formats.json_rows import load_json

_START = re.compile(
    rb'\A\s*\{(\s*"canary"\s*:\s*"[^"]*"\s*,)?\s*"outputs"\s*:\s*\[\s*\{'
)
_NAMES = {
    "id": ("id", "doc_id", "example_id"),
    "input": ("input", "inputs", "prompt", "question"),
    "prediction": ("prediction", "output", "response", "completion", "generated_text"),
    "gold": ("target", "gold", "label", "answer", "reference"),
}
_BLOCKS = "\n\n"
_REASONED = "answer is "


class BigBenchOutputs:
    """A file of one task's outputs."""

    def recognises(self, path: Path) -> bool:
        """Whether a file begins as such an object."""
        return _START.match(json_head(path)) is not None

    def tasks(self, path: Path) -> tuple[str, ...]:
        """Return the task, as files are named."""
        return (re.split(r"_few_shot_|_zero_shot_|\.json", path.name)[0],)

    def read(
        self, path: Path, task: str, choices: Mapping[str, str], shown: str
    ) -> Log:
        """Return the answer to each question.

        Raises:
            DataError: An output is no object, or has no answer.

        """
        del task, choices  # a task is told by the file's name alone
        content = load_json(path, "utf-8", shown)
        rows = content["outputs"]
        names = _names(rows, shown)
        texts = {
            ours: [told(row, theirs) for row in rows] for ours, theirs in names.items()
        }
        prompts = [prompt or "" for prompt in texts.get("input", ())]
        answers = texts["prediction"]
        found: dict[str, Sequence[Any]] = {
            "id": texts.get("id") or [str(at) for at in range(len(rows))],
            "input": [_question(prompt) for prompt in prompts],
            "gold": texts.get("gold", []),
            "prediction": [text and _final(text) for text in answers],
        }
        return Log(
            table=pa.table(known_columns(found)),
            facts={"tool": "BIG-Bench Hard", **_shots(prompts)},
            kind="generation",
        )


def _names(rows: Any, shown: str) -> dict[str, str]:  # noqa: ANN401
    """Return our names to those that the outputs have.

    Raises:
        DataError: They are no objects, or nothing in them is an answer.

    """
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise DataError(f"{shown}: outputs must be a list of objects, and not empty")
    keys = dict.fromkeys(key for row in rows for key in row)
    found = {
        ours: next(name for name in theirs if name in keys)
        for ours, theirs in _NAMES.items()
        if not keys.keys().isdisjoint(theirs)
    }
    if "prediction" not in found:
        raise DataError(
            f"{shown}: no answer among {', '.join(keys)}; name it, as in --read "
            "select=outputs --fields prediction=COLUMN"
        )
    return found


def _question(prompt: str) -> str:
    """Return what is asked after the solved examples."""
    return prompt.rpartition(_BLOCKS)[2].rpartition("\nA:")[0] or prompt


def _final(text: str) -> str:
    """Return what an answer with reasoning ends with."""
    if _REASONED not in text:
        return text.strip()
    return text.rpartition(_REASONED)[2].partition("\n")[0].strip().removesuffix(".")


def _shots(prompts: Sequence[str]) -> dict[str, str]:
    """Return how many solved examples stand before a question, and a digest of them."""
    before = sorted({prompt.rpartition(_BLOCKS)[0] for prompt in prompts})
    if not any(before):
        return {}
    blocks = {str(len(re.findall(r"^A:", one, re.MULTILINE))) for one in before}
    return {
        "few-shot examples": " or ".join(sorted(blocks)),
        "prompt": sha256("\0".join(before).encode()).hexdigest()[:12],
    }
