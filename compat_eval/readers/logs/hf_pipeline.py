"""Outputs of pipelines of Hugging Face transformers, written as JSON.

A list with an output an example, in the order of the inputs: the best label
(`{label, score}`), the labels that were asked for (a list of those), labels of
candidates (zero-shot), a generated text, or an answer to a question. Outputs have no
ids, so both sides and gold are paired by their rows.
https://huggingface.co/docs/transformers/main_classes/pipelines
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from compat_eval.core.errors import DataError
from compat_eval.readers.logs.log import Log
from compat_eval.readers.logs.rows import (
    first_row,
    inner,
    json_head,
    known_columns,
    number,
    told,
)
from compat_eval.suite.data.formats.json_rows import load_json

_TEXTS = ("generated_text", "summary_text", "translation_text", "answer")
_LABELLED = {"label", "score"}
_ZERO_SHOT = {"sequence", "labels", "scores"}
_ANSWERED = {"score", "start", "end", "answer"}


class PipelineOutputs:
    """What a pipeline returned, as a JSON list."""

    def recognises(self, path: Path) -> bool:
        """Whether the first output is one of a pipeline."""
        if not json_head(path)[:100].lstrip().startswith(b"["):
            return False
        keys = set(first_row(path))
        texts = len(keys) == 1 and not keys.isdisjoint(_TEXTS)
        return texts or keys in (_LABELLED, _ZERO_SHOT, _ANSWERED)

    def tasks(self, path: Path) -> tuple[str, ...]:
        """Return the file's name: outputs do not say what was asked."""
        return (path.name,)

    def read(
        self, path: Path, task: str, choices: Mapping[str, str], shown: str
    ) -> Log:
        """Return the answer to each input.

        Raises:
            DataError: An output is unlike the first one.

        """
        del task, choices
        outputs = load_json(path, "utf-8", shown)
        if not isinstance(outputs, list) or not outputs:
            raise DataError(f"{shown}: holds no outputs")
        rows = [_answer(one, f"{shown}: output {i}") for i, one in enumerate(outputs)]
        if len({row["kind"] for row in rows}) > 1:
            raise DataError(f"{shown}: its outputs are of several pipelines")
        names = ("input", "prediction", "score", "margin")
        columns = {name: [row.get(name) for row in rows] for name in names}
        return Log(
            table=pa.table(known_columns(columns)),
            facts={"tool": "transformers pipeline"},
            kind=rows[0]["kind"],
        )


def _answer(output: Any, shown: str) -> dict[str, Any]:  # noqa: ANN401
    """Return one output in our words."""
    listed = output if isinstance(output, list) else [output]
    if listed and all(
        isinstance(one, dict) and one.keys() >= _LABELLED for one in listed
    ):
        return _best([(told(o, "label"), number(o["score"])) for o in listed], shown)
    first = listed[0] if len(listed) == 1 and isinstance(listed[0], dict) else {}
    if first.keys() >= _ZERO_SHOT:
        pairs = zip(first["labels"], map(number, first["scores"]), strict=True)
        return {**_best(list(pairs), shown), "input": told(first, "sequence")}
    for name in _TEXTS:
        if name in first:
            return {"kind": "generation", "prediction": _said(inner(first, name))}
    raise DataError(
        f"{shown} is no label with its score and no text of one answer; got "
        f"{str(output)[:60]}"
    )


def _best(scored: Sequence[tuple[Any, float | None]], shown: str) -> dict[str, Any]:
    """Return the likeliest label, its score, and how far the second is behind."""
    if any(label is None or score is None for label, score in scored):
        raise DataError(f"{shown} has a label or score that is none")
    ranked = sorted(scored, key=lambda pair: -(pair[1] or 0.0))
    found = {
        "kind": "classification",
        "prediction": ranked[0][0],
        "score": ranked[0][1],
    }
    if len(ranked) > 1:
        found["margin"] = (ranked[0][1] or 0.0) - (ranked[1][1] or 0.0)
    return found


def _said(text: Any) -> str | None:  # noqa: ANN401
    """Return a generated text; of a chat the last turn."""
    if isinstance(text, list) and text and isinstance(text[-1], dict):
        return told(text[-1], "content")
    return text if isinstance(text, str) else None
