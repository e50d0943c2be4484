"""Evidently's classification report of two datasets; runs in its own environment.

python benchmarks/evidently_report.py old.jsonl new.jsonl page.html
"""

import sys

import pandas as pd
from evidently import DataDefinition, Dataset, MulticlassClassification, Report
from evidently.presets import ClassificationPreset


def main(old: str, new: str, page: str) -> None:
    definition = DataDefinition(
        classification=[
            MulticlassClassification(target="gold", prediction_labels="prediction")
        ],
        categorical_columns=["gold", "prediction", "domain", "channel"],
    )
    reference, current = (
        Dataset.from_pandas(pd.read_json(path, lines=True), definition)
        for path in (old, new)
    )
    Report([ClassificationPreset()]).run(current, reference).save_html(page)


if __name__ == "__main__":
    main(*sys.argv[1:])
