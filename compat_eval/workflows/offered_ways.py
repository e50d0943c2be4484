"""What encoders on each other's index offer: ways to upgrade, and backfills as roles.

An index that is embedded anew in part is served as a service would: where both models
give as many numbers, NEW's query is searched among the vectors of both; elsewhere each
model's query is searched in its own part, and the two lists are merged by rank.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa

from compat_eval.comparison.index_decision.offered import (
    OfferedBackfill,
    OfferedRole,
    OfferedRoles,
)
from compat_eval.comparison.index_decision.ways import ServingCost, UpgradeAction
from compat_eval.comparison.index_matrix.roles import IndexRoles, asked_on
from compat_eval.comparison.panel import NEW, OLD, PARAGON
from compat_eval.core.arrays import Ints, Values
from compat_eval.core.errors import DataError, UsageError, some
from compat_eval.core.examples import Examples
from compat_eval.core.fingerprint import digest
from compat_eval.core.recorded import Recorded
from compat_eval.core.table import positions
from compat_eval.mitigations.embeddings.backfill import (
    far_from_class_first,
    first_of,
    popular_first,
    random_order,
)
from compat_eval.mitigations.embeddings.mixed_service import SHARES, MixedService
from compat_eval.readers.table import read_table
from compat_eval.tasks.retrieval.task import Retrieval
from compat_eval.workflows.indexed_sides import (
    EmbeddedSide,
    IndexedSides,
    SearchTask,
    as_answers,
)
from compat_eval.workflows.options import Options
from compat_eval.workflows.questions import Questions

_RANDOM, _FAR = "random", "far-from-class"
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,29}")
_BETWEEN = tuple(float(one) for one in SHARES[1:-1])
_NONE: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
_LEVEL = "ndcg"
"""The level that decides, unless a suite does not count it."""


def offered_ways(
    found: IndexedSides,
    asked: Questions,
    options: Options,
    bridges: Mapping[str, Mapping[str, Any]] = _NONE,
) -> IndexedSides:
    """Return the sides with those of backfills, and which are ways to upgrade.

    Nothing is offered where there are more versions than OLD and NEW, or a side is no
    encoder.

    Args:
        found: What was asked of the sides.
        asked: What is asked, and at which levels answers are graded.
        options: Which backfills are asked for, and what the user would accept.
        bridges: By role, the facts of mitigations that lead NEW's queries to the index.

    Raises:
        UsageError: A backfill is asked for where none can be, or in no such order.
        DataError: A file of an order lacks documents, or cannot be read.

    """
    index = found.index
    if index is None or set(index.versions) != {OLD, NEW}:
        if options.backfill:
            raise UsageError(
                "--backfill needs one OLD and one NEW that embed, and a suite with "
                "documents (corpus:)"
            )
        return found
    assert isinstance(asked.task, Retrieval), "only queries have documents"
    kept = asked_on(NEW, OLD)
    mixing = _Mixing(
        old=found.embedded[OLD],
        new=found.embedded[NEW],
        search=found.search,
        k=asked.task.k,
        by_rank=kept in index.left_out,
    )
    sides, backfills = dict(found.sides), list[OfferedBackfill]()
    for text in options.backfill:
        name, order = _order(text, found, options)
        if any(one.order == name for one in backfills):
            raise UsageError(f"--backfill {name} is given twice")
        mixed = {share: mixing.side(name, order, share) for share in _BETWEEN}
        of_shares = {share: f"{NEW}/{name} {share:g}" for share in _BETWEEN}
        sides |= {of_shares[share]: side for share, side in mixed.items()}
        backfills.append(
            OfferedBackfill(
                order=name,
                roles={0.0: OLD if mixing.by_rank else kept, **of_shares, 1.0: NEW},
                needs_old=mixing.by_rank,
                forwards=2.0 if mixing.by_rank else 1.0,
            )
        )
    return replace(
        found,
        sides=sides,
        offered=OfferedRoles(
            roles=tuple(_roles(index, bridges, len(found.search.queries))),
            backfills=tuple(backfills),
            vectors=index.n_documents,
            level=_LEVEL if _LEVEL in asked.levels else asked.levels[0],
            tolerance=options.index_tolerance(),
        ),
    )


def _roles(
    index: IndexRoles, bridges: Mapping[str, Mapping[str, Any]], n_queries: int
) -> Iterator[OfferedRole]:
    """Yield the roles that are ways to upgrade."""
    yield OfferedRole(role=OLD, action=UpgradeAction.STAY, needs_old=True)
    kept = asked_on(NEW, OLD)
    if kept not in index.left_out:
        # Beside a paragon, NEW is an encoder that was trained to fit OLD's index.
        fits = UpgradeAction.TRAIN if index.paragon else UpgradeAction.BRIDGE
        yield OfferedRole(role=kept, action=fits)
    for role, facts in bridges.items():
        cost, told = facts["cost"], facts.get("index", {})
        scored = told.get("documents_scored", 0)
        yield OfferedRole(
            role=role,
            action=_action(facts, cascades=scored > 0),
            cost=ServingCost(
                mapped=index.n_documents if told.get("maps") == "index" else 0,
                forwards=cost["old_passes"] + cost["new_passes"],
                documents=scored / n_queries,
            ),
            needs_old=cost["old_passes"] > 0,
        )
    yield OfferedRole(
        role=PARAGON if index.paragon else NEW,
        action=UpgradeAction.REINDEX,
        cost=ServingCost(vectors=index.n_documents),
    )


def _action(facts: Mapping[str, Any], *, cascades: bool) -> UpgradeAction:
    if facts["trained"]:
        return UpgradeAction.TRAIN
    return UpgradeAction.CASCADE if cascades else UpgradeAction.BRIDGE


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mixing:
    """Two generations of an index, and how they are served together.

    Attributes:
        by_rank: Whether each part has a query of its own, and lists are merged by rank.

    """

    old: EmbeddedSide
    new: EmbeddedSide
    search: SearchTask
    k: int
    by_rank: bool

    def side(self, name: str, order: Ints, share: float) -> Recorded:
        """Return what is found while a share of the index is NEW's, as a side."""
        queries = self.old if self.by_rank else self.new
        service = MixedService(
            old=self.old.documents,
            old_queries=queries.queries,
            new=self.new.documents,
            new_queries=self.new.queries,
            k=min(self.k, len(order)),
            metric=self.search.metric,
            merging="rank" if self.by_rank else "score",
            without_itself=self.search.own_corpus,
        )
        found = service.found(first_of(order, share, len(order)))
        served = int((found.neighbours.rows >= 0).sum())
        models = [self.old.fingerprint, self.new.fingerprint]
        trained_on = self.new.trained_on
        return Recorded(
            name=f"{self.new.name}, {share:.0%} of the index embedded anew ({name})",
            predictions=as_answers(self.search.queries.ids, found.neighbours),
            examples=Examples(self.search.queries.table.select(["id"])),
            fingerprint=digest([*models, name, share, order.tolist(), self.by_rank]),
            provenance={
                "kind": "search by vectors in a mixed index",
                "order": name,
                "share": share,
                "merged": "by rank, two queries" if self.by_rank else "one query",
                "served_of_new": found.new / max(1, served),
                **({"trained_on": trained_on} if trained_on else {}),
            },
        )


def _order(text: str, found: IndexedSides, options: Options) -> tuple[str, Ints]:
    """Return the name of an order, and the rows of the index in it."""
    search, name = found.search, text.partition("=")[0]
    if text == _RANDOM:
        return name, random_order(len(search.documents), seed=options.seed)
    if text == _FAR:
        if not search.judged_by_label:
            raise UsageError(
                f"--backfill {_FAR} needs documents with labels (corpus: match: label)"
            )
        labels = np.array(search.documents.column("gold").to_pylist())
        rows = np.asarray(found.embedded[OLD].documents.values, np.float64)
        return name, far_from_class_first(rows, labels)
    if "=" not in text or not _NAME.fullmatch(name):
        raise UsageError(
            f"--backfill {text}: expected {_RANDOM}, {_FAR}, or NAME=FILE with a name "
            "of small letters, digits, dots and dashes"
        )
    path = Path(text.partition("=")[2])
    return name, popular_first(_numbers(path, search.documents))


def _numbers(path: Path, documents: Examples) -> Values:
    """Return the number of each document in a file with `id` and one number."""
    table = read_table(path, reading={}, exact=("id",))
    columns = [one for one in table.column_names if one != "id"]
    if "id" not in table.column_names or len(columns) != 1:
        raise DataError(
            f"{path}: expected the columns id and one number; got "
            f"{some(table.column_names)}"
        )
    at = positions(documents.ids, table["id"].cast(pa.string()))
    if (at < 0).any():
        lacking = documents.ids.filter(pa.array(at < 0)).to_pylist()
        raise DataError(
            f"{path}: {len(lacking)} of {len(documents)} documents have no number "
            f"({some(lacking)})"
        )
    try:
        numbers = table[columns[0]].cast(pa.float64())
    except pa.ArrowInvalid as error:
        raise DataError(f"{path}: {columns[0]} is no number: {error}") from error
    return np.asarray(numbers.fill_null(np.nan), np.float64)[at]
