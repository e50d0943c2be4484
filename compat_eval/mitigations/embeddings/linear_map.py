"""A linear map of vectors with means taken out, which most adapters are."""

from dataclasses import dataclass

from compat_eval.core.arrays import Rows, Values


@dataclass(frozen=True, slots=True, kw_only=True)
class CentredLinearMap:
    """(x − mean of source) · matrix + mean of target; a `VectorMap`.

    Attributes:
        matrix: Applied from the right, shape (d_source, d_target).
        source_mean: Shape (d_source,).
        target_mean: Shape (d_target,).

    """

    matrix: Rows
    source_mean: Values
    target_mean: Values

    def __call__(self, rows: Rows) -> Rows:
        """Map vectors, shape (n, d_source) to (n, d_target)."""
        moved: Rows = (rows - self.source_mean) @ self.matrix + self.target_mean
        return moved
