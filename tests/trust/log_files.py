"""A small sound log of each tool that can be read, by file name."""

import csv
import io
import json
import zipfile
from pathlib import Path

REAL = Path(__file__).parents[1] / "fixtures/logs"
_RUN = {f"q{i}": {f"d{j}": (i + j) / 8 for j in range(3)} for i in range(4)}
_META = {"mteb_model_meta": {"model_name": "m", "revision": "r"}}
_QUESTION = {
    "question_id": 1,
    "question": "Which?",
    "options": ["a", "b"],
    "answer": "A",
    "answer_index": 0,
    "category": "law",
    "pred": "A",
    "generated_text": "The answer is (A).",
}
_OUTPUT = {"input": "Do.\n\nQ: 1\nA: 1\n\nQ: 2\nA:", "prediction": "2", "target": "2"}
_LABEL = {"label": "yes", "score": 0.75}
_DRIFT = ["", "model", "temperature", "max_tokens", "trail", "dataset", "id", "query"]


def log_files() -> dict[str, bytes]:
    """Return what such files hold."""
    made = {
        "run_predictions.json": {**_META, "default": {"test": _RUN}},
        "labels_predictions.json": {**_META, "en": {"test": [[0, 1, 1], [0, 0, 1]]}},
        "pipeline.json": [[_LABEL, {"label": "no", "score": 0.25}], [_LABEL]],
        "texts.json": [{"generated_text": "four"}, {"generated_text": "five"}],
        "logic_few_shot_0.json": {"canary": "x", "outputs": [_OUTPUT, _OUTPUT]},
        "law_result.json": [{**_QUESTION, "question_id": i} for i in range(4)],
    }
    found = {name: json.dumps(content).encode() for name, content in made.items()}
    found["model_outputs_M_5shots.zip"] = _zipped(found["law_result.json"])
    found["DIN-SQL.csv"] = _table(
        ["NLQ", "PREDICTED SQL", "GOLD SQL", "DATABASE"],
        [["How many, in all?", "SELECT 1;", "SELECT 1", "shop"]] * 4,
    )
    found["PRIME_EVAL.csv"] = _table(
        [*_DRIFT, "ref_answer", "answer"],
        [
            [i, "m", 0.1, 9, 0, "prime", i, f"Is {i}\nprime?", "yes", "x,\n[Yes]"]
            for i in range(4)
        ],
    )
    found["queries.sql"] = b"SELECT 1\tshop\nSELECT 2\tbank\n"
    for path in ("openai_evals/fuzzy_sums_old.jsonl", *_MLFLOW, _NEMO):
        found[path.replace("/", "_")] = (REAL / path).read_bytes()
    return found


_NEMO = "nemo_evaluator/old/adding_often/results.jsonl"
_MLFLOW = tuple(
    f"mlflow/old_{kind}.json" for kind in ("eval_results_table", "genai", "traces")
)


def _zipped(content: bytes) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("outputs.json"), content)
    return sink.getvalue()


def _table(header: list[str], rows: list[list[object]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([header, *rows])
    return text.getvalue().encode()
