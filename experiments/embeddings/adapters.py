"""How much of a full re-index do adapters and cascades keep, on an index that stays?

    python -m experiments.embeddings.adapters [NAME …]

OLD and NEW are latent semantics (TF-IDF of character n-grams and N singular vectors of
the collection; Deerwester et al., JASIS 41, 1990) and all-MiniLM-L6-v2. Everything is
`compat-eval compare OLD NEW --mitigate …`, as it is shipped: adapters are fitted on
documents of the index (Cranfield, which has no other texts) or on the inputs of dev
(HWU64). Each of three seeds draws half of the texts to fit on, and trains networks
anew.

An adapter that met its target exactly would give OLD's own vectors: the row *stay* is
the ceiling that the old space allows to a map. Mixing with OLD's vector, or a cascade,
may pass it.
Models and vectors are kept below COMPAT_EVAL_WORK. Writes `adapters.json` and
`ADAPTERS.md` beside this file.
"""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from compat_eval.comparison.index_matrix.result import IndexMatrix, PairMeasure
from compat_eval.core.files import write_whole
from compat_eval.suite.examples import documents_at, places_of
from compat_eval.suite.load import load_suite
from compat_eval.workflows.run import compare
from experiments.classification.run import encoder_directory
from experiments.updates.places import data_folder, work_folder

HERE = Path(__file__).parent
WORK = work_folder("embeddings").resolve()
SEEDS = (0, 1, 2)
MEASURES = ("ndcg", "recall", "map", "query")


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """An update of an encoder whose index stays.

    Attributes:
        suite: What is searched.
        old: `lsa-N` or `minilm`.
        new: Likewise.
        pairs: How many texts adapters are fitted on.

    """

    suite: str
    old: str
    new: str
    pairs: int

    @property
    def name(self) -> str:
        """What it is called."""
        return f"{self.suite} {self.old} → {self.new}"

    def bridges(self, seed: int) -> dict[str, str]:
        """Return what is tried, by name, as users write it."""
        drawn = f"pairs={self.pairs},overlap=drop,seed={seed}"
        return {
            "procrustes": f"procrustes:{drawn}",
            "procrustes, not centred": f"procrustes:centred=false,{drawn}",
            "ridge": f"ridge:{drawn}",
            "low rank 64": f"low-rank:{drawn}",
            "residual": f"residual:{drawn}",
            "network": f"mlp:{drawn}",
            "procrustes of the index": f"procrustes:maps=index,{drawn}",
            "OLD's query mixed in": f"slerp:{drawn}",
            "cascade of 50": "cascade:candidates=50",
        }


MIGRATIONS = (
    Migration(suite="cranfield", old="lsa-100", new="minilm", pairs=700),
    Migration(suite="cranfield", old="lsa-300", new="minilm", pairs=700),
    Migration(suite="cranfield", old="lsa-100", new="lsa-300", pairs=700),
    Migration(suite="cranfield", old="minilm", new="lsa-300", pairs=700),
    Migration(suite="hwu64-by-intent", old="lsa-100", new="minilm", pairs=500),
    Migration(suite="hwu64-by-intent", old="minilm", new="lsa-100", pairs=500),
)


def main() -> None:
    """Measure the migrations that the command line names, or all, and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    for one in MIGRATIONS:
        if options.names and one.name not in options.names:
            continue
        for seed in SEEDS:
            kept = _kept(one, seed)
            if not kept.is_file():
                found = json.dumps(measured(one, seed), indent=1, ensure_ascii=False)
                write_whole(kept, found.encode())
            print(f"{one.name}, seed {seed}", flush=True)
        write()


def measured(migration: Migration, seed: int) -> dict[str, Any]:
    """Return what every bridge keeps, by measure, with paired intervals."""
    bridges = migration.bridges(seed)
    found = compare(
        reference(migration.old, migration.suite),
        reference(migration.new, migration.suite),
        suite=migration.suite,
        mitigate=[*bridges.values()],
        seed=seed,
        cache=WORK / "cache",
        data_dir=data_folder(),
        offline=True,
    )
    matrix = found.tasks[0].matrix
    assert matrix is not None, "both sides embed"
    return {
        "update": migration.name,
        "seed": seed,
        "n_queries": found.tasks[0].n_examples,
        "split": "test",
        "command": f"compat-eval compare OLD NEW --suite {migration.suite} "
        + " ".join(f"--mitigate {one}" for one in bridges.values()),
        "rows": {"stay": _own(matrix, "old"), "re-index": _own(matrix, "new")}
        | {
            name: {one.measure: _told(one) for one in pair.measures}
            for name, pair in zip(bridges, matrix.bridges, strict=True)
        },
    }


def reference(encoder: str, suite: str) -> str:
    """Return an encoder's reference; latent semantics are fitted and saved first."""
    kind, _, size = encoder.partition("-")
    if kind == "minilm":
        return f"st:{encoder_directory()}"
    path = WORK / "adapters" / f"{suite} {encoder}.skops"
    if not path.is_file():
        _fit_semantics(path, suite, int(size))
    return f"sklearn:{path}"


def _fit_semantics(path: Path, name: str, size: int) -> None:
    import skops.io
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import Normalizer

    suite = load_suite(name)
    split = "train" if "train" in suite.data else "test"
    places = places_of(suite, data_folder(), offline=True)
    texts = documents_at(suite, split, places).column("input").to_pylist()
    steps = [
        ("words", TfidfVectorizer(sublinear_tf=True, analyzer="char_wb", **_GRAMS)),
        ("semantics", TruncatedSVD(size, random_state=0)),
        ("length", Normalizer()),
    ]
    fitted = Pipeline(steps).fit([text for text in texts if text])
    path.parent.mkdir(parents=True, exist_ok=True)
    skops.io.dump(fitted, path)


_GRAMS: Mapping[str, Any] = {"ngram_range": (3, 5), "min_df": 2}


def _own(matrix: IndexMatrix, version: str) -> dict[str, Any]:
    cell = matrix.cell(version, version)
    assert cell is not None, "every version is asked on its own index"
    return {name: {"value": cell.values[name].to_dict()} for name in MEASURES}


def _told(one: PairMeasure) -> dict[str, Any]:
    return {
        "retention": one.retention.to_dict(),
        "gain": one.gain_points.to_dict(),
        "keeping": one.keeping.to_dict(),
        "decision": one.decision.value,
    }


def _kept(migration: Migration, seed: int) -> Path:
    return WORK / "adapters" / f"{migration.name} {seed}.json"


def write() -> None:
    """Write what is there."""
    files = [_kept(one, seed) for one in MIGRATIONS for seed in SEEDS]
    rows = [json.loads(one.read_text("utf-8")) for one in files if one.is_file()]
    text = json.dumps(rows, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    (HERE / "adapters.json").write_text(text, "utf-8")
    (HERE / "ADAPTERS.md").write_text(page(rows), "utf-8")


def page(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return retention and gain of every bridge, the mean over seeds."""
    return "\n".join([*_HEAD, *_table(rows), ""])


_HEAD = (
    "# What adapters and cascades keep of a full re-index",
    "",
    (
        "Made by `python -m experiments.embeddings.adapters` from `adapters.json`. The "
        "part of NEW's nDCG@k on its own index that NEW's queries reach on OLD's (mean "
        "over three seeds, lowest–highest), and in brackets for how many seeds it is "
        "certified to be above OLD / refuted. *stay* is OLD on its own index: what a "
        "map that met its target exactly would give."
    ),
    "",
)


def _table(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    updates = list(dict.fromkeys(row["update"] for row in rows))
    names = list(dict.fromkeys(name for row in rows for name in row["rows"]))
    of = {one: [row for row in rows if row["update"] == one] for one in updates}
    yield "| way | " + " | ".join(updates) + " |"
    yield "|---" * (len(updates) + 1) + "|"
    for name in names:
        cells = [_cell(some, name) for some in of.values()]
        yield f"| {name} | " + " | ".join(cells) + " |"


def _cell(rows: Sequence[Mapping[str, Any]], name: str) -> str:
    if name in {"stay", "re-index"}:
        whole = rows[0]["rows"]
        own, best = (whole[one]["ndcg"]["value"]["value"] for one in (name, "re-index"))
        return f"{own / best:.3f} (nDCG {own:.3f})"
    found = [row["rows"][name]["ndcg"] for row in rows]
    kept = np.array([one["retention"]["value"] for one in found])
    decided = [one["decision"] for one in found]
    counts = f"{decided.count('certified')}/{decided.count('refuted')}"
    return f"{kept.mean():.3f} {kept.min():.3f}–{kept.max():.3f} ({counts})"


if __name__ == "__main__":
    main()
