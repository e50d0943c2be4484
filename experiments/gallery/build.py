"""Write the reports of real updates into one folder, with a page that lists them.

Published outputs come from the mirror of data sets that COMPAT_EVAL_DATA names; logs of
other tools are those that the tests read. `make gallery`
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment

from compat_eval.cli import main

LOGS = Path(__file__).parents[2] / "tests" / "fixtures" / "logs"
CELLS = ("kept", "broken", "fixed", "missed", "same", "worse", "better", "changed")
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Gallery of reports</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .4rem .8rem; border-bottom: 1px solid #ccc }
code { font-size: .85em; overflow-wrap: anywhere }
</style>
<h1>Reports of real updates</h1>
<p>Each links to the report; below it stands the command that made it.</p>
<table>
<tr><th>Update</th><th>Level</th><th>Counts</th></tr>
{% for row in rows %}
<tr><td><a href="{{ row.name }}/report.html">{{ row.title }}</a><br>
<code>{{ row.command }}</code></td>
<td>{{ row.level }}</td>
<td>{% for name, count in row.counts.items() %}{{ name }}
{{ "{:,}".format(count) }}{{ "" if loop.last else " · " }}{% endfor %}</td>
</tr>
{% endfor %}
</table>
{% if absent %}<p>Not here, for want of their data: {{ absent | join(", ") }}.</p>
{% endif %}
</html>
"""


@dataclass(frozen=True)
class Update:
    """One pair to compare.

    Attributes:
        title: What was updated.
        arguments: Of `compat-eval compare`; paths first.

    """

    title: str
    arguments: tuple[str, ...]

    @property
    def name(self) -> str:
        """Return the name of its folder."""
        kept = "".join(c if c.isalnum() else " " for c in self.title.lower())
        return "-".join(kept.split())

    def is_there(self) -> bool:
        """Whether its files are."""
        paths = (one.partition("#")[0] for one in self.arguments[:2])
        return all(Path(path).exists() for path in paths)


def updates(data: Path) -> Iterator[Update]:
    """Yield all updates."""
    mmlu, sql = data / "mmlu_pro_preds", data / "spider_nl2sql_preds" / "CodeX"
    yield _pair(
        "MMLU-Pro: Llama 3 8B to 3.1 8B",
        mmlu / "model_outputs_Meta-Llama-3-8B_5shots.zip",
        mmlu / "model_outputs_Meta-Llama-3_1-8B_5shots.zip",
        "--on-mismatch=own",
    )
    yield _pair(
        "Spider: few-shot prompts to DIN-SQL",
        sql / "CodeX_few-shot.csv",
        sql / "DIN-SQL.csv",
        "--task=generation:match=sql",
    )
    for name in ("PRIME_FULL", "SENSITIVEQ", "LEETCODE_EASY"):
        path = data / "llmdrift" / f"{name}_EVAL.csv"
        for model, old, new in (
            ("gpt-4", "0314", "0613"),
            ("gpt-3.5-turbo", "0301", "0613"),
        ):
            yield _pair(
                f"LLMDrift {name.lower()}: {model} {old} to {new}",
                path,
                path,
                f"--old-keep=model=openaichat/{model}-{old}",
                f"--new-keep=model=openaichat/{model}-{new}",
            )
    ewt = data / "conll2018_outputs_en_ewt"
    yield _pair(
        "CoNLL 2018: UDPipe 1.2 to UDPipe Future",
        ewt / "conll18-baseline.conllu",
        ewt / "UDPipe-Future.conllu",
        "--task=dependency",
        f"--gold={ewt / 'gold.en_ewt.conllu'}",
    )
    for tool, old, new in (
        (
            "NeMo Evaluator",
            "nemo_evaluator/old#adding_often",
            "nemo_evaluator/new#adding_often",
        ),
        ("OpenAI Evals", "openai_evals/sums_old.jsonl", "openai_evals/sums_new.jsonl"),
        ("MLflow", "mlflow/old_genai.json", "mlflow/new_genai.json"),
    ):
        yield _pair(f"{tool}: a small log", LOGS / old, LOGS / new)


def _pair(title: str, old: Path, new: Path, *further: str) -> Update:
    return Update(title, (str(old), str(new), *further))


def build(folder: Path, data: Path) -> None:
    """Compare all pairs whose files are there, and list them."""
    folder.mkdir(parents=True, exist_ok=True)
    rows, absent = [], []
    for update in updates(data):
        if update.is_there():
            rows.append(_compared(update, folder))
        else:
            absent.append(update.title)
    page = Environment(autoescape=True).from_string(_PAGE)
    text = page.render(rows=rows, absent=absent)
    (folder / "index.html").write_text(text, "utf-8")
    print(folder / "index.html")


def _compared(update: Update, folder: Path) -> dict[str, Any]:
    run = folder / update.name
    command = ["compare", *update.arguments, "--out", str(run), "--overwrite"]
    try:
        main(command)
    except SystemExit as end:
        if end.code:
            sys.exit(f"{update.title}: exit code {end.code}")
    told = json.loads((run / "comparison.json").read_bytes())
    task = told["tasks"][0]
    level = task["levels"][0]["name"]
    found = task["updates"][0]["levels"][level]["counts"]
    return {
        "title": update.title,
        "name": update.name,
        "level": level,
        "counts": {name: found[name] for name in CELLS if name in found},
        "command": " ".join(["compat-eval", "compare", *update.arguments]),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(".work/gallery"))
    build(parser.parse_args().out, Path(os.environ.get("COMPAT_EVAL_DATA", "missing")))
