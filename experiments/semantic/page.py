"""RESULTS.md from the rows of results.json."""

from collections.abc import Mapping, Sequence

from experiments.updates.tables import (
    Row,
    accuracy,
    accuracy_and_nfi,
    cost,
    cut,
    effect,
    flip,
    groups,
    named,
    on_test,
    pfr,
    section,
    seeds,
    titles,
)

_SUMMARY = """## By how much NFI of exact match falls

Percent, as chosen on dev; the paper's mean over its updates and levels is
73 % for BCR. In round brackets the change of accuracy, points."""

_INTRODUCED = """## {title}

{pairs} seed pairs (old {old}; new {new}); the old models have
{accuracy:.2f} % exact match. Training a new model took {minutes:.1f} CPU-minutes."""

_BESIDE = """## Beside the paper: exact match, accuracy / NFI, percent

Cai et al. 2022 (Tables 4 to 6) fine-tune RoBERTa on all of TOP, two domains,
with 25 seed pairs and ensembles of 5; `part` has 4/5 of the data."""

_EM, _SPAN = "exact_match", "span_subtree"

_HEADS = (
    "treatment",
    "exact match, % (gain)",
    "NFR / NFI",
    "PFR",
    "NFI cut",
    "effect",
    "span subtree, % (gain)",
    "NFR / NFI",
    "NFI cut",
    "intent, %",
    "cost",
)

_PAPER_UPDATES = {
    "untreated": ("85.88 / 21.12", "86.98 / 20.03", "87.04 / 24.40"),
    "distillation": ("85.54 / 18.06", "86.64 / 15.25", "87.69 / 15.97"),
    "ensemble": ("86.90 / 13.24", "87.65 / 9.47", "87.65 / 21.88"),
    "bcr:dropout-p": ("86.16 / 5.39", "87.41 / 4.30", "87.49 / 5.51"),
}
"""Cai et al. 2022, Table 4, exact match: accuracy / NFI, percent."""

_PAPER_GENERATORS = {
    "untreated": "87.04 / 24.40",
    "bcr:beam": "87.61 / 13.20",
    "bcr:top-k": "87.71 / 17.55",
    "bcr:top-p": "87.73 / 17.77",
    "bcr:dropout-p": "87.49 / 5.51",
    "oracle:nfr": "89.50 / 6.21",
    "oracle:accuracy": "92.68 / 8.90",
}
"""Tables 5 and 6, s2s-base → s2s-large, exact match: accuracy / NFI, percent."""

_HEAD = """# Updates of semantic parsers on TOPv2

Made by `python -m experiments.semantic.run`; the numbers for programs are in
results.json. Domains event, messaging and navigation, {train:,} training, {dev:,} dev
and {test:,} test utterances of each (a subset, by hash; without `IN:UNSUPPORTED`), read
as raw text. The model is `seq2seq` with its defaults and {epochs} epochs: a BiLSTM over
words and spelling, an LSTM that writes labels and copies words, greedy; trees that are
not valid cannot be written. Test texts that occur in the training split were kept.

Counts are pooled over seed pairs; intervals (95 %) are bootstraps over utterances. λ
and the rate of dropout were chosen on dev: the lowest mean NFI of exact match and span
subtree among those whose paired interval of the change in accuracy reaches, at both,
not below −δ (δ = {delta:g}); where all reach below, the one that does least. BCR takes
10 candidates, ranked by OLD's mean log p of a token (`normalised=mean`; the program's
default is the sum). The ensemble holds the new models of the pairs, and not the old
one; it adds their log-probabilities step by step, as `--mitigate ensemble` does.
results.json has all settings on dev and test, each seed pair apart, and for each row
what `compare --mitigate` takes for it. *Effect* is what the program says of a
mitigation: *selective* does more than drag NEW back to OLD, *mostly old* does too, but
more than half of what NEW fixed is gone. OLD kept in the place of NEW breaks nothing
and fixes nothing.
"""


_COMPARED = """\
As in the paper, BCR cuts NFI far more than an ensemble, and loses no accuracy except
after five times the data: there every generator drags NEW back to OLD, which joint
decoding at a small λ does least. Against the paper, where dropout-p is the best
generator, beam candidates cut most here, in every update. Distillation helps there and
not here.
"""


def page(rows: Sequence[Row]) -> str:
    """Return the page."""
    rows = on_test(rows)
    config = rows[0]["config"]
    sizes = config["utterances_per_domain"]
    head = _HEAD.format(
        train=sizes["train"],
        dev=sizes["eval"],
        test=sizes["test"],
        epochs=config["epochs"],
        delta=config["delta"],
    )
    updates = [
        _update([row for row in rows if row["update"] == title])
        for title in titles(rows)
    ]
    return "\n".join([head, _summary(rows), *updates, _paper(rows), _LIMITS])


def _summary(rows: Sequence[Row]) -> str:
    cells = [
        [name, *(_cut_and_gain(row) if row else "" for row in found)]
        for name, found in _chosen(rows)
        if name not in ("keep OLD", "untreated")
    ]
    return section(_SUMMARY, ["treatment", *titles(rows)], cells)


def _chosen(rows: Sequence[Row]) -> list[tuple[str, list[Row | None]]]:
    """Return each treatment's rows of exact match as chosen on dev, by update."""
    here = {
        (row["treatment"], row["update"]): row
        for row in rows
        if row["level"] == _EM and row["chosen_on_dev"]
    }
    names = dict.fromkeys(row["treatment"] for row in rows)
    return [(name, [here.get((name, t)) for t in titles(rows)]) for name in names]


def _cut_and_gain(row: Row) -> str:
    gain = row["metrics"]["accuracy_gain"]
    return f"{cut(row, 'nfi_cut')} ({100 * gain:+.2f})"


def _update(rows: Sequence[Row]) -> str:
    first = rows[0]
    introduction = _INTRODUCED.format(
        title=first["update"][:1].upper() + first["update"][1:],
        pairs=len(first["seeds"]),
        old=seeds(rows, 0),
        new=seeds(rows, 1),
        accuracy=100 * first["metrics"]["accuracy_old"],
        minutes=first["cost"]["train_seconds"] / 60,
    )
    return section(introduction, _HEADS, map(_cells, groups(rows)))


def _cells(group: Mapping[str, Row]) -> list[str]:
    exact, span = group[_EM], group[_SPAN]
    intent = 100 * group["intent"]["metrics"]["accuracy_new"]
    return [
        named(exact),
        accuracy(exact, interval=True),
        flip(exact),
        pfr(exact),
        cut(exact, "nfi_cut"),
        effect(exact),
        accuracy(span, interval=True),
        flip(span),
        cut(span, "nfi_cut"),
        f"{intent:.2f}",
        _cost(exact),
    ]


def _cost(row: Row) -> str:
    return "" if row["treatment"].startswith("oracle") else cost(row)


def _paper(rows: Sequence[Row]) -> str:
    cells = []
    for name, found in _chosen(rows):
        ours = [accuracy_and_nfi(row) if row else "" for row in found]
        if name == "keep OLD":
            continue
        theirs = _PAPER_UPDATES.get(name, ("", "", _PAPER_GENERATORS.get(name, "")))
        cells.append([name, *ours, *theirs])
    updates = ["base-part → base", "large-part → large", "base → large"]
    table = section(_BESIDE, ["treatment", *titles(rows), *updates], cells)
    return f"{table}\n{_COMPARED}"


_LIMITS = """## What this does not show

The intervals speak of other utterances, not of other seeds; the new models of two
updates are the same. The models are small, trained from scratch on a part of the data,
and less accurate than fine-tuned ones. Cost is CPU time of answering, relative to one
plain answer of the new model; for re-ranking it holds the making of ten candidates and
OLD's scoring. benchmarks/RESULTS.md has speeds that were measured in turns: OLD scores
ten candidates at about a quarter of the speed of a greedy decode, while the paper's
re-ranking is about five times as fast as its decoding. Oracles read gold: they are
bounds of what re-ranking the dropout-p candidates can give.
"""
