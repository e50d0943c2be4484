"""The official UD scores as metrics."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.arrays import Bools, Rows
from compat_eval.core.examples import Examples
from compat_eval.core.metric import Metric
from compat_eval.core.predictions import Predictions
from compat_eval.core.rows import CodedRows
from compat_eval.statistics.families.parsing import f1
from compat_eval.tasks.dependency.grading import GradedWords, flat_relations
from compat_eval.tasks.dependency.table import official_counts_in
from compat_eval.tasks.dependency.ud_relations import CONTENT

_DESCRIPTIONS = {
    "tokens": "tokens",
    "sentences": "sentences",
    "words": "words",
    "upos": "universal parts of speech",
    "xpos": "language-specific parts of speech",
    "ufeats": "universal features",
    "alltags": "parts of speech and features together",
    "lemmas": "lemmas",
    "uas": "heads",
    "las": "heads and universal relations",
    "clas": "heads and relations of content words",
    "mlas": "heads and relations of content words with morphology and function words",
    "blex": "heads, relations and lemmas of content words",
}

_FROM_TREES = ("uas", "las", "clas")


def official_metrics(predictions: Predictions) -> tuple[Metric, ...]:
    """Return the F1 of each official score that these columns allow."""
    scores = _DESCRIPTIONS if "official" in predictions else _FROM_TREES
    return tuple(official_metric(score) for score in scores)


def official_metric(score: str) -> Metric:
    """Return one official score, `las` say, as the metric `official_las_f1`.

    Its rows are correct, predicted and gold units of each gold sentence.
    """

    def rows(examples: Examples, predictions: Predictions) -> CodedRows:
        if "official" in predictions:
            counts = official_counts_in(predictions.column("official"), score)
            return CodedRows.plain(counts[:, :3].astype(np.float64))
        return CodedRows.plain(_counts_of_trees(examples, predictions, score))

    return Metric(
        name=f"official_{score}_f1",
        better="higher",
        rows=rows,
        value=f1,
        description=f"Official UD score, F1 of {_DESCRIPTIONS[score]}.",
    )


def _counts_of_trees(examples: Examples, predictions: Predictions, score: str) -> Rows:
    """Count where the predicted words are the gold words."""
    words = GradedWords.of(examples, predictions, "universal")
    right = words.heads if score == "uas" else words.heads & words.relations
    gold, predicted = np.ones(len(right), np.bool_), words.answered
    if score == "clas":
        gold = _content(examples.column("gold"))
        predicted = predicted.copy()
        predicted[words.answered] = _content(predictions.column("prediction"))
    sums = np.zeros((len(right) + 1, 3))
    sums[1:] = np.cumsum(np.stack([right & gold, predicted, gold], axis=1), axis=0)
    return np.diff(sums[words.offsets], axis=0)


def _content(trees: pa.ChunkedArray) -> Bools:
    relations = flat_relations(trees.combine_chunks(), "universal")
    among = pc.is_in(relations, value_set=pa.array(sorted(CONTENT)))
    return np.asarray(among, np.bool_)
