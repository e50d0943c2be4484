"""How release gates decide published updates; writes real_pairs.json.

    COMPAT_EVAL_DATA=DATA python -m benchmarks.real_pairs

The rules are those of `benchmarks.gate_decisions`; files are read and graded by this
program, so that all rules see the same counts. `make docs` makes the table of
docs/gate-decisions.md from it.
"""

import argparse
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.gate_decisions import LIMITS, RULES
from compat_eval.comparison.compare import judged_update
from compat_eval.core.grades import BROKEN, FIXED, KEPT, MISSED
from compat_eval.workflows.compare import align_sides
from compat_eval.workflows.options import Options

_CELLS = {"kept": KEPT, "broken": BROKEN, "fixed": FIXED, "missed": MISSED}
_GPT = "openaichat/gpt-"


def pairs(data: Path) -> Iterator[tuple[str, str, str, Options]]:
    """Yield name, OLD, NEW and options of each pair."""
    drift = data / "llmdrift"
    for file, what in (
        ("PRIME_FULL_EVAL", "primes"),
        ("LEETCODE_EASY_EVAL", "code that runs"),
    ):
        for model, months in (
            ("4", ("4-0314", "4-0613")),
            ("3.5", ("3.5-turbo-0301", "3.5-turbo-0613")),
        ):
            path = str(drift / f"{file}.csv")
            kept = [{"model": f"{_GPT}{month}"} for month in months]
            yield (
                f"GPT-{model}, March to June 2023: {what}",
                path,
                path,
                Options(old_keep=kept[0], new_keep=kept[1], normalise=("case",)),
            )
    mmlu = data / "mmlu_pro_preds"
    yield (
        "Llama 3 to 3.1 (8B): MMLU-Pro",
        str(mmlu / "model_outputs_Meta-Llama-3-8B_5shots.zip"),
        str(mmlu / "model_outputs_Meta-Llama-3_1-8B_5shots.zip"),
        Options(on_mismatch="drop"),
    )
    spider = data / "spider_nl2sql_preds" / "CodeX"
    yield (
        "CodeX few-shot to DIN-SQL: Spider",
        str(spider / "CodeX_few-shot.csv"),
        str(spider / "DIN-SQL.csv"),
        Options(task="generation", task_options={"match": "sql"}, on_mismatch="drop"),
    )
    runs = data / "conll2017_runs_en"
    for name, old, new in (
        (
            "UDPipe 1.1 to 1.2: English words (LAS)",
            "conll17-baseline__2017-05-09-16-57-43",
            "UFAL-UDPipe-1-2__2017-05-15-02-00-38",
        ),
        (
            "Uppsala, 12 to 21 May: English words (LAS)",
            "Uppsala__2017-05-12-15-45-21",
            "Uppsala__2017-05-21-22-25-52",
        ),
    ):
        yield (
            name,
            str(runs / f"{old}.conllu"),
            str(runs / f"{new}.conllu"),
            Options(task="dependency", gold=runs / "gold.en-ud-test.r2.0-test.conllu"),
        )


def rows(data: Path) -> Iterator[dict[str, Any]]:
    """Yield what each rule says of each pair."""
    for name, old, new, options in pairs(data):
        aligned = align_sides(old, new, options)
        update = judged_update(aligned.panel, aligned.roles)
        table = update.table(update.levels[0])
        yield {
            "pair": name,
            "units": table.n_units,
            "clusters": table.n_clusters if table.clustered else None,
            **{cell: int(table.counts[at]) for cell, at in _CELLS.items()},
            "verdicts": {
                f"{gate.quantity} {gate.side} {gate.limit:g}": {
                    rule: decide(table, gate) for rule, decide in RULES.items()
                }
                for gate in LIMITS.values()
            },
        }
        print(name, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ["COMPAT_EVAL_DATA"])
    found = list(rows(Path(parser.parse_args().data)))
    path = Path(__file__).with_suffix(".json")
    text = json.dumps({"rows": found}, indent=1, ensure_ascii=False)
    path.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
