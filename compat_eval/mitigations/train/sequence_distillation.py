"""Sequence-level distillation: NEW is trained on OLD's answers in place of gold.

Kim and Rush, "Sequence-Level Knowledge Distillation", EMNLP 2016,
https://arxiv.org/abs/1606.07947; a baseline of Cai et al., NeurIPS 2022,
https://arxiv.org/abs/2202.02976. It needs nothing of either architecture.
"""

import pyarrow as pa

from compat_eval.core.errors import DataError, some
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.core.table import positions


def distilled(examples: Examples, answers: Predictions) -> Examples:
    """Return training examples whose gold is what OLD answered.

    Args:
        examples: What NEW would be trained on.
        answers: OLD's predictions for them, in any order.

    Raises:
        DataError: OLD did not answer all of them.

    """
    rows = positions(examples.ids, answers.ids)
    unanswered = examples.ids.filter(pa.array(rows < 0)).to_pylist()
    if unanswered:
        raise DataError(
            f"the old model has no prediction for {len(unanswered)} training examples "
            f"({some(unanswered)})"
        )
    answer = answers.column("prediction").take(pa.array(rows))
    if answer.null_count:
        ids = examples.ids.filter(answer.is_null()).to_pylist()
        raise DataError(
            f"the old model has no answer to {len(ids)} training examples ({some(ids)})"
        )
    return examples.with_column("gold", answer)
