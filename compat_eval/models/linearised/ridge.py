"""The closed form: a head on fixed features under the rescaled squared loss.

The outputs are linear in the head, one column of it for each label, and the columns
do not touch: with rows x of features (a 1 behind them for the bias) each solves

    A_k·(d_k − c_k) = Xᵀ·W_k·(y_k − X·c_k),   A_k = XᵀW_kX + λI,

where W_k holds α for the examples of label k and 1 for all others. A_k differs from
XᵀX + λI by as many rows as label k has examples, so one factor serves all of them.
Leaving example i out changes d_k by −A_k⁻¹·x_i·w·r/(1 − w·h), r its residual and
h = x_iᵀA_k⁻¹x_i: r/(1 − w·h) is its residual without itself (Allen's PRESS, 1974;
Cook and Weisberg, "Residuals and Influence in Regression", 1982).
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from compat_eval.core.arrays import Ints, Values
from compat_eval.core.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class RidgeHead:
    """The head of lowest loss for given examples.

    Attributes:
        rows: Features X with a last column of ones, shape (n_examples, n_features + 1).
        gold: Number of each example's label, shape (n_examples,).
        n_labels: How many labels there are.
        ridge: λ, above 0.
        weight: α, of the right label.
        target: κ, the output wanted of it.
        centre: c, the head to which the ridge pulls, shape (n_features + 1, n_labels);
            `None` for 0.

    """

    rows: Values
    gold: Ints
    n_labels: int
    ridge: float
    weight: float = 1.0
    target: float = 1.0
    centre: Values | None = None
    _factor: tuple[Any, bool] = field(init=False, repr=False)
    _of_label: tuple[Values, ...] = field(init=False, repr=False)
    _corrections: dict[int, tuple[Values, Values]] = field(
        init=False, repr=False, default_factory=dict
    )
    _reaches: dict[str, Values] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Factor XᵀX + λI.

        Raises:
            DataError: A feature is not finite, or the ridge is too small for them.

        """
        if not np.isfinite(self.rows).all():
            raise DataError("features of the training examples are not finite")
        moments: Values = self.rows.T @ self.rows
        moments[np.diag_indices_from(moments)] += self.ridge
        try:
            factor: Any = cho_factor(moments, lower=True)
        except np.linalg.LinAlgError as error:
            raise DataError(
                f"ridge {self.ridge:g} is too small for these features; take a larger"
            ) from error
        object.__setattr__(self, "_factor", factor)
        rows = tuple(self.rows[self.gold == k] for k in range(self.n_labels))
        object.__setattr__(self, "_of_label", rows)

    def inverse(self, label: int, vectors: Values) -> Values:
        """Return A_k⁻¹ times vectors in columns, shape (n_features + 1, n_vectors)."""
        plain: Values = cho_solve(self._factor, vectors)
        own = self._of_label[label]
        if self.weight == 1 or not len(own):
            return plain
        spread, inner = self._correction(label)
        return plain - spread @ (inner @ (own @ plain))

    def _correction(self, label: int) -> tuple[Values, Values]:
        """Return S and M, so that A_k⁻¹ = A⁻¹ − S·M·Sᵀ (Woodbury)."""
        if label not in self._corrections:
            own = self._of_label[label]
            spread: Values = cho_solve(self._factor, own.T)
            inner = np.eye(len(own)) / (self.weight - 1) + own @ spread
            self._corrections[label] = (
                spread,
                np.asarray(np.linalg.inv(inner), np.float64),
            )
        return self._corrections[label]

    def solution(self) -> Values:
        """Return the head, shape (n_features + 1, n_labels)."""
        columns = []
        for label, own in enumerate(self._of_label):
            wanted = self.weight * self.target * own.sum(axis=0)
            if self.centre is not None:
                # λ·c stands for the pull; A_k·d = XᵀWy + λ·c.
                wanted = wanted + self.ridge * self.centre[:, label]
            columns.append(self.inverse(label, wanted[:, None])[:, 0])
        return np.stack(columns, axis=1)

    def weights(self, label: int) -> Values:
        """Return the diagonal of W_k, shape (n_examples,)."""
        return np.where(self.gold == label, self.weight, 1.0)

    def without_each(self, label: int, head: Values) -> Values:
        """Return each example's output for a label by a head that never saw it.

        Shape (n_examples,).

        Args:
            label: Number of the label.
            head: The solution.

        """
        targets = np.where(self.gold == label, self.target, 0.0)
        return targets - self._residuals_without_each(label, head)

    def accuracy_without_each(self, head: Values) -> float:
        """Return the share that is right by heads that never saw the example.

        This is leave-one-out accuracy, from the one solution.
        """
        outputs = [self.without_each(k, head) for k in range(self.n_labels)]
        return float((np.argmax(outputs, axis=0) == self.gold).mean())

    def influence(self, row: Values, label: int, head: Values) -> Values:
        """Return what each example adds to a label's output at other features.

        It is the output with all examples, less that of the head without this one;
        shape (n_examples,).

        Args:
            row: Features with a 1 behind them, shape (n_features + 1,).
            label: Number of the label.
            head: The solution.

        """
        reached = self.rows @ self.inverse(label, row[:, None])[:, 0]
        missing = self._residuals_without_each(label, head)
        return np.asarray(reached * self.weights(label) * missing)

    def _residuals_without_each(self, label: int, head: Values) -> Values:
        targets = np.where(self.gold == label, self.target, 0.0)
        residuals = targets - self.rows @ head[:, label]
        leverage = self.weights(label) * self._reach(label)
        return np.asarray(residuals / (1.0 - leverage))

    def _reach(self, label: int) -> Values:
        """Return xᵀA_k⁻¹x of each example, shape (n_examples,)."""
        if "plain" not in self._reaches:
            whole: Values = cho_solve(self._factor, self.rows.T)
            self._reaches["plain"] = np.einsum("np,pn->n", self.rows, whole)
        own = self._of_label[label]
        if self.weight == 1 or not len(own):
            return self._reaches["plain"]
        spread, inner = self._correction(label)
        across = self.rows @ spread
        fewer = np.einsum("nm,nm->n", across @ inner, across)
        return np.asarray(self._reaches["plain"] - fewer)
