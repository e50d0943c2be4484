"""Logs of other evaluation tools, one tool a file.

A log is a file or a folder, and may hold several tasks: `PATH#TASK` names one. Other
packages add tools through the entry-point group `compat_eval.logs`.
"""

from collections.abc import Collection, Mapping
from pathlib import Path

from compat_eval.core.errors import DataError, UsageError, some
from compat_eval.core.registry import Registry
from compat_eval.core.text import did_you_mean
from compat_eval.readers.logs.log import Log, LogReader
from compat_eval.readers.logs.rows import first_row
from compat_eval.suite.data.formats import suffix_of

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
    ".csv": ("llm-drift", "promptfoo", "spider"),
    ".tsv": ("spider",),
    ".parquet": ("lighteval",),
}
"""The only logs that files of such names can be: others need not be imported."""

_OURS = {"id", "prediction"}
"""Columns that rows of none of these tools have together."""


def split_task(location: str) -> tuple[Path, str | None]:
    """Take `PATH#TASK` apart; a `#` in the name of a file that exists is its own."""
    path = Path(location).expanduser()
    before, mark, task = location.rpartition("#")
    if not mark or path.exists():
        return path, None
    return Path(before).expanduser(), task


def reader_of(path: Path) -> LogReader | None:
    """Return the reader of the tool whose log a file or folder is, if any."""
    possible = _possible(path)
    for name in LOGS.names():
        if name in LOGS.builtin and name not in possible:
            continue
        reader: LogReader = LOGS.load(name)()
        if reader.recognises(path):
            return reader
    return None


def _possible(path: Path) -> Collection[str]:
    """Return which of the tools known here a log can be of, without importing them."""
    if path.is_dir():
        return LOGS.builtin
    if first_row(path).keys() >= _OURS:
        return ()
    return _OF_TABLES.get(suffix_of(path.name), tuple(LOGS.builtin))


def read_log(
    reader: LogReader,
    path: Path,
    task: str | None,
    choices: Mapping[str, str],
    shown: str,
) -> Log:
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
