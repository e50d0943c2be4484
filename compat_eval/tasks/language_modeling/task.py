"""Language modelling: how many nats a model needs for documents that nobody labels.

A document is worse where new needs more for it than old, by more than epsilon. The
graded flips of documents follow MUSCLE (Echterhoff et al., Findings of EMNLP 2024,
https://arxiv.org/abs/2407.09435), with nats per token (or bits per byte) as the score.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.arrays import Values
from compat_eval.core.errors import DataError, UsageError, some
from compat_eval.core.examples import Examples
from compat_eval.core.grades import Grades, Level, chosen
from compat_eval.core.predictions import Predictions
from compat_eval.core.statistic import Statistic
from compat_eval.statistics.families.perplexity import (
    BITS_PER_BYTE,
    CLUSTER_STATISTICS,
    PERPLEXITY,
    PERPLEXITY_RATIO,
    bits,
    n_bytes,
)

_UNITS = {"token": "nats per token", "byte": "bits per byte"}
_EPSILON = 0.01


@dataclass(frozen=True, slots=True)
class LanguageModeling:
    """Nats of documents; answers are `nll`, summed over `n_tokens` tokens.

    Attributes:
        per: Whether a document's score is nats per `token` or bits per `byte` of its
            text. Only the latter can be compared between tokenizers.
        levels: The level `document`.

    """

    per: str
    levels: tuple[Level, ...]
    kind: str = "language_modeling"
    answer_columns: tuple[str, ...] = ("nll", "n_tokens")

    def grade(
        self,
        examples: Examples,
        predictions: Predictions,
        levels: Sequence[str] | None = None,
    ) -> Mapping[str, Grades]:
        """Return nats per token, or bits per byte, of each document.

        No score where there is no answer, or nothing was predicted.

        Raises:
            UsageError: There is no such level.
            DataError: Some nats are negative, or of no tokens; or there is no text to
                count bytes of.

        """
        asked = chosen(self.kind, self.levels, levels)
        nats = _nats(predictions)
        if self.per == "token":
            amount, count, what = nats, predictions.numbers("n_tokens"), "tokens"
        else:
            amount, count, what = bits(nats), n_bytes(examples), "text"
        free = (nats > 0) & (count == 0)
        if free.any():
            ids = predictions.ids.filter(pa.array(free)).to_pylist()
            raise DataError(
                f"{len(ids)} documents cost nats but have no {what} ({some(ids)}); "
                "leave them out"
            )
        return dict.fromkeys(asked, Grades.per_example(_over(amount, count)))

    def statistics(
        self, examples: Examples, predictions: Predictions
    ) -> tuple[Statistic, ...]:
        """Return perplexity, where tokens are compared, and bits per byte of texts."""
        found = [PERPLEXITY, PERPLEXITY_RATIO] if self.per == "token" else []
        if found and examples.tells("cluster"):
            found += CLUSTER_STATISTICS
        if examples.tells("input"):
            found.append(BITS_PER_BYTE)
        return tuple(found)

    def remarks(
        self, examples: Examples, old: Predictions, new: Predictions
    ) -> Iterator[str]:
        """Refuse to compare tokens of two tokenizers.

        Raises:
            DataError: The same documents have other numbers of tokens.

        """
        if self.per == "token":
            other = old.numbers("n_tokens") != new.numbers("n_tokens")
            other &= old.answered() & new.answered()
            ids = examples.ids.filter(pa.array(other)).to_pylist()
            if ids:
                raise DataError(
                    f"OLD and NEW count other tokens in {len(ids)} of {len(examples)} "
                    f"documents ({some(ids)}), so nats per token cannot be compared: "
                    "their tokenizers differ, or one cut documents short. With other "
                    "tokenizers compare bits per byte: per: byte among the task's "
                    "options"
                )
        yield from ()

    def show(self, answer: object) -> str:
        """Return a document as it is; nothing for no answer."""
        return "" if answer is None else str(answer)


def language_modeling(
    *, per: str = "token", epsilon: float | str = _EPSILON
) -> LanguageModeling:
    """Return the task.

    Args:
        per: `token` for nats per token, `byte` for bits per byte.
        epsilon: Documents whose scores differ by no more are the same.

    Raises:
        UsageError: An option has no such value.

    """
    if per not in _UNITS:
        raise UsageError(
            f"language_modeling: per must be {' or '.join(_UNITS)}, got {per!r}"
        )
    try:
        moves = float(epsilon)
    except (TypeError, ValueError):
        moves = np.nan
    if not (0 <= moves < np.inf):
        raise UsageError(
            f"language_modeling: epsilon must be a number from 0, got {epsilon!r}"
        )
    level = Level(
        "document",
        "document",
        "documents",
        example="document",
        examples="documents",
        scale="score",
        title="Documents",
        score_unit=_UNITS[per],
        better="lower",
        epsilon=moves,
        needs_gold=False,
    )
    return LanguageModeling(per=per, levels=(level,))


def _nats(predictions: Predictions) -> Values:
    nats = predictions.numbers("nll")
    if (nats < 0).any():
        ids = predictions.ids.filter(pc.less(predictions.column("nll"), 0.0))
        raise DataError(
            f"nll is below 0 for {len(ids)} documents ({some(ids.to_pylist())}); it is "
            "minus the log-likelihood in nats, summed over the document's tokens"
        )
    return nats


def _over(amount: Values, count: Values) -> Values:
    found: Values = np.full(len(amount), np.nan)
    np.divide(amount, count, out=found, where=count > 0)
    return found
