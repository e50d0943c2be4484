"""How well documents are predicted: perplexity, its paired ratio, bits per byte.

A row holds the nats and the tokens (or bytes) of one document, so that long documents
count by their length and a perplexity is never a mean of perplexities. Perplexities can
be compared where both models have one tokenizer; bits per byte (of the UTF-8 text)
always.
"""

import math
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.arrays import Rows, Values
from compat_eval.core.errors import DataError
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.core.rows import CodedRows
from compat_eval.core.statistic import (
    QuantileOfClusters,
    ShareOfClusters,
    Statistic,
)
from compat_eval.statistics.families.flips import ratio

_NATS, _COUNT = range(2)
_MOST_NATS = 700.0


def perplexity(totals: Rows) -> Values:
    """Return exp of nats over tokens; nan without tokens.

    Examples:
        >>> round(float(perplexity(np.array([20.0, 10.0]))), 4)
        7.3891

    """
    return _exp(ratio(totals[..., _NATS], totals[..., _COUNT]))


def perplexity_ratio(totals: Rows) -> Values:
    """Return new's perplexity over old's; below 1 new is the better.

    Columns: nats and tokens of old, nats and tokens of new. Undefined (nan) without
    tokens.

    Examples:
        >>> round(float(perplexity_ratio(np.array([20.0, 10.0, 10.0, 10.0]))), 4)
        0.3679

    """
    old, new = totals[..., :2], totals[..., 2:]
    moved = ratio(new[..., _NATS], new[..., _COUNT]) - ratio(
        old[..., _NATS], old[..., _COUNT]
    )
    return _exp(moved)


def _exp(nats: Values) -> Values:
    """Return exp; nan beyond what double precision holds."""
    return np.where(nats > _MOST_NATS, np.nan, np.exp(np.minimum(nats, _MOST_NATS)))


def bits_per_byte(totals: Rows) -> Values:
    """Return bits over bytes; nan without bytes.

    Examples:
        >>> round(float(bits_per_byte(np.array([math.log(2) * 12, 8.0]))), 4)
        1.5

    """
    return bits(ratio(totals[..., _NATS], totals[..., _COUNT]))


def bits(nats: Values) -> Values:
    """Return nats as bits."""
    return np.asarray(nats / math.log(2))


def n_bytes(examples: Examples) -> Values:
    """Return how many bytes the text of each example has in UTF-8.

    Raises:
        DataError: There are no texts.

    """
    if not examples.tells("input") or not pa.types.is_string(
        examples.column("input").type
    ):
        raise DataError(
            "bits per byte need the documents' text, and the examples have none; give "
            "a suite, or a column 'input' in old's file"
        )
    sizes = pc.binary_length(examples.column("input").cast(pa.binary()))
    return np.asarray(pc.fill_null(sizes, 0), np.float64)


def _per_token(_: Examples, answered: Predictions) -> CodedRows:
    tokens = answered.numbers("n_tokens")
    return CodedRows.plain(np.stack([answered.numbers("nll"), tokens], axis=1))


def _per_byte(asked: Examples, answered: Predictions) -> CodedRows:
    sizes = n_bytes(asked)
    nats = answered.numbers("nll")
    unknown = (sizes == 0) & (nats > 0)  # an empty document costs nothing
    return CodedRows.plain(np.stack([np.where(unknown, np.nan, nats), sizes], axis=1))


_UNKNOWN = (
    "a document has no answer, no document has tokens, or one takes over "
    f"{_MOST_NATS:g} nats"
)

PERPLEXITY = Statistic(
    name="perplexity",
    title="Perplexity",
    better="lower",
    rows=_per_token,
    value=perplexity,
    description="exp of the mean nats a token, over all tokens of all documents.",
    undefined_when=_UNKNOWN,
    needs=("nll", "n_tokens"),
    ends=(1.0, math.inf),
)

PERPLEXITY_RATIO = Statistic(
    name="perplexity_ratio",
    title="Perplexity of new over that of old",
    better="lower",
    unit="ratio",
    of="update",
    rows=_per_token,
    value=perplexity_ratio,
    description="exp of the change in mean nats a token, paired by document.",
    undefined_when=_UNKNOWN,
    needs=("nll", "n_tokens"),
    ends=(0.0, math.inf),
    of_itself=1.0,
)

WORSE_BY = 0.01
"""By which share a cluster's perplexity must rise to be counted as worse; or by how
many bits a byte."""


def _of_clusters(name: str, title: str, quantile: float, which: str) -> Statistic:
    return replace(
        PERPLEXITY_RATIO,
        name=name,
        title=title,
        description=f"Perplexity of new over that of old by cluster: {which}.",
        interval=QuantileOfClusters(quantile=quantile),
        undefined_when="no cluster has tokens in all of its documents",
    )


CLUSTER_STATISTICS = (
    _of_clusters(
        "median_cluster_ratio", "Perplexity ratio of the median cluster", 0.5, "median"
    ),
    _of_clusters(
        "worst_decile_ratio",
        "Perplexity ratio that the worst tenth of clusters exceeds",
        0.9,
        "what a tenth of them exceeds",
    ),
    _of_clusters(
        "worst_cluster_ratio", "Perplexity ratio of the worst cluster", 1.0, "the worst"
    ),
    replace(
        PERPLEXITY_RATIO,
        name="worse_clusters_share",
        title="Share of clusters that got worse",
        unit="fraction",
        description="Clusters whose perplexity rose by more than 1 %.",
        interval=ShareOfClusters(above=1 + WORSE_BY),
        ends=(0.0, 1.0),
        of_itself=0.0,
        undefined_when="no cluster has tokens in all of its documents",
    ),
)
"""What single clusters (clients, authors) see of an update, beside the pooled ratio."""

BITS_PER_BYTE = Statistic(
    name="bits_per_byte",
    title="Bits per byte",
    better="lower",
    unit="bits",
    rows=_per_byte,
    value=bits_per_byte,
    description="Bits for each byte of the documents' text in UTF-8.",
    undefined_when="a document has no answer or no text",
    needs=("nll",),
    ends=(0.0, math.inf),
)


def bits_risen(totals: Rows) -> Values:
    """Return how many bits a byte new needs more than old; nan without bytes.

    Columns: nats and bytes of old, nats and bytes of new.

    Examples:
        >>> nats = math.log(2) * np.array([12.0, 14.0])
        >>> round(float(bits_risen(np.array([nats[0], 8.0, nats[1], 8.0]))), 4)
        0.25

    """
    return np.asarray(bits_per_byte(totals[..., 2:]) - bits_per_byte(totals[..., :2]))


def _bits_of_clusters(name: str, title: str, quantile: float) -> Statistic:
    return replace(
        BITS_PER_BYTE,
        name=name,
        title=title,
        of="update",
        value=bits_risen,
        description=f"{title}: bits a byte that new needs more than old.",
        interval=QuantileOfClusters(quantile=quantile),
        undefined_when="no cluster has text in all of its documents",
        ends=(-math.inf, math.inf),
        of_itself=0.0,
    )


_MEDIAN_BITS = _bits_of_clusters(
    "median_cluster_change", "Change of the median cluster", 0.5
)
CLUSTER_BITS_STATISTICS = (
    _MEDIAN_BITS,
    _bits_of_clusters(
        "worst_decile_change", "Change that the worst tenth of clusters exceeds", 0.9
    ),
    _bits_of_clusters("worst_cluster_change", "Change of the worst cluster", 1.0),
    replace(
        _MEDIAN_BITS,
        name="worse_clusters_share",
        title="Share of clusters that got worse",
        unit="fraction",
        description=f"Clusters that need more than {WORSE_BY:g} bits a byte more.",
        interval=ShareOfClusters(above=WORSE_BY),
        ends=(0.0, 1.0),
    ),
)
"""The same in bits per byte, which two tokenizers have in common."""
