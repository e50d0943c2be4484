"""HETEROGENEOUS.md: small encoders of queries on a large encoder's index."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from experiments.embeddings.heterogeneous_models import COMMAND, SEEDS, SETTINGS
from experiments.embeddings.measures import mean_of

Row = Mapping[str, Any]

_CHEAPER = 5.0
_ABOVE_SMALL = 2.5
_REWARDS = ("homogeneous", "heterogeneous", "product")

_HEAD = """# Small queries, a large index

`make experiments-embeddings` makes this page and `heterogeneous.json`. The index is a
large encoder's; queries are asked by one with a fraction of its operations, after
Duggal et al., "Compatibility-aware Heterogeneous Visual Search", CVPR 2021
(https://arxiv.org/abs/2105.06047). The small one learns through the large one's
classifier and towards its vectors (`--mitigate {command}`). Label-match retrieval as in
[RESULTS.md](RESULTS.md); all values are percent, intervals are of 95 % and paired by
query. *Paragon* is the large encoder on both sides. *Independent* is the small
architecture trained alone, *compatible* the small encoder of the queries on an index of
its own: which of the two small/small is the reference can decide whether a small query
on the large index is worth it, so both are shown.
"""


def told(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return what heterogeneous.json holds: bars, means and each seed.

    Args:
        rows: By setting and step.

    """
    return {
        "bars": [bar for name in SETTINGS if name in rows for bar in _bars(name, rows)],
        "settings": {name: _setting(rows[name]) for name in SETTINGS if name in rows},
    }


def _setting(steps: Mapping[str, Any]) -> dict[str, Any]:
    core = [row for seed in SEEDS for row in steps.get(f"core-{seed}", ())]
    found = [row for seed in SEEDS for row in steps.get(f"found-{seed}", ())]
    others = [
        row for step, some in steps.items() if step.startswith("other-") for row in some
    ]
    without = ("differences",)
    return {
        "core": core,
        "search": steps.get("search"),
        "found": [_but(row, without) for row in found],
        "found against plain": _pooled(found),
        "others": [_but(row, without) for row in others],
    }


def _but(row: Row, names: Sequence[str]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def _pooled(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the found architecture less the plain one, each query's mean over seeds.

    Queries are drawn, seeds are given: the interval is of queries.
    """
    test = [row for row in rows if row["split"] == "test"]
    pooled: dict[str, Any] = {"seeds": [row["seed"] for row in test]}
    for name in ("top1", "ap") if test else ():
        each = np.array([row["differences"][name] for row in test])
        mean = each.mean(axis=0)
        error = 1.96 * float(mean.std(ddof=1)) / np.sqrt(len(mean))
        pooled[name] = {
            "change": round(100 * float(mean.mean()), 3),
            "low": round(100 * (float(mean.mean()) - error), 3),
            "high": round(100 * (float(mean.mean()) + error), 3),
            "each seed": [round(100 * float(one.mean()), 3) for one in each],
        }
    return pooled


def _bars(name: str, rows: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    of, setting = SETTINGS[name], _setting(rows[name])
    core = [row for row in setting["core"] if row["split"] == "test"]
    if not core:
        return
    mean, n = mean_of(core), len(core)
    large, small = mean["costs"]["large"], mean["costs"]["small"]
    flops = large["flops"] / small["flops"]
    alone = large["milliseconds"] / small["milliseconds"]
    batch = large["milliseconds_together"] / small["milliseconds_together"]
    yield {
        "what": f"{of.title}: cost of a query",
        "asked": f"≥ {_CHEAPER:g} × cheaper, operations and measured",
        "measured": (
            f"operations {flops:.1f} ×; time in batches of 64 {batch:.1f} ×, "
            f"one at a time {alone:.1f} ×"
        ),
        "holds": min(flops, batch, alone) >= _CHEAPER,
        "seeds": n,
    }
    top1, ap = (-mean["against"]["large/large"][m]["change"] for m in ("top1", "ap"))
    yield {
        "what": f"{of.title}: small/large below the paragon",
        "asked": f"top-1 ≤ {of.bars[0]:g}, mAP ≤ {of.bars[1]:g} points",
        "measured": f"{top1:.1f}, {ap:.1f}",
        "holds": top1 <= of.bars[0] and ap <= of.bars[1],
        "seeds": n,
    }
    above = mean["against"]["independent small/small"]["ap"]["change"]
    yield {
        "what": f"{of.title}: small/large above independent small/small",
        "asked": f"mAP ≥ +{_ABOVE_SMALL:g}" if name == "images" else "shown",
        "measured": f"{above:+.1f}",
        "holds": above >= _ABOVE_SMALL if name == "images" else None,
        "seeds": n,
    }


def page(summary: Mapping[str, Any]) -> str:
    """Return the page."""
    parts = [_HEAD.format(command=COMMAND), "## Bars\n"]
    parts += ["| what | asked | measured | holds |", "|---|---|---|---|"]
    for bar in summary["bars"]:
        said = "–" if bar["holds"] is None else "yes" if bar["holds"] else "**no**"
        if bar["seeds"] < len(SEEDS):
            said += f", not yet of {len(SEEDS)} seeds"
        seeds = f"{bar['seeds']} seed{'s' if bar['seeds'] > 1 else ''}"
        parts.append(
            f"| {bar['what']} | {bar['asked']} | {bar['measured']} ({seeds}) | {said} |"
        )
    parts.append("")
    for name, setting in summary["settings"].items():
        parts += [f"## {SETTINGS[name].title}\n", *_cells(setting["core"])]
        parts += _costs(setting["core"])
        if setting["search"]:
            parts += _search(setting)
        if setting["others"]:
            parts += _spread(setting)
    return "\n".join([*parts, ""])


def _cells(core: Sequence[Row]) -> Iterator[str]:
    test = [row for row in core if row["split"] == "test"]
    if not test:
        return
    mean = mean_of(list(test))
    yield f"Means over {len(test)} seeds, {mean['n']:.0f} queries each.\n"
    yield "| queries / index | top-1 | mAP | small/large against it: top-1 | mAP |"
    yield "|---|---|---|---|---|"
    for cell, values in mean["cells"].items():
        apart = mean["against"].get(cell)
        told = ["", ""] if apart is None else [_interval(apart[m]) for m in _MEASURES]
        yield (
            f"| {cell} | {values['top1']:.1f} | {values['ap']:.1f} | "
            f"{' | '.join(told)} |"
        )
    yield ""


_MEASURES = ("top1", "ap")


def _costs(core: Sequence[Row]) -> Iterator[str]:
    if not core:
        return
    costs = mean_of([row for row in core if row["split"] == "test"])["costs"]
    yield "| encoder | million operations | ms a query, alone | ms in batches of 64 |"
    yield "|---|---|---|---|"
    for which, one in costs.items():
        yield (
            f"| {which} | {one['flops'] / 1e6:.2f} | {one['milliseconds']:.3f} | "
            f"{one['milliseconds_together']:.4f} |"
        )
    yield ""


def _search(setting: Mapping[str, Any]) -> Iterator[str]:
    search = setting["search"]
    yield "### What the search found\n"
    yield (
        f"{len(search['tried'])} architectures with at most "
        f"{search['budget'] / 1e6:.2f} million operations were judged on dev with the "
        "weights of one super-network (seed 1).\n"
    )
    yield "| reward | found | million operations | M(q, q) | M(q, g) |"
    yield "|---|---|---|---|---|"
    tried = {str(one["sizes"]): one for one in search["tried"]}
    for reward, sizes in search["found"].items():
        yield _tried_row(reward, tried[str(sizes)])
    yield _tried_row("(plain)", search["plain"])
    yield ""
    values = {name: [one[name] for one in tried.values()] for name in _REWARDS}
    ranks = [
        f"{one} and {other} {_rho(values[one], values[other]):.2f}"
        for one, other in combinations(_REWARDS, 2)
    ]
    yield f"Rank correlations of the rewards over all tried: {'; '.join(ranks)}.\n"
    pooled = setting["found against plain"]
    if pooled.get("seeds"):
        n = len(pooled["seeds"])
        yield (
            "Trained from random weights, what the product found is "
            f"{_interval(pooled['top1'])} points of top-1 and "
            f"{_interval(pooled['ap'])} of mAP above the plain small encoder "
            f"({n} seed{'s' if n > 1 else ''}, test; the interval is of queries).\n"
        )


def _tried_row(reward: str, one: Row) -> str:
    return (
        f"| {reward} | {one['name']} | {one['flops'] / 1e6:.2f} | "
        f"{100 * one['homogeneous']:.1f} | {100 * one['heterogeneous']:.1f} |"
    )


def _spread(setting: Mapping[str, Any]) -> Iterator[str]:
    """Say how far architectures and seeds spread, and whether rewards foresee it."""
    plain = [row for row in setting["core"] if row["split"] == "test"]
    others = [row for row in setting["others"] if row["split"] == "test"]
    yield "### Architectures of about equal operations, each trained (test)\n"
    yield "| sizes | small/large top-1 | mAP | small/small mAP |"
    yield "|---|---|---|---|"
    rows = [(str(row["sizes"]), row["cells"]) for row in others]
    rows.insert(0, ("plain, seed 1", plain[0]["cells"]))
    for name, cells in rows:
        own = cells["compatible small/small"]["ap"]
        asked = cells["small/large"]
        yield f"| {name} | {asked['top1']:.1f} | {asked['ap']:.1f} | {own:.1f} |"
    yield ""
    asked = [cells["small/large"]["ap"] for _, cells in rows]
    own = [cells["compatible small/small"]["ap"] for _, cells in rows]
    below = [-row["against"]["large/large"]["ap"]["change"] for row in plain]
    if len(asked) > 2 and len(below) > 1:  # noqa: PLR2004
        yield (
            f"Standard deviation of mAP between architectures "
            f"{np.std(asked, ddof=1):.2f}, between random seeds of the plain one "
            f"{np.std(below, ddof=1):.2f} (of the distance to each seed's paragon). "
            f"Small/small and small/large of trained ones rank alike by "
            f"{_rho(own, asked):.2f}."
        )
    search = setting["search"]
    if search and len(search["others"]) + 1 == len(asked):
        judged = [search["plain"], *search["others"]]
        told = ", ".join(
            f"{reward} {_rho([one[reward] for one in judged], asked):.2f}"
            for reward in _REWARDS
        )
        yield (
            "Rank correlation of the super-network's rewards on dev with small/large "
            f"of trained ones on test, {len(asked)} architectures: {told}."
        )
    yield ""


def _rho(one: Sequence[float], other: Sequence[float]) -> float:
    """Return Spearman's rank correlation; ties are broken by order."""
    ranks = [np.argsort(np.argsort(values)) for values in (one, other)]
    return float(np.corrcoef(*ranks)[0, 1])


def _interval(one: Row) -> str:
    return f"{one['change']:+.1f} ({one['low']:+.1f} to {one['high']:+.1f})"
