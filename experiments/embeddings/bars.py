"""What was asked of the upgrades, and whether it holds."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from experiments.embeddings.situations import SEEDS

Row = Mapping[str, Any]

_PARAGON = "paragon, independent"
_WARM, _BCT, _BOTH = "warm start", "BCT, centroids", "warm start + BCT"
_MEAN = f"{_BOTH}, OLD's query averaged in"


def bars(pooled: Sequence[Row], rows: Sequence[Row]) -> Iterator[str]:
    """Yield the table of bars.

    Args:
        pooled: Means over seeds.
        rows: Of each seed.

    """
    yield "## Bars\n"
    yield "| what | asked | measured | holds |"
    yield "|---|---|---|---|"
    for what, asked, measured, holds in _all(pooled, rows):
        said = "not run" if holds is None else "yes" if holds else "**no**"
        if holds is not None and f"({len(SEEDS)} seeds)" not in measured:
            said += f", not yet of {len(SEEDS)} seeds"
        yield f"| {what} | {asked} | {measured} | {said} |"
    yield ""


def told(pooled: Sequence[Row], rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the bars, JSON-ready; `holds` is null where nothing was run."""
    names = ("what", "asked", "measured", "holds")
    return [dict(zip(names, one, strict=True)) for one in _all(pooled, rows)]


_Bar = tuple[str, str, str, bool | None]


def _all(pooled: Sequence[Row], rows: Sequence[Row]) -> Iterator[_Bar]:
    for name, title in (("domains", "5 → 10 domains"), ("size", "half → all")):
        yield from _text(name, f"Text, {title}", pooled, rows)
    yield from _images(pooled, rows)
    yield from _clusters(pooled)


def _text(
    name: str, title: str, pooled: Sequence[Row], rows: Sequence[Row]
) -> Iterator[_Bar]:
    def one(method: str, queries: str = "all") -> Row | None:
        return _find(pooled, name, method, queries=queries)

    def seeds(method: str) -> list[Row]:
        return _each(rows, name, method)

    yield _bar(
        f"{title}: independent",
        "top-1 ≤ 3",
        one(_PARAGON),
        lambda r: (f"{r['top1']['new/old']:.1f}", r["top1"]["new/old"] <= 3),  # noqa: PLR2004
    )
    zs = [row["top1"]["z"] for row in seeds(_BCT)]
    yield _bar(
        f"{title}: BCT, centroids",
        "top-1 ≥ old + 2, z ≥ 3 in every seed",
        one(_BCT),
        lambda r: (
            f"{r['top1']['change']:+.1f}, z {_list(zs)}",
            r["top1"]["change"] >= 2 and min(zs) >= 3,  # noqa: PLR2004
        ),
    )
    yield _bar(
        f"{title}: BCT, centroids",
        "mAP gain ≥ 15 %, tax ≤ 1 (top-1 and mAP)",
        one(_BCT),
        lambda r: (
            (
                f"gain {100 * r['ap']['gain']:.0f} %, tax {r['top1']['tax']:.1f} and "
                f"{r['ap']['tax']:.1f}"
            ),
            r["ap"]["gain"] >= 0.15  # noqa: PLR2004
            and max(r["top1"]["tax"], r["ap"]["tax"]) <= 1,
        ),
    )
    zs_both = [row["top1"]["z"] for row in seeds(_BOTH)]
    yield _bar(
        f"{title}: warm start + BCT (the same bar)",
        "top-1 ≥ old + 2, z ≥ 3 in every seed; mAP gain ≥ 15 %, tax ≤ 1",
        one(_BOTH),
        lambda r: (
            (
                f"{r['top1']['change']:+.1f}, z {_list(zs_both)}; gain "
                f"{100 * r['ap']['gain']:.0f} %, tax {r['top1']['tax']:.1f} and "
                f"{r['ap']['tax']:.1f}"
            ),
            r["top1"]["change"] >= 2  # noqa: PLR2004
            and min(zs_both) >= 3  # noqa: PLR2004
            and r["ap"]["gain"] >= 0.15  # noqa: PLR2004
            and max(r["top1"]["tax"], r["ap"]["tax"]) <= 1,
        ),
    )
    if name == "domains":
        yield _bar(
            f"{title}: BCT on OLD's classes alone",
            "fails on new classes",
            one("BCT on OLD's classes alone", "new classes"),
            lambda r: (
                (
                    f"top-1 of new classes {r['top1']['old/old']:.1f} → "
                    f"{r['top1']['new/old']:.1f}"
                ),
                r["top1"]["high"] < 0,
            ),
        )
    yield _bar(
        f"{title}: warm start",
        "gain ≥ 40 % (top-1), NFR ≤ 4, tax ≤ 1",
        one(_WARM),
        lambda r: (
            (
                f"gain {100 * r['top1']['gain']:.0f} % "
                f"(mAP {100 * r['ap']['gain']:.0f} %), "
                f"NFR {r['nfr']:.1f}, tax {r['top1']['tax']:.1f}"
            ),
            r["top1"]["gain"] >= 0.4 and r["nfr"] <= 4 and r["top1"]["tax"] <= 1,  # noqa: PLR2004
        ),
    )


def _images(pooled: Sequence[Row], rows: Sequence[Row]) -> Iterator[_Bar]:
    def one(method: str, split: str = "test") -> Row | None:
        return _find(pooled, "omniglot", method, split=split)

    title = "Images, 3 → 6 alphabets"
    yield _bar(
        f"{title}: independent",
        "top-1 ≤ 2",
        one(_PARAGON),
        lambda r: (f"{r['top1']['new/old']:.1f}", r["top1"]["new/old"] <= 2),  # noqa: PLR2004
    )
    zs = [row["top1"]["z"] for row in _each(rows, "omniglot", _BOTH)]
    yield _bar(
        f"{title}: warm start + BCT",
        "top-1 ≥ old + 3, z ≥ 3 in every seed; mAP ≥ +6; NFR ≤ 10",
        one(_BOTH),
        lambda r: (
            (
                f"{r['top1']['change']:+.1f}, z {_list(zs)}; {r['ap']['change']:+.1f}; "
                f"NFR {r['nfr']:.1f}"
            ),
            r["top1"]["change"] >= 3  # noqa: PLR2004
            and min(zs) >= 3  # noqa: PLR2004
            and r["ap"]["change"] >= 6  # noqa: PLR2004
            and r["nfr"] <= 10,  # noqa: PLR2004
        ),
    )
    yield _bar(
        f"{title}: warm start + BCT, alphabets that nobody trained on",
        "mAP ≥ +2",
        one(_BOTH, "open"),
        lambda r: (f"{r['ap']['change']:+.1f}", r["ap"]["change"] >= 2),  # noqa: PLR2004
    )
    yield _bar(
        f"{title}: OLD's query averaged in",
        "NFR ≤ 5 at top-1 ≥ +4",
        one(_MEAN),
        lambda r: (
            f"NFR {r['nfr']:.1f}, {r['top1']['change']:+.1f}",
            r["nfr"] <= 5 and r["top1"]["change"] >= 4,  # noqa: PLR2004
        ),
    )
    yield _bar(
        f"{title}: centred Procrustes",
        "mAP ≥ +1.5",
        one("independent + centred Procrustes"),
        lambda r: (f"{r['ap']['change']:+.1f}", r["ap"]["change"] >= 1.5),  # noqa: PLR2004
    )
    yield _bar(
        f"{title}: L2",
        "shown with its tax",
        one("L2"),
        lambda r: (
            (
                f"{r['top1']['change']:+.1f} / {r['ap']['change']:+.1f}, tax "
                f"{r['top1']['tax']:.1f} / {r['ap']['tax']:.1f}"
            ),
            True,
        ),
    )


def _clusters(pooled: Sequence[Row]) -> Iterator[_Bar]:
    for name, title in (("domains", "5 → 10 domains"), ("omniglot", "alphabets")):
        some = [
            row
            for row in pooled
            if row["update"] == name and row["queries"] == "clusters"
        ]
        dev = [
            row
            for row in pooled
            if row["update"] == name
            and row["split"] == "dev"
            and row["queries"] == "all"
            and row["method"] != _PARAGON
        ]
        best = max(dev, key=lambda row: row["ap"]["new/old"])["method"] if dev else ""
        alone = _find(some, name, _PARAGON, queries="clusters")
        yield _bar(
            f"Clusters, {title}: best by dev ({best})",
            "F1 ≥ old + 5; independent ≤ 15; mixed ≥ independent's + 8",
            _find(some, name, best, queries="clusters") if alone else None,
            lambda r, a=alone: (
                (
                    f"{r['old']:.1f} → {r['new']:.1f}; {a['new']:.1f}; mixed "
                    f"{r['mixed']:.1f} and {a['mixed']:.1f}"
                ),
                r["new"] >= r["old"] + 5
                and a["new"] <= 15  # noqa: PLR2004
                and r["mixed"] >= a["mixed"] + 8,
            ),
        )


def _bar(
    what: str, asked: str, row: Row | None, judge: Callable[[Any], tuple[str, bool]]
) -> _Bar:
    if row is None:
        return (what, asked, "", None)
    measured, holds = judge(row)
    n = row["n_seeds"]
    return (what, asked, f"{measured} ({n} seed{'s' if n > 1 else ''})", holds)


def _find(
    pooled: Sequence[Row],
    name: str,
    method: str,
    *,
    queries: str = "all",
    split: str = "test",
) -> Row | None:
    wanted = (name, method, queries, split)
    keys = ("update", "method", "queries", "split")
    for row in pooled:
        if tuple(row.get(key) for key in keys) == wanted:
            return row
    return None


def _each(rows: Sequence[Row], name: str, method: str) -> list[Row]:
    return [
        row
        for row in rows
        if (row["update"], row.get("method"), row["split"], row.get("queries"))
        == (name, method, "test", "all")
    ]


def _list(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.1f}" for value in values)
