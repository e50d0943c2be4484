"""Is the decision on an index right? Half of the queries decide, the others judge.

    python -m experiments.embeddings.decisions [NAME …]

Upgrades of encoders that are made here, each with every way to go about it: staying,
adapters and mixed query vectors, a compatible head, a cascade, backfills in four
orders, a full re-index. The shipped rule takes one on a random half of the queries, ten
times; the other half says how far below the best of all ways that is (regret), and
which claims it refutes.
Vectors and measures are kept below COMPAT_EVAL_WORK and not made again. Writes
`decisions.json` and `DECISIONS.md` beside this file.
"""

import argparse
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from compat_eval.comparison.index_decision.rule import decide_upgrade
from compat_eval.comparison.index_decision.ways import (
    UpgradeAction,
    UpgradeTolerance,
    UpgradeWay,
)
from compat_eval.core.arrays import Values
from compat_eval.statistics.paired_queries import paired_difference
from experiments.embeddings.decision_corpora import CORPORA
from experiments.embeddings.decision_encoders import WORK
from experiments.embeddings.decision_page import page
from experiments.embeddings.decision_ways import Measured, measured, on

HERE = Path(__file__).parent
SPLITS = 10
ALPHA = 0.05

UPGRADES: Mapping[str, tuple[str, str, str]] = {
    "clinc150 lsa-64 → minilm": ("clinc150", "lsa-64", "minilm"),
    "clinc150 lsa-256 → minilm": ("clinc150", "lsa-256", "minilm"),
    "clinc150 lsa-64 → lsa-256": ("clinc150", "lsa-64", "lsa-256"),
    "clinc150 minilm → lda": ("clinc150", "minilm", "lda"),
    "clinc150 lda-half → lda": ("clinc150", "lda-half", "lda"),
    "clinc150 minilm → pca-64": ("clinc150", "minilm", "pca-64"),
    "hwu64 lsa-64 → minilm": ("hwu64", "lsa-64", "minilm"),
    "hwu64 lsa-256 → minilm": ("hwu64", "lsa-256", "minilm"),
    "hwu64 lsa-64 → lsa-256": ("hwu64", "lsa-64", "lsa-256"),
    "hwu64 minilm → lda": ("hwu64", "minilm", "lda"),
    "hwu64 pca-64 → minilm": ("hwu64", "pca-64", "minilm"),
    "cranfield lsa-100 → minilm": ("cranfield", "lsa-100", "minilm"),
    "cranfield lsa-300 → minilm": ("cranfield", "lsa-300", "minilm"),
    "cranfield lsa-100 → lsa-300": ("cranfield", "lsa-100", "lsa-300"),
    "cranfield minilm → lsa-300": ("cranfield", "minilm", "lsa-300"),
}


def main() -> None:
    """Decide the upgrades that the command line names, or all, and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name in options.names or UPGRADES:
        if name not in UPGRADES:
            parser.error(f"no upgrade {name}; there are {', '.join(UPGRADES)}")
        kept = WORK / "decisions" / f"{name}.json"
        if not kept.is_file():
            row = json.dumps(row_of(name), indent=1)
            kept.write_text(row, "utf-8")
        print(name, flush=True)
        write()


def row_of(name: str) -> dict[str, Any]:
    """Return what all queries say, and every decision on a half of them."""
    kept = WORK / "decisions" / f"{name}.npz"
    if not kept.is_file():
        corpus, old, new = UPGRADES[name]
        measured(CORPORA[corpus](), old, new).keep(kept)
    found = Measured.kept(kept)
    n = len(found.ways[0].values)
    whole = decide_upgrade(found.ways, found.backfills, alpha=ALPHA)
    return {
        "upgrade": name,
        "n_queries": n,
        "means": {one.role: float(one.values.mean()) for one in found.ways},
        "backfills": {
            one.order: {
                "shares": one.curve.shares.tolist(),
                "means": one.curve.means.tolist(),
                "area": one.curve.area,
                "worst": one.curve.worst,
            }
            for one in found.backfills
        },
        "on_all_queries": whole.to_dict(),
        "halves": [
            {"offer": offer, **half(ways, n, split)}
            for offer, ways in _offers(found).items()
            for split in range(SPLITS)
        ],
    }


def _offers(found: Measured) -> dict[str, Measured]:
    """Return all ways, and all but a training, for which one needs labels."""
    untrained = [one for one in found.ways if one.action is not UpgradeAction.TRAIN]
    if len(untrained) == len(found.ways):
        return {"all": found}
    return {"all": found, "no training": replace(found, ways=untrained)}


def half(found: Measured, n: int, split: int) -> dict[str, Any]:
    """Decide on a half of the queries, and let the other half judge."""
    order = np.random.default_rng(split).permutation(n)
    decided = decide_upgrade(
        *_parts(on(found, order[: n // 2])), alpha=ALPHA, seed=split
    )
    rest = on(found, order[n // 2 :])
    offered = {one.role: one for one in _every(rest)}
    means = {role: float(one.values.mean()) for role, one in offered.items()}
    best = max(means.values())
    role = decided.role or "old/old"
    accepted = [one.role for one in decided.ways if one.acceptable]
    refuted = [one for one in accepted if _refuted(offered, one, decided.tolerance)]
    return {
        "verdict": decided.verdict,
        "role": decided.role,
        "regret": best - means[role],
        "regret_of_staying": best - means["old/old"],
        "regret_of_re_indexing": best - means["new/new"],
        "accepted": accepted,
        "refuted": refuted,
        "vectors": decided.taken.cost.vectors if decided.taken else 0,
    }


def _refuted(
    offered: Mapping[str, UpgradeWay], role: str, tolerance: UpgradeTolerance
) -> bool:
    """Whether fresh queries show that a way is not acceptable."""
    way = offered[role]

    def shows(over: str, below: float) -> bool:
        values = offered[over].values
        if over == role or np.array_equal(values, way.values):
            return False
        gain = paired_difference(values, way.values, right=False)
        return gain.p_above(-below) <= ALPHA

    worse = role != "old/old" and shows("old/old", tolerance.below_old)
    return worse or shows("new/new", tolerance.below_reindex)


def _parts(found: Measured) -> tuple[Any, Any]:
    return found.ways, found.backfills


def _every(found: Measured) -> list[UpgradeWay]:
    """Return all ways; shares of a backfill between none and all."""
    shares = [way for one in found.backfills for way in one.ways()]
    return [*found.ways, *(one for one in shares if 0 < one.share < 1)]


def write() -> None:
    """Write what is there."""
    files = [WORK / "decisions" / f"{name}.json" for name in UPGRADES]
    rows = [json.loads(one.read_text("utf-8")) for one in files if one.is_file()]
    content = {"pooled": pooled(rows), "upgrades": rows}
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    (HERE / "decisions.json").write_text(text, "utf-8")
    (HERE / "DECISIONS.md").write_text(page(content), "utf-8")


def pooled(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return regret and refuted claims over upgrades, which are resampled whole."""
    halves = [one for row in rows for one in row["halves"]]
    claims = sum(len(one["accepted"]) for one in halves)
    refuted = [float(bool(one["refuted"])) for one in halves]
    policies = ("regret", "regret_of_staying", "regret_of_re_indexing")
    return {
        "n_upgrades": len(rows),
        "n_decisions": len(halves),
        "verdicts": dict(sorted(Counter(one["verdict"] for one in halves).items())),
        **{name: _mean(rows, name) for name in policies},
        "claims": claims,
        "claims_refuted": sum(len(one["refuted"]) for one in halves),
        "decisions_refuted": float(np.mean(refuted)) if refuted else None,
        "refuted_by_upgrade": {
            row["upgrade"]: sum(bool(one["refuted"]) for one in row["halves"])
            for row in rows
        },
    }


def _mean(rows: Sequence[Mapping[str, Any]], name: str) -> dict[str, float]:
    values: Values = np.array(
        [np.mean([one[name] for one in row["halves"]]) for row in rows]
    )
    rng = np.random.default_rng(0)
    drawn = values[rng.integers(len(values), size=(9999, len(values)))].mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {
        "mean": float(values.mean()),
        "low": float(low),
        "high": float(high),
        "worst_upgrade": float(values.max()),
    }


if __name__ == "__main__":
    main()
