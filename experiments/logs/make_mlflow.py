"""Write the tables and traces of MLflow that tests read, by the tool itself.

In an environment with mlflow 3.17:
python experiments/logs/make_mlflow.py tests/fixtures/logs/mlflow
"""

import json
import os
import sys
import tempfile
from pathlib import Path

SUMS = [(f"{i} + {i}?", str(2 * i), "odd" if i % 2 else "even") for i in range(1, 7)]
WRONG = {"old": {1, 4}, "new": {2, 4}}


def told(metadata: dict[str, str]) -> dict[str, str]:
    """Return what is of the trace, without whose machine it was."""
    return {k: v for k, v in metadata.items() if k.startswith("mlflow.trace")}


def main(folder: Path, scratch: str) -> None:
    os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{scratch}/mlflow.db"
    os.chdir(scratch)
    import mlflow
    import pandas as pd
    from mlflow.genai.scorers import scorer
    from mlflow.metrics import MetricValue, make_metric

    @scorer
    def same(outputs: str, expectations: dict[str, str]) -> bool:
        return outputs == expectations["expected_response"]

    @scorer
    def brevity(outputs: str) -> float:
        return 1 / (1 + len(outputs))

    def equals(predictions: list[str], targets: list[str]) -> MetricValue:
        pairs = zip(predictions, targets, strict=True)
        return MetricValue(scores=[float(p == t) for p, t in pairs])

    equal = make_metric(eval_fn=equals, greater_is_better=True, name="equal")
    for side, wrong in WRONG.items():
        answers = [str(int(s[1]) + (i in wrong)) for i, s in enumerate(SUMS, start=1)]
        table = pd.DataFrame(SUMS, columns=["inputs", "target", "parity"])
        table["outputs"] = answers
        with mlflow.start_run() as run:
            mlflow.models.evaluate(
                data=table,
                targets="target",
                predictions="outputs",
                evaluators="default",
                extra_metrics=[equal],
            )
        artifact = "eval_results_table.json"
        found = mlflow.artifacts.download_artifacts(
            f"runs:/{run.info.run_id}/{artifact}"
        )
        (folder / f"{side}_{artifact}").write_bytes(Path(found).read_bytes())
        data = [
            {
                "inputs": {"question": question},
                "outputs": answer,
                "expectations": {"expected_response": gold},
            }
            for (question, gold, _), answer in zip(SUMS, answers, strict=True)
        ]
        with mlflow.start_run() as run:
            result = mlflow.genai.evaluate(data=data, scorers=[same, brevity])
        rows = result.result_df.drop(columns=["trace", "spans", "tags"])
        rows["trace_metadata"] = [told(one) for one in rows["trace_metadata"]]
        rows.to_json(folder / f"{side}_genai.json", orient="records")
        traces = mlflow.search_traces(run_id=run.info.run_id, return_type="list")
        texts = [json.loads(trace.to_json()) for trace in traces]
        for one in texts:
            one["info"]["tags"] = {}
            one["info"]["trace_metadata"] = told(one["info"]["trace_metadata"])
        (folder / f"{side}_traces.json").write_text(json.dumps(texts), "utf-8")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        main(Path(sys.argv[1]).absolute(), scratch)
