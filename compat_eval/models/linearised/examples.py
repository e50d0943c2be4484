"""Examples as a linearised top reads them: vectors or states of tokens, and labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from compat_eval.core.arrays import Bools, Ints
from compat_eval.core.errors import DataError, some
from compat_eval.core.examples import Examples
from compat_eval.core.progress import Progress
from compat_eval.models.encoders.sentences import FrozenEncoder
from compat_eval.models.linearised.classifier import read_inputs
from compat_eval.models.linearised.network import TopInputs
from compat_eval.models.training.data import texts_and_labels


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledInputs:
    """Texts as a linearised top reads them.

    Attributes:
        ids: Of the examples.
        inputs: What enters the top.
        gold: Number of each text's label, -1 for one that training does not have.
        protected: Which must not flip.

    """

    ids: Sequence[str]
    inputs: TopInputs
    gold: Ints
    protected: Bools

    def only_protected(self) -> "LabelledInputs":
        """Return those that must not flip."""
        rows = np.flatnonzero(self.protected).tolist()
        return LabelledInputs(
            ids=[self.ids[row] for row in rows],
            inputs=TopInputs([self.inputs.each[row] for row in rows]),
            gold=self.gold[rows],
            protected=self.protected[rows],
        )


def labelled(
    examples: Examples,
    labels: Sequence[str],
    layers: int,
    encoder: FrozenEncoder | None,
    progress: Progress,
) -> LabelledInputs:
    """Return examples as a linearised top reads them.

    Args:
        examples: With `input`, `gold`, `vector` where there is no encoder, and
            `protected` where some must not flip.
        labels: Names of the labels in their order.
        layers: How many of the encoder's last layers the top has.
        encoder: The whole encoder; `None` where vectors enter the top.
        progress: Follows the encoder.

    Raises:
        DataError: The encoder cannot read some.

    """
    texts, gold = texts_and_labels(examples)
    number = {label: at for at, label in enumerate(labels)}
    return LabelledInputs(
        ids=examples.ids.to_pylist(),
        inputs=_inputs(examples, texts, encoder, layers, progress),
        gold=np.array([number.get(label, -1) for label in gold], np.int64),
        protected=_protected(examples),
    )


def _inputs(
    examples: Examples,
    texts: list[str],
    encoder: FrozenEncoder | None,
    layers: int,
    progress: Progress,
) -> TopInputs:
    if encoder is None:
        flat = examples.column("vector").combine_chunks().flatten()
        return TopInputs.of_vectors(flat.to_numpy().reshape(len(examples), -1))
    progress.start("states below the layers that are trained", total=len(texts))
    items = encoder.encode(texts)
    wrong = [name for name, one in zip(examples.ids, items, strict=True) if one.error]
    if wrong:
        raise DataError(
            f"the encoder cannot read {len(wrong)} examples ({some(wrong)})"
        )
    found = read_inputs(encoder, items, layers)
    progress.advance(len(texts))
    progress.stop()
    return found


def _protected(examples: Examples) -> Bools:
    if "protected" not in examples.table.column_names:
        return np.zeros(len(examples), np.bool_)
    values = np.array(examples.column("protected").to_pylist(), np.float64)
    return np.asarray(values == 1, np.bool_)
