"""Pairs of vectors that adapters are fitted on, and what they must not contain.

An adapter is fitted on texts that both models embedded, and judged on queries and an
index. A text that is in both makes the judgement too good, so the pairs keep the ids
and digests of what they hold, and every evaluation is checked against them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from compat_eval.core.arrays import Rows
from compat_eval.core.errors import DataError, some
from compat_eval.core.fingerprint import digest
from compat_eval.core.normalise import stripped
from compat_eval.vectors.space import Space
from compat_eval.vectors.vectors import Vectors, lengths


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorPairs:
    """Vectors of the same inputs by two models, row by row.

    Attributes:
        source: In the space that an adapter comes from, shape (n, d_source).
        target: In the space that it goes to, shape (n, d_target).
        source_space: Of the one.
        target_space: Of the other.
        seen: Digests of the inputs; see `content`.

    """

    source: Rows
    target: Rows
    source_space: Space
    target_space: Space
    seen: frozenset[str]

    @classmethod
    def of(
        cls, source: Vectors, target: Vectors, inputs: Mapping[str, str]
    ) -> "VectorPairs":
        """Return the pairs of two sets of vectors, aligned by id.

        Args:
            source: Vectors of one model.
            target: Those of the other, of the same ids in any order.
            inputs: What was embedded, by id.

        Raises:
            DataError: Ids differ, an id has no input, there are no pairs, vectors are
                zero or not finite, or both are of one model.

        """
        if source.space.model == target.space.model:
            raise DataError(
                f"both sides are of model {source.space.model}: an adapter leads from "
                "one model's space to another's"
            )
        ids = source.ids.to_pylist()
        apart = set(ids) ^ set(target.ids.to_pylist())
        if apart or not ids:
            raise DataError(
                f"the two models embedded different inputs: {len(apart)} ids are on "
                f"one side only ({some(sorted(apart))})"
                if apart
                else "there are no pairs to fit an adapter on"
            )
        lacking = [one for one in ids if one not in inputs]
        if lacking:
            raise DataError(
                f"{len(lacking)} pairs have no input ({some(lacking)}), so nothing "
                "shows that they are not among what is judged"
            )
        lengths(source), lengths(target)
        at = pc.index_in(source.ids, value_set=target.ids).to_numpy()
        return cls(
            source=np.asarray(source.values, np.float64),
            target=np.asarray(target.values[at], np.float64),
            source_space=source.space,
            target_space=target.space,
            seen=frozenset(content(inputs[one]) for one in ids),
        )


def content(text: str) -> str:
    """Return a digest of an input, in whatever case and with whatever blanks.

    Examples:
        >>> content("Two  words") == content("two words ")
        True

    """
    return digest(" ".join(stripped(text).casefold().split()))


def refuse_leakage(seen: frozenset[str], judged: Iterable[tuple[str, str]]) -> None:
    """Raise where an adapter was fitted on what it is judged with.

    Args:
        seen: Digests of what it was fitted on.
        judged: Ids and inputs of queries, and of documents of the index.

    Raises:
        DataError: Some were seen; the message lists their ids.

    """
    both = [one for one, text in judged if content(text) in seen]
    if both:
        raise DataError(
            f"the adapter was fitted on {len(both)} of the inputs that it is judged "
            f"with ({some(both)}); fit it on others, or leave these out"
        )
