"""RESULTS.md of upgrades of encoders."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from experiments.embeddings.bars import bars
from experiments.embeddings.situations import SITUATIONS

Row = Mapping[str, Any]

_HEAD = """# Upgrades of encoders whose index stays

`make experiments-embeddings` makes this page and `results.json` (each seed apart, dev
and test). Label-match retrieval: every item of the test split is a query, and relevant
is what has its label; the item itself is left out by its id. `new/old` is NEW's query
in OLD's index. The paragon is NEW trained without OLD from other random weights, for
twice the epochs (as many in all as OLD and a warm start together), and fully re-
indexed; its queries in OLD's index are the row "paragon, independent". All values are
percent and means over seeds; the 95 % interval of the change against old/old and z are
of paired queries, the mean over seeds too (z above 3 in the mean is not z above 3 in
each seed: bars say which is asked). NFR is the share of queries whose first hit was
right with OLD and is wrong now. Gain is the share of the way from old/old to the
paragon; tax is the paragon less new/new. Learning rates and λ were chosen on dev with
one seed; "best by dev" takes the method with the highest new/old mAP on dev.
"""


def page(pooled: Sequence[Row], rows: Sequence[Row]) -> str:
    """Return the page.

    Args:
        pooled: Means over seeds.
        rows: Of each seed.

    """
    parts = [_HEAD, *bars(pooled, rows)]
    for name, situation in SITUATIONS.items():
        some = [row for row in pooled if row["update"] == name]
        if some:
            parts += [f"## {situation.title}\n", *_of(some)]
    run = {row["update"] for row in pooled}
    left = [one.title for name, one in SITUATIONS.items() if name not in run]
    if left:
        parts.append(f"Not run for this page: {'; '.join(left)}.\n")
    links = [row for row in pooled if row["update"] == "chain"]
    if links:
        parts += ["## A chain of four versions\n", *_chain(links)]
    return "\n".join(parts)


def _of(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the tables of an update."""
    test = [r for r in rows if r["split"] == "test" and r["queries"] == "all"]
    dev = [r for r in rows if r["split"] == "dev" and r["queries"] == "all"]
    compatible = [r for r in dev if not r["method"].startswith("paragon")]
    if compatible:
        best = max(compatible, key=lambda row: row["ap"]["new/old"])
        yield f"Best by dev: **{best['method']}**.\n"
    yield from _table(test)
    for queries, split in (
        ("new classes", "test"),
        ("old classes", "test"),
        ("all", "open"),
    ):
        some = [r for r in rows if (r["queries"], r["split"]) == (queries, split)]
        if some:
            what = "classes that nobody trained on" if split == "open" else queries
            yield f"### {what[0].upper()}{what[1:]}\n"
            yield from _table(some)
    clusters = [row for row in rows if row["queries"] == "clusters"]
    if clusters:
        yield "### Clusters by OLD's centroids of the index's classes: pairwise F1\n"
        yield "| method | seeds | OLD's items | NEW's items | half of each |"
        yield "|---|---|---|---|---|"
        for row in sorted(clusters, key=lambda row: -row["new"]):
            cells = (f"{row[k]:.1f}" for k in ("old", "new", "mixed"))
            told = f"{row['method']} | {row['n_seeds']}"
            yield f"| {told} | {' | '.join(cells)} |"
        yield ""


def _table(rows: Sequence[Row]) -> Iterator[str]:
    rows = sorted(rows, key=lambda row: -row["ap"]["new/old"])
    first = max(rows, key=lambda row: row["n_seeds"])
    yield (
        f"{first['n']:.0f} queries; over seeds old/old has top-1 "
        f"{first['top1']['old/old']:.1f}, mAP {first['ap']['old/old']:.1f}; paragon "
        f"{first['top1']['paragon']:.1f}, {first['ap']['paragon']:.1f}.\n"
    )
    yield (
        "| method | seeds | top-1 new/old | change (95 %) | z | gain | tax | "
        "mAP new/old | change (95 %) | z | gain | tax | NFR | PFR |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"
    for row in rows:
        cells = [row["method"], str(row["n_seeds"])]
        for name in ("top1", "ap"):
            of = row[name]
            cells += [
                f"{of['new/old']:.1f}",
                f"{of['change']:+.1f} ({of['low']:+.1f} to {of['high']:+.1f})",
                "" if of["z"] is None else f"{of['z']:.1f}",
                "" if of["gain"] is None else f"{100 * of['gain']:.0f}",
                f"{of['tax']:.1f}",
            ]
        cells += [f"{row['nfr']:.1f}", f"{row['pfr']:.1f}"]
        yield f"| {' | '.join(cells)} |"
    yield ""


def _chain(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the matrix of all pairs of versions."""
    names = sorted({row["index_of"] for row in rows})
    yield "Each version is trained from the one before, with BCT. Rows ask."
    yield f"| queries of | {' | '.join(names)} |"
    yield f"|---|{'---|' * len(names)}"
    cell = {(row["queries_of"], row["index_of"]): row for row in rows}
    for asks in names:
        told = []
        for asked in names:
            row = cell[asks, asked]
            told.append(f"{row['top1']['value']:.1f} ({row['ap']['value']:.1f})")
        yield f"| {asks} | {' | '.join(told)} |"
    yield ""
