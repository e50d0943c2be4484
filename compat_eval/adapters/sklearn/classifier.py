"""A loaded scikit-learn classifier, asked the way it answers best."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from compat_eval.adapters.labels import suite_labels
from compat_eval.core.errors import ModelError
from compat_eval.models.classifiers.answers import judged_table


@dataclass(frozen=True, slots=True, kw_only=True)
class SklearnClassifier:
    """Answers raw inputs with `predict`, and says how sure it is where it can.

    Attributes:
        features: The pipeline's steps before the last; `None` where there are none.
        final: The classifier itself.
        names: The suite's name of each of its classes.

    """

    features: Any
    final: Any
    names: Mapping[Any, str]

    @property
    def labels(self) -> tuple[str, ...]:
        """The suite's names of its classes, in their order."""
        return tuple(self.names.values())

    def predict(self, items: Sequence[Any]) -> pa.Table:
        """Answer a batch.

        Returns:
            Column `prediction`; with `predict_proba` also `score`, `margin`
            and `error`. A decision function is no probability and gives none.

        """
        if not items:
            return pa.table({"prediction": pa.array([], pa.string())})
        rows = list(items) if self.features is None else self.features.transform(items)
        answers = [self.names[answer] for answer in self.final.predict(rows).tolist()]
        if not hasattr(self.final, "predict_proba"):
            return pa.table({"prediction": pa.array(answers, pa.string())})
        probabilities = np.asarray(self.final.predict_proba(rows), np.float64)
        return judged_table(answers, probabilities, self.labels)


def classifier(
    model: Any,  # noqa: ANN401
    label_map: Mapping[str, str],
    *,
    reference: str,
) -> SklearnClassifier:
    """Wrap a fitted classifier or pipeline.

    Raises:
        ModelError: It has no `predict` or no `classes_`, or gives several labels.

    """
    classes = getattr(model, "classes_", None)
    if not hasattr(model, "predict") or classes is None:
        raise ModelError(
            f"{reference}: expected a fitted classifier with `predict` and `classes_`; "
            f"got {type(model).__name__}."
        )
    if isinstance(classes, list) or np.ndim(classes) != 1:
        raise ModelError(
            f"{reference}: gives several labels at once; only models that give each "
            "input exactly one can be compared here."
        )
    own = np.asarray(classes).tolist()
    names = suite_labels([str(c) for c in own], label_map, reference=reference)
    features, final = _split(model)
    return SklearnClassifier(
        features=features, final=final, names=dict(zip(own, names, strict=True))
    )


def _split(model: Any) -> tuple[Any, Any]:  # noqa: ANN401
    """Return features and classifier, so that features are computed once."""
    steps = getattr(model, "steps", None)
    if not steps or len(steps) == 1:
        return None, model
    return model[:-1], model[-1]
