"""Decisions by a threshold of scores, from rankings that hold all that reaches it.

Only where labels say which items match. Verification looks at every pair of a query
and a document; a threshold is known as far as no document that the rankings cut off
could reach it. Open-set identification asks each query twice: with its label in the
index, and as if that were not there, where the best of the other documents is what is
let in by mistake. See `statistics.families.thresholds` for the sources.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from compat_eval.comparison.index_matrix.ranked import RankedScores, relevant_ones
from compat_eval.comparison.index_matrix.result import Verification
from compat_eval.comparison.index_matrix.roles import IndexRoles
from compat_eval.comparison.panel import Panel
from compat_eval.core.arrays import Bools, Ints, Values
from compat_eval.core.estimate import Estimate, undefined
from compat_eval.core.rows import CodedRows
from compat_eval.core.statistic import Statistic
from compat_eval.statistics.evidence import evidence
from compat_eval.statistics.families.flips import ratio
from compat_eval.statistics.families.thresholds import most_within, threshold_at
from compat_eval.statistics.paired_rows import PairedRows

_FARS = (1e-3, 1e-2)
_FPIRS = (1e-2, 1e-1)

_ACCEPTED = Statistic(
    name="accepted",
    value=lambda rows: ratio(rows[..., 0], rows[..., 1]),
    better="higher",
    description="Share that reaches the threshold.",
    ends=(0.0, 1.0),
    undefined_when="nothing matches",
)

_TOO_SHORT = "the rankings are too short to know all that reach the threshold; raise "
_TOO_SHORT += "the task's depth"


def verified(
    panel: Panel, roles: IndexRoles, bridges: Sequence[str] = (), *, confidence: float
) -> Iterator[Verification]:
    """Yield both protocols of every cell at every rate; nothing without labels."""
    if not roles.judged_by_label:
        return
    every = {r: _Scores.of(panel, roles, r) for r in (*roles.roles(), *bridges)}
    first = every[roles.versions[0]]
    for protocol, rates in (("verification", _FARS), ("open-set", _FPIRS)):
        for rate in rates:
            kept = first.threshold(protocol, rate)
            for role, scores in every.items():
                own = scores.threshold(protocol, rate)

                def share(
                    at: float,
                    *,
                    scores: "_Scores" = scores,
                    named: tuple[str, str] = (protocol, role),
                ) -> Estimate:
                    return scores.accepted(
                        named[0], at, panel, key=named[1], confidence=confidence
                    )

                yield Verification(
                    role=role,
                    protocol=protocol,
                    rate=rate,
                    threshold=own,
                    accepted=share(own),
                    at_old=share(kept),
                    false_at_old=scores.false(protocol, kept),
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scores:
    """What one cell's rankings tell.

    Attributes:
        ranked: Scores of all queries' documents.
        relevant: Which of these match, shape (n_ranked,).
        n_relevant: How many of the index match each query, shape (n_queries,).
        n_others: How many do not, likewise.
        floor: Nothing above this score is cut off.

    """

    ranked: RankedScores
    relevant: Bools
    n_relevant: Ints
    n_others: Ints
    floor: float

    @classmethod
    def of(cls, panel: Panel, roles: IndexRoles, role: str) -> "_Scores":
        ranked = RankedScores.of(panel, role)
        relevant, n_relevant = relevant_ones(panel, role)
        whole = roles.n_documents - int(roles.own_corpus)
        sizes = ranked.sizes()
        cut = (sizes < whole) & (sizes > 0)
        last = ranked.scores[ranked.offsets[1:][cut] - 1]
        return cls(
            ranked=ranked,
            relevant=relevant,
            n_relevant=n_relevant,
            n_others=whole - n_relevant,
            floor=float(last.max(initial=-np.inf)),
        )

    def threshold(self, protocol: str, rate: float) -> float:
        """Return the lowest threshold at a false rate; nan where it is not known."""
        if protocol == "open-set":
            strangers = self._strangers()
            known = np.isfinite(strangers).all()
            return threshold_at(strangers, rate) if known else np.nan
        seen = np.sort(self.ranked.scores[~self.relevant])[::-1]
        let_in = most_within(rate, int(self.n_others.sum()))
        if let_in >= len(seen) or seen[let_in] < self.floor:
            return np.nan
        return float(np.nextafter(seen[let_in], np.inf))

    def false(self, protocol: str, threshold: float) -> float:
        """Return FAR or FPIR at a threshold; nan where it is not known."""
        if protocol == "open-set":
            strangers = self._strangers()
            known = np.isfinite(strangers).all() and np.isfinite(threshold)
            return float(np.mean(strangers >= threshold)) if known else np.nan
        if not threshold > self.floor:
            return np.nan
        reached = self.ranked.scores[~self.relevant] >= threshold
        return float(np.count_nonzero(reached) / self.n_others.sum())

    def accepted(
        self,
        protocol: str,
        threshold: float,
        panel: Panel,
        *,
        key: str,
        confidence: float,
    ) -> Estimate:
        """Return TAR or TPIR at a threshold that is taken as it is."""
        ours = self.ranked.scores >= threshold
        if np.isnan(threshold) or (
            protocol == "verification" and not threshold > self.floor
        ):
            return undefined(_TOO_SHORT, confidence=confidence, method="")
        if protocol == "open-set":
            firsts = self.ranked.offsets[:-1]
            found = self.ranked.sizes() > 0
            hits = np.zeros(len(firsts))
            at = firsts[found]
            hits[found] = self.relevant[at] & ours[at]
            rows = np.stack([hits, np.ones(len(hits))], axis=1)
        else:
            chosen = self.ranked.owners()[self.relevant & ours]
            hits = np.bincount(chosen, minlength=len(self.n_relevant)).astype(float)
            rows = np.stack([hits, self.n_relevant.astype(float)], axis=1)
        coded = CodedRows.plain(rows)
        sums = PairedRows(
            old=coded,
            new=coded,
            clusters=panel.examples.clusters(),
            seed=panel.seed,
            key=(panel.name, protocol, key),
        )
        return evidence(sums, _ACCEPTED.of_new()).estimate(confidence)

    def _strangers(self) -> Values:
        """Return the best score of each query among what it does not match.

        nan where all that is ranked matches, and more was cut off.
        """
        first = self.ranked.first(~self.relevant)
        scores = np.where(first >= 0, self.ranked.scores[np.maximum(first, 0)], np.nan)
        return np.where(self.n_others > 0, scores, -np.inf) if len(scores) else scores
