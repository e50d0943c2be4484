"""The shipped suites, loaded from a mirror of their data (COMPAT_EVAL_DATA).

Counts are those that the data's publishers state, or that were counted apart from
this package.
"""

import json
import os
import runpy
from pathlib import Path

import pyarrow.compute as pc
import pytest
import udtools  # type: ignore[import-untyped]

from compat_eval.core.examples import Examples
from compat_eval.suite.check import check, slice_counts
from compat_eval.suite.examples import load_examples, places_of
from compat_eval.suite.load import load_suite

ROOT = Path(__file__).resolve().parents[3]

_MIRROR = os.environ.get("COMPAT_EVAL_DATA", "")

SPLITS = {
    ("clinc150", "test"): (4500 + 1000, 151),
    ("clinc150", "dev"): (3000 + 100, 151),
    ("clinc150", "train"): (15_000 + 100, 151),
    ("clinc150", "train-small"): (7500 + 100, 151),
    ("clinc150", "train-imbalanced"): (10_525 + 100, 151),
    ("clinc150", "train-oos-plus"): (15_000 + 250, 151),
    ("snips", "test"): (700, 7),
    ("snips", "train"): (13_784, 7),
    ("snips", "train-small"): (2100, 7),
    ("hwu64", "test"): (1076, 64),
    ("hwu64", "dev"): (1076, 64),
    ("hwu64", "train"): (8954, 64),
    ("hwu64", "train-10"): (640, 64),
    ("hwu64", "train-5"): (320, 64),
    ("clinc150", "train-five"): (75 * 100 + 100, 76),
    ("clinc150", "dev-five"): (75 * 20 + 100, 76),
    # Characters by drawers; five alphabets have 24, 22, 24, 40 and 26 characters.
    ("omniglot", "test"): (242 * 4, 242),
    ("omniglot", "dev"): (242 * 2, 242),
    ("omniglot", "train"): (242 * 14, 242),
    ("omniglot", "train-five"): (136 * 14, 136),
    ("omniglot", "dev-five"): (136 * 2, 136),
    # Digits by speakers by recordings.
    ("fsdd", "test"): (10 * 6 * 5, 10),
    ("fsdd", "dev"): (10 * 6 * 5, 10),
    ("fsdd", "train"): (10 * 6 * 40, 10),
    ("fsdd", "train-0-4"): (5 * 6 * 40, 5),
    ("fsdd", "dev-0-4"): (5 * 6 * 5, 5),
    ("fsdd", "train-five-speakers"): (10 * 5 * 40, 10),
}

SIZES = {
    "ud-ewt": {"test": 2077, "dev": 2001, "train": 12_544},
    "ud-atis": {"test": 586, "dev": 572, "train": 4274},
    "ud-afribooms": {"test": 425, "dev": 194, "train": 1315},
    "topv2": {
        "test": 7123 + 2654 + 3048 + 4184 + 6075 + 4252 + 5682,
        "dev": 2935 + 1336 + 1536 + 1573 + 2971 + 1616 + 2667,
        "dev-six": 2935 + 1336 + 1536 + 1573 + 2971 + 1616,
        "train": 20_430 + 9170 + 10_018 + 11_563 + 20_998 + 11_524 + 23_054,
        "train-six": 20_430 + 9170 + 10_018 + 11_563 + 20_998 + 11_524,
        "train-six-weather-25": 20_430 + 9170 + 10_018 + 11_563 + 20_998 + 11_524 + 176,
        "train-weather-25": 176,
    },
}


@pytest.fixture
def mirror() -> Path:
    if not _MIRROR or not Path(_MIRROR).is_dir():
        pytest.skip("COMPAT_EVAL_DATA names no mirror of the data sets")
    return Path(_MIRROR)


def examples(name: str, split: str, mirror: Path) -> Examples:
    return load_examples(load_suite(name), split, data_dir=mirror, offline=True)


@pytest.mark.data
@pytest.mark.parametrize(("name", "split"), list(SPLITS))
def test_counts(name: str, split: str, mirror: Path) -> None:
    found = examples(name, split, mirror)

    n_labels = pc.count_distinct(found.column("gold")).as_py()
    assert (len(found), n_labels) == SPLITS[name, split]


@pytest.mark.data
@pytest.mark.parametrize("name", ["clinc150", "snips", "hwu64"])
def test_validate_finds_nothing_wrong(name: str, mirror: Path) -> None:
    suite = load_suite(name)

    checked = check(suite, places_of(suite, mirror, offline=True))

    assert checked.perfect == {"example": 1.0}


@pytest.mark.data
@pytest.mark.parametrize("name", list(SIZES))
def test_suites_of_trees_are_what_their_publishers_state(
    name: str, mirror: Path
) -> None:
    suite = load_suite(name)

    checked = check(suite, places_of(suite, mirror, offline=True))

    assert {split: len(e) for split, e in checked.examples.items()} == SIZES[name]
    assert set(checked.perfect.values()) == {1.0}


@pytest.mark.data
def test_ewt_has_five_genres_and_documents(mirror: Path) -> None:
    test = examples("ud-ewt", "test", mirror)

    genres = {n: c for n, c in slice_counts(test).items() if n.startswith("genre=")}
    assert genres == {
        "genre=answers": 438,
        "genre=email": 606,
        "genre=newsgroup": 284,
        "genre=reviews": 535,
        "genre=weblog": 214,
    }
    clusters = test.clusters()
    assert clusters is not None
    assert len(set(clusters.tolist())) == 316


@pytest.mark.data
def test_clinc150_slices(mirror: Path) -> None:
    counts = slice_counts(examples("clinc150", "test", mirror))

    assert counts["oos=yes"] == 1000
    assert counts["oos=no"] == 4500
    domains = [n for name, n in counts.items() if name.startswith("domain=")]
    assert domains == [450] * 10


@pytest.mark.data
def test_clinc150_small_is_a_subset_of_full(mirror: Path) -> None:
    small = set(examples("clinc150", "train-small", mirror).ids.to_pylist())
    full = set(examples("clinc150", "train", mirror).ids.to_pylist())

    assert small < full


@pytest.mark.data
def test_snips_texts_are_joined_and_decoded(mirror: Path) -> None:
    texts = examples("snips", "train", mirror).column("input").to_pylist()

    assert sum("\ufffd" in text for text in texts) == 0
    assert "can you put on Like A Hurricane by Paul Landers" in (
        examples("snips", "test", mirror).column("input").to_pylist()
    )


def test_library_desk_is_what_it_promises() -> None:
    suite = load_suite("library-desk")
    checked = check(suite, places_of(suite, offline=True))

    assert {split: len(e) for split, e in checked.examples.items()} == {
        "test": 330,
        "train": 450,
        "train-small": 150,
    }
    assert checked.notes == ()
    assert suite.labels is not None
    assert len(suite.labels.names) == 15


def test_library_desk_repeats_no_utterance() -> None:
    suite = load_suite("library-desk")
    texts = [
        text.casefold()
        for split in ("test", "train")
        for text in load_examples(suite, split).column("input").to_pylist()
    ]

    assert len(set(texts)) == len(texts) == 780


def test_library_desk_small_is_a_third_of_train() -> None:
    suite = load_suite("library-desk")
    small = set(load_examples(suite, "train-small").ids.to_pylist())
    train = set(load_examples(suite, "train").ids.to_pylist())

    assert small < train


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("library-desk-trees", {"test": 32, "train": 40, "train-small": 20}),
        ("library-desk-requests", {"test": 45, "train": 80, "train-small": 40}),
    ],
)
def test_bundled_suites_of_trees_are_what_they_promise(
    name: str, sizes: dict[str, int]
) -> None:
    suite = load_suite(name)
    checked = check(suite, places_of(suite, offline=True))

    assert {split: len(e) for split, e in checked.examples.items()} == sizes
    assert set(checked.perfect.values()) == {1.0}
    ids = [checked.examples[split].ids.to_pylist() for split in suite.splits]
    test, train, small = map(set, ids)
    assert small < train
    assert not test & train


def test_bundled_documents_have_no_gold_and_stand_in_series_of_three() -> None:
    suite = load_suite("library-desk-documents")
    checked = check(suite, places_of(suite, offline=True))

    assert checked.perfect == {}
    assert checked.slices == {
        f"genre={genre}": 9 for genre in ("guide", "letter", "minutes", "notice")
    }
    series = pc.value_counts(checked.test.column("cluster")).field("counts")
    assert series.to_pylist() == [3] * 12


def test_bundled_trees_pass_the_validator_of_universal_dependencies() -> None:
    base = load_suite("library-desk-trees").base
    assert base is not None
    state = udtools.Validator(lang="en", level=3).validate_files(
        [str(path) for path in sorted(base.glob("*.conllu"))]
    )

    assert state.passed()


def test_bundled_requests_are_the_words_of_their_trees() -> None:
    suite = load_suite("library-desk-requests")

    for split in ("test", "train"):
        table = load_examples(suite, split).table
        for row in table.to_pylist():
            gold = row["gold"]
            words = [w for w in gold.split() if w != "]" and not w.startswith("[")]
            assert " ".join(words) == row["input"]


@pytest.mark.parametrize(
    "name",
    [
        "library-desk",
        "library-desk-documents",
        "library-desk-pages",
        "library-desk-requests",
        "library-desk-trees",
    ],
)
def test_the_bundled_data_stay_small(name: str) -> None:
    base = load_suite(name).base
    assert base is not None

    assert sum(path.stat().st_size for path in base.iterdir()) < 200_000


def test_the_bundled_suite_of_rankings_is_what_it_promises() -> None:
    pytest.importorskip("ir_measures")
    suite = load_suite("library-desk-pages")
    checked = check(suite, places_of(suite, offline=True))

    assert len(checked.test) == 36
    assert checked.perfect == {"query": 1.0, "ndcg": 1.0}
    assert checked.constant == {"query": 0.0, "ndcg": 0.0}
    assert sum(checked.slices.values()) == 36


@pytest.mark.data
def test_every_query_of_cranfield_has_a_relevant_document(mirror: Path) -> None:
    pytest.importorskip("ir_measures")
    suite = load_suite("cranfield")
    checked = check(suite, places_of(suite, mirror, offline=True))

    golds = checked.test.column("gold").to_pylist()
    relevance = [one["relevance"] for judged in golds for one in judged]
    assert len(golds) == 225
    assert {value: relevance.count(value) for value in (0, 1, 3)} == {
        0: 225,
        1: 1611,
        3: 1,
    }
    assert checked.perfect["query"] == 1.0


def test_the_sums_are_what_their_script_writes() -> None:
    folder = load_suite("library-desk-sums").base
    assert folder is not None
    script = ROOT / "experiments" / "suites" / "library_desk_sums.py"
    questions = runpy.run_path(str(script))["questions"]
    written = "".join(json.dumps(one) + "\n" for one in questions())
    assert (folder / "questions.jsonl").read_text("utf-8") == written
