"""Logs of other evaluation tools, one tool a file.

A log is a file or a folder, and may hold several tasks: `PATH#TASK` names one. Other
packages add tools through the entry-point group `compat_eval.logs`.
"""

import os
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from compat_eval.core.errors import DataError, UsageError, some
from compat_eval.core.registry import Registry
from compat_eval.core.text import did_you_mean
from compat_eval.readers.logs.rows import JSON_SUFFIXES, first_row, json_head
from compat_eval.suite.data.formats import suffix_of
from compat_eval.suite.data.formats.packed import head

if TYPE_CHECKING:
    from compat_eval.readers.logs.log import Log, LogReader

LOGS = Registry(
    group="compat_eval.logs",
    noun="log format",
    builtin={
        "big-bench": "compat_eval.readers.logs.big_bench:BigBenchOutputs",
        "inspect-ai": "compat_eval.readers.logs.inspect_ai:InspectLog",
        "lighteval": "compat_eval.readers.logs.lighteval:LightevalDetails",
        "llm-drift": "compat_eval.readers.logs.llm_drift:LlmDriftTable",
        "lm-eval": "compat_eval.readers.logs.lm_eval:LmEvalSamples",
        "mlflow": "compat_eval.readers.logs.mlflow:MlflowTable",
        "mlflow-traces": "compat_eval.readers.logs.mlflow:MlflowTraces",
        "mmlu-pro": "compat_eval.readers.logs.mmlu_pro:MmluProOutputs",
        "mteb": "compat_eval.readers.logs.mteb:MtebPredictions",
        "nemo-evaluator": "compat_eval.readers.logs.nemo_evaluator:NemoEvaluatorBundle",
        "openai-evals": "compat_eval.readers.logs.openai_evals:OpenAIEvalsLog",
        "promptfoo": "compat_eval.readers.logs.promptfoo:PromptfooResults",
        "spider": "compat_eval.readers.logs.spider:SpiderTable",
        "sql": "compat_eval.readers.logs.spider:SqlLines",
        "transformers": "compat_eval.readers.logs.hf_pipeline:PipelineOutputs",
    },
)


_OF_TABLES = {
    ".csv": {"llm-drift": b"ref_answer", "promptfoo": b"[", "spider": b"PREDICTED SQL"},
    ".tsv": {"spider": b"PREDICTED SQL"},
    ".parquet": {"lighteval": b""},
}
"""The only logs that files of such names can be, and a word of their first line.

Others need not be imported: a reader brings Arrow with it, and whoever has a wrong
column in a table shall not wait for that.
"""

_OF_JSON = {
    "big-bench": rb'"outputs"',
    "inspect-ai": rb'"run_id"',
    "lm-eval": rb'"filtered_resps"|"n-shot"|^samples_',
    "mlflow": rb'"columns"',
    "mlflow-traces": rb'"trace_id"',
    "mmlu-pro": rb'"answer_index"',
    "mteb": rb'"mteb_model_meta"|^.*\n\s*\{\s*"(?:[^"\\]|\\.)*":\s*\{',
    "nemo-evaluator": rb'"benchmark"|"problem_idx"',
    "openai-evals": rb'"spec"',
    "promptfoo": rb'"evalId"|"provider"',
    "transformers": rb'"(generated_text|summary_text|translation_text|answer|labels?)"',
}
"""Likewise of JSON: what stands in a file's name or, on a line below, its beginning."""

_HEAD_BYTES = 2**16
_OURS = {"id", "prediction"}
"""Columns that rows of none of these tools have together."""


def split_task(location: str) -> tuple[Path, str | None]:
    """Take `PATH#TASK` apart; a `#` in the name of a file that exists is its own."""
    path = Path(location).expanduser()
    before, mark, task = location.rpartition("#")
    if not mark or path.exists():
        return path, None
    return Path(before).expanduser(), task


def reader_of(path: Path) -> "LogReader | None":
    """Return the reader of the tool whose log a file or folder is, if any."""
    known = possible(path)
    for name in LOGS.names():
        if name in LOGS.builtin and name not in known:
            continue
        reader: LogReader = LOGS.load(name)()
        if reader.recognises(path):
            return reader
    return None


def possible(path: Path) -> Collection[str]:
    """Return which of the tools known here a log can be of, without importing them."""
    suffix = suffix_of(path.name)
    if path.is_dir() or suffix == ".eval":
        return LOGS.builtin
    if suffix in _OF_TABLES:
        line = head(path, _HEAD_BYTES).partition(b"\n")[0]
        return [name for name, sign in _OF_TABLES[suffix].items() if sign in line]
    if suffix not in JSON_SUFFIXES:
        return LOGS.builtin
    if first_row(path).keys() >= _OURS:
        return ()
    text = os.fsencode(path.name) + b"\n" + json_head(path)
    return [name for name, sign in _OF_JSON.items() if re.search(sign, text)]


def read_log(
    reader: "LogReader",
    path: Path,
    task: str | None,
    choices: Mapping[str, str],
    shown: str,
) -> "Log":
    """Read one task of a log; the only one where none is named.

    Raises:
        UsageError: There are several tasks, or not the named one.
        DataError: The log is damaged.

    """
    tasks = reader.tasks(path)
    if task is None and len(tasks) > 1:
        raise UsageError(
            f"{shown}: holds {len(tasks)} tasks ({some(tasks, limit=12)}); name one, "
            f"as in '{path}#{tasks[0]}'"
        )
    if task is not None and task not in tasks:
        whole = (
            f". For a group of tasks name {path} alone: two folders are one release"
            if path.is_dir() and len(tasks) > 1
            else ""
        )
        raise UsageError(
            f"{shown}: has no task {task!r}; {did_you_mean(task, [*tasks])}{whole}"
        )
    try:
        return reader.read(path, task or tasks[0], choices, shown)
    except UnicodeEncodeError as error:
        raise DataError(
            f"{shown}: a text holds half a character (a lone surrogate)"
        ) from error
