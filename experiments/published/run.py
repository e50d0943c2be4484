"""Successive releases of real parsers, compared by what they published.

    make experiments-published

No model is run: the shared tasks' outputs are compared as the official scorer aligns
them (`preset: official`). Every official F1 is checked against the score that udtools,
an independent implementation, gives the same file; a difference ends the run. Writes
`results.json` and `RESULTS.md` beside this file. Needs COMPAT_EVAL_DATA.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from udtools.udeval import (  # type: ignore[import-untyped]
    evaluate,
    load_conllu_file,
)

import compat_eval
from compat_eval.core.errors import CompatEvalError
from experiments.updates.files import write_results
from experiments.updates.places import data_folder

HERE = Path(__file__).parent
LEVELS = ("uas", "las", "ucm", "lcm")
CHECKED = {"words": "Words", "sentences": "Sentences", "uas": "UAS", "las": "LAS"}
"""Official metrics of ours, by the scorer's name."""

ROUNDING = 1e-12
"""Most that two computations of one F1 may differ."""

EWT17, EWT18, AF18 = (
    "conll2017_runs_en/gold.en-ud-test.r2.0-test.conllu",
    "conll2018_outputs_en_ewt/gold.en_ewt.conllu",
    "conll2018_outputs_af_afribooms/gold.af_afribooms.conllu",
)


@dataclass(frozen=True, slots=True)
class Chain:
    """Outputs of which each is an update of the one before.

    Attributes:
        gold: The treebank they answered.
        releases: Names of their files, without the ending.

    """

    gold: str
    releases: Sequence[str]

    def file(self, release: str) -> str:
        return f"{Path(self.gold).parent}/{release}.conllu"


CHAINS = (
    Chain(
        EWT17,
        (
            "conll17-baseline__2017-05-09-16-57-43",
            "UFAL-UDPipe-1-2__2017-05-15-02-00-38",
        ),
    ),
    Chain(
        EWT17,
        (
            "C2L2__2017-05-11-00-21-07",
            "C2L2__2017-05-12-09-27-46",
            "C2L2__2017-05-13-18-48-59",
            "C2L2__2017-05-14-08-20-46",
        ),
    ),
    Chain(
        EWT17,
        (
            "Uppsala__2017-05-12-15-45-21",
            "Uppsala__2017-05-21-22-25-52",
            "Uppsala__2017-05-31-16-47-25",
            "Uppsala__2017-06-07-16-57-58",
        ),
    ),
    Chain(EWT17, ("TurkuNLP__2017-05-12-15-15-19", "TurkuNLP__2017-05-14-02-33-45")),
    Chain(EWT17, ("fbaml__2017-05-15-18-00-23", "fbaml__2017-05-23-06-20-42")),
    Chain(EWT17, ("TRL__2017-05-12-12-01-52", "TRL__2017-05-15-07-43-56")),
    Chain(EWT17, ("Wenba-NLU__2017-05-13-01-44-52", "Wenba-NLU__2017-05-20-15-43-16")),
    Chain(EWT17, ("Mengest__2017-05-14-20-18-10", "Mengest__2017-05-14-22-25-54")),
    Chain(EWT17, ("CLCL2__2017-05-14-22-33-29", "CLCL2__2017-05-15-18-00-38")),
    Chain(EWT18, ("conll18-baseline", "UDPipe-Future")),
    Chain(EWT18, ("UDPipe-Future", "HIT-SCIR-18")),
    Chain(AF18, ("conll18-baseline", "UDPipe-Future")),
    Chain(AF18, ("UDPipe-Future", "HIT-SCIR-18")),
)


def main() -> None:
    """Compare every pair; write the results."""
    data = data_folder()
    rows = [
        compared(data, chain, old, new)
        for chain in CHAINS
        for old, new in zip(chain.releases, chain.releases[1:], strict=False)
    ]
    write_results(HERE, rows, page(rows))
    print(f"{len(rows)} updates; wrote {HERE / 'RESULTS.md'}")


def compared(data: Path, chain: Chain, old: str, new: str) -> dict[str, Any]:
    """Return what the update from one output to the next broke and fixed."""
    row: dict[str, Any] = {"gold": chain.gold, "old": old, "new": new}
    files = {side: chain.file(name) for side, name in (("old", old), ("new", new))}
    print(f"{old} → {new}", flush=True)
    try:
        result = compat_eval.compare(
            f"preds:{data / files['old']}",
            f"preds:{data / files['new']}",
            task="dependency",
            # The official scorer refuses such files too.
            task_options={"preset": "official", "not_trees": "refuse"},
            gold=data / chain.gold,
        ).to_dict()
    except CompatEvalError as error:
        return {**row, "error": str(error).replace(f"{data}/", "")}
    update = result["tasks"][0]["updates"][0]
    return {
        **row,
        "official": _official(data, chain.gold, files, update["statistics"]),
        "levels": {level: _level(update["levels"][level]) for level in LEVELS},
    }


def _level(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the counts of a level as `results.json` has them."""
    rest = {key: value for key, value in found.items() if key != "statistics"}
    return {**rest, "estimates": found["statistics"]}


def _official(
    data: Path, gold: str, files: Mapping[str, str], metrics: Mapping[str, Any]
) -> dict[str, dict[str, float]]:
    """Return each side's F1s, the same as the independent count's."""
    found = {}
    for side, file in files.items():
        ours = {name: metrics[f"official_{name}_f1"][side]["value"] for name in CHECKED}
        theirs = independent(data / gold, data / file)
        wrong = [name for name in ours if abs(ours[name] - theirs[name]) > ROUNDING]
        if wrong:
            sys.exit(f"{file}: {wrong} are {ours}, but udtools finds {theirs}")
        found[side] = ours
    return found


@cache
def independent(gold: Path, system: Path) -> dict[str, float]:
    """Return the official F1s as udtools computes them."""
    scores = evaluate(_udtools(gold), _udtools(system))
    return {name: float(scores[theirs].f1) for name, theirs in CHECKED.items()}


@cache
def _udtools(path: Path) -> Any:  # noqa: ANN401 - a class of udtools
    return load_conllu_file(str(path))


_HEAD = """# Published parser outputs: what each release broke

Made by `make experiments-published` from outputs of the CoNLL 2017 and 2018 shared
tasks; numbers for programs, with all intervals, are in results.json. Words are aligned
with gold as the official scorer does; a gold word or sentence that was segmented
otherwise counts as wrong. Every F1 equals an independent implementation's. Levels are
those of `preset: official` (all words, universal relations); intervals are 95 %,
over sentences.

| update | LAS F1 | LAS change | NFR las | NFI las | NFR lcm | NFI lcm |
|---|---|---|---|---|---|---|
"""

_REFUSED = """
## Refused

A file that is no valid CoNLL-U is not compared; the message names sentence and line.

"""


def page(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return RESULTS.md."""
    lines = [_line(row) for row in rows if "levels" in row]
    refused = [
        f"- {_named(row)}: {row['error'].splitlines()[0]}"
        for row in rows
        if "error" in row
    ]
    return _HEAD + "\n".join(lines) + "\n" + _REFUSED + "\n".join(refused) + "\n"


def _line(row: Mapping[str, Any]) -> str:
    sides = row["official"]
    f1 = f"{100 * sides['old']['las']:.2f} → {100 * sides['new']['las']:.2f}"
    cells = [_named(row), f1, _shown(row, "las", "accuracy_change", "+")]
    for level in ("las", "lcm"):
        cells += [_shown(row, level, name) for name in ("nfr", "nfi")]
    return f"| {' | '.join(cells)} |"


def _named(row: Mapping[str, Any]) -> str:
    return f"{_release(row['old'])} → {_release(row['new'])}, {_corpus(row['gold'])}"


def _release(name: str) -> str:
    """Return a system with the day of its run, where that is known."""
    system, _, run = name.partition("__")
    return f"{system} {run[5:10]}".strip()


def _corpus(gold: str) -> str:
    return {EWT17: "EWT 2017", EWT18: "EWT 2018", AF18: "AfriBooms 2018"}[gold]


def _shown(row: Mapping[str, Any], level: str, name: str, sign: str = "") -> str:
    estimate = row["levels"][level]["estimates"][name]
    if estimate["value"] is None:
        return f"undefined ({estimate['reason']})"
    value, low, high = (100 * estimate[key] for key in ("value", "low", "high"))
    return f"{value:{sign}.2f} ({low:{sign}.2f} to {high:{sign}.2f})"


if __name__ == "__main__":
    main()
