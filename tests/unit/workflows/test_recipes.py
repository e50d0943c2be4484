"""A model trained in NEW's place: by hand, through `--mitigate`, and once only."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from compat_eval.core.errors import OutputError, UsageError
from compat_eval.core.progress import Silence
from compat_eval.mitigations.spec import MitigationSpec
from compat_eval.mitigations.train.distillation import distillation
from compat_eval.models.training.train import train_model
from compat_eval.runner.ask import ask
from compat_eval.runner.questions import Predict
from compat_eval.suite.examples import load_examples
from compat_eval.suite.load import load_suite
from compat_eval.workflows.compare import Compared, compare_sides
from compat_eval.workflows.mitigate import mitigate
from compat_eval.workflows.options import Options
from compat_eval.workflows.recipes import open_recipe
from tests.fakes import FakeModel, FakeSource

pytest.importorskip("skops")

WORDS = {"x": "apple pear plum", "y": "dog cat cow", "z": "red blue green"}


def rows(part: str, labels: dict[str, str]) -> str:
    made = []
    for label, words in WORDS.items():
        for at, word in enumerate(words.split()):
            text = f"{word} {part} {at}"
            made.append(
                {"id": f"{part}-{word}", "input": text, "gold": labels.get(word, label)}
            )
    return "".join(json.dumps(row) + "\n" for row in made)


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    (tmp_path / "train.jsonl").write_text(rows("some", {}), "utf-8")
    (tmp_path / "first.jsonl").write_text(rows("some", {"plum": "y"}), "utf-8")
    (tmp_path / "dev.jsonl").write_text(rows("dev", {}), "utf-8")
    (tmp_path / "test.jsonl").write_text(rows("test", {}), "utf-8")
    path = tmp_path / "suite.yaml"
    path.write_text(
        "name: toy\nversion: '1'\nlicence: CC0-1.0\ndescription: Toys.\n"
        "task: classification\nfields: {id: id, input: input, gold: gold}\n"
        "data: {test: {file: test.jsonl}, dev: {file: dev.jsonl}, "
        "train: {file: train.jsonl}, first: {file: first.jsonl}}\n",
        "utf-8",
    )
    return path


def trained(suite: Path, out: Path, split: str) -> str:
    loaded = load_suite(suite)
    train_model(
        "tfidf",
        load_examples(loaded, split),
        load_examples(loaded, "dev"),
        seed=3,
        out=out,
        config={},
        progress=Silence(),
        data=f"toy 1 {split}, dev dev",
    )
    return f"compat:{out}"


@pytest.fixture
def old(suite: Path, tmp_path: Path) -> str:
    """A model that takes plums for animals."""
    return trained(suite, tmp_path / "old", "first")


@pytest.fixture
def new(suite: Path, tmp_path: Path) -> str:
    return trained(suite, tmp_path / "new", "train")


def options(suite: Path, tmp_path: Path, **fields: Any) -> Options:
    return Options(suite=suite, cache=tmp_path / "cache", **fields)


def answer(reference: str, suite: Path) -> dict[str, str]:
    from compat_eval.adapters.compat import open_source
    from compat_eval.adapters.options import ModelOptions

    source = open_source(reference.removeprefix("compat:"), ModelOptions())
    asked = load_examples(load_suite(suite), "train")
    found = ask(source, asked, Predict())
    return dict(
        zip(found.ids.to_pylist(), found.column("prediction").to_pylist(), strict=True)
    )


def tried(old: Any, new: Any, chosen: Options, text: str = "distill") -> Compared:
    return compare_sides(old, new, replace(chosen, mitigate=(text,)))


def of_mitigation(found: Compared) -> dict[str, Any]:
    """Return the update from OLD to what was trained."""
    [one] = [
        update.to_dict()
        for update in found.comparison.tasks[0].updates
        if update.mitigation
    ]
    return one


def test_new_is_trained_anew_on_what_old_answers(
    suite: Path, tmp_path: Path, old: str, new: str
) -> None:
    made = mitigate(
        "distill", old, new, options(suite, tmp_path), out=tmp_path / "taught"
    )

    assert made.reference == f"compat:{tmp_path / 'taught'}"
    assert answer(new, suite)["some-plum"] == "x"
    assert answer(made.reference, suite) == answer(old, suite)
    record = json.loads((tmp_path / "taught/training.json").read_text("utf-8"))
    assert (record["model"], record["seed"]) == ("tfidf", 3)
    assert (
        record["data"]["name"] == "answers of OLD (min_right 0) to toy 1 train, dev dev"
    )


def test_where_old_is_wrong_gold_can_stay(
    suite: Path, tmp_path: Path, old: str, new: str
) -> None:
    made = mitigate(
        "distill:min_right=1", old, new, options(suite, tmp_path), out=tmp_path / "t"
    )

    assert answer(made.reference, suite) == answer(new, suite)


def test_the_same_training_is_not_done_twice_and_another_is_refused(
    suite: Path, tmp_path: Path, old: str, new: str
) -> None:
    asked, out = options(suite, tmp_path), tmp_path / "taught"
    mitigate("distill", old, new, asked, out=out)
    before = {path: path.stat().st_mtime_ns for path in out.iterdir()}

    mitigate("distill", old, new, asked, out=out)

    assert {path: path.stat().st_mtime_ns for path in out.iterdir()} == before
    with pytest.raises(OutputError, match="trained from other models, examples or"):
        mitigate("distill:min_right=1", old, new, asked, out=out)
    with pytest.raises(OutputError, match="trained from other models, examples or"):
        mitigate("distill", new, new, asked, out=out)


def test_a_comparison_trains_it_once_and_shows_it_beside_new(
    suite: Path, tmp_path: Path, old: str, new: str
) -> None:
    chosen = options(suite, tmp_path, split="train")

    first = tried(old, new, chosen, "distill:overlap=allow")
    again = tried(old, new, chosen, "distill:overlap=allow")

    one = of_mitigation(first)
    assert one["mitigation"]["name"] == "distill:overlap=allow"
    assert one["mitigation"]["cost"] == {
        "old_passes": 0,
        "new_passes": 1,
        "candidates": 0,
    }
    # It answers as OLD does, so that it breaks and fixes nothing.
    assert one["levels"]["example"]["counts"] == {
        "kept": 8,
        "broken": 0,
        "fixed": 0,
        "missed": 1,
    }
    assert again.comparison.to_dict() == first.comparison.to_dict()
    assert again.answered.mitigated[0].effort.answered == 0
    assert len(list((tmp_path / "cache/trained").glob("??/*"))) == 1


def test_without_a_cache_it_is_trained_for_this_comparison_alone(
    suite: Path, tmp_path: Path, old: str, new: str
) -> None:
    chosen = Options(suite=suite, split="train")
    found = tried(old, new, chosen, "distill:overlap=allow")

    assert of_mitigation(found)["levels"]["example"]["counts"]["broken"] == 0
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("distill:split=nothing", "has no split 'nothing' to learn from"),
        ("distill:dev=nothing", "has no split 'nothing' to learn from"),
        ("distill:train_seed=-1", "train_seed must be a"),
        ("distill:min_right=2", r"min_right must be a number in \[0, 1\]"),
        ("distill:with=x", "distill has no option 'with'; known: dev, min_right"),
    ],
)
def test_what_cannot_be_trained_is_told_before_anything_is_asked(
    suite: Path, tmp_path: Path, old: str, new: str, *, text: str, says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        tried(old, new, options(suite, tmp_path), text)

    assert not (tmp_path / "cache").exists()


def test_a_model_that_does_not_say_how_it_was_trained_is_refused(
    suite: Path, tmp_path: Path
) -> None:
    other = FakeSource(FakeModel({}), reference="fake:new")
    spec = MitigationSpec.parse("distill:split=train,dev=none")
    run = open_recipe(
        spec,
        other,
        other,
        suite=load_suite(suite),
        options=options(suite, tmp_path),
    )

    with pytest.raises(UsageError, match="fake:new does not say how it was trained"):
        run.train(tmp_path / "out", None, None)


def test_without_a_suite_there_is_nothing_to_learn_from(
    tmp_path: Path, old: str, new: str
) -> None:
    chosen = Options(gold=tmp_path / "test.jsonl")

    with pytest.raises(UsageError, match="learns from the splits of a suite"):
        tried(old, new, chosen)


class Noted(Silence):
    said: str = ""

    def note(self, message: str) -> None:
        self.said += message


def test_learning_from_what_is_compared_is_refused_with_the_examples(
    suite: Path, tmp_path: Path, old: str, new: str
) -> None:
    with pytest.raises(UsageError, match="9 of the 9 examples of split train are"):
        tried(old, new, options(suite, tmp_path, split="train"))

    test = suite.with_name("test.jsonl")
    leaked = {"id": "test-leak", "input": "  SOME apple 0", "gold": "x"}
    leaked["input"] = "Apple  some 0"
    test.write_text(test.read_text("utf-8") + json.dumps(leaked) + "\n", "utf-8")
    for text in ("distill", "distill:min_right=1"):
        with pytest.raises(UsageError, match=r"1 of the 9 .* \(some-apple\)"):
            tried(old, new, options(suite, tmp_path), text)
        with pytest.raises(UsageError, match="overlap=drop"):
            mitigate(text, old, new, options(suite, tmp_path), out=tmp_path / "m")
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("overlap", "says"),
    [("drop", "it learns without them"), ("allow", "from them, too")],
)
def test_what_was_dropped_or_allowed_is_told_in_the_run(
    suite: Path, tmp_path: Path, old: str, new: str, *, overlap: str, says: str
) -> None:
    train, test = suite.with_name("train.jsonl"), suite.with_name("test.jsonl")
    first = train.read_text("utf-8").splitlines(keepends=True)[0]
    test.write_text(test.read_text("utf-8") + first, "utf-8")

    found = tried(old, new, options(suite, tmp_path), f"distill:overlap={overlap}")

    [note, *_] = of_mitigation(found)["mitigation"]["notes"]
    assert note.startswith("1 examples of split train are among those of split test")
    assert says in note


def test_other_examples_than_new_had_are_told(
    suite: Path, tmp_path: Path, old: str, new: str
) -> None:
    noted = Noted()
    mitigate(
        "distill:split=first",
        old,
        new,
        options(suite, tmp_path),
        out=tmp_path / "taught",
        progress=noted,
    )

    assert "NEW was trained on other examples than split first" in noted.said


@pytest.fixture
def grid(monkeypatch: pytest.MonkeyPatch) -> str:
    """Let dev choose how much of OLD's answers teaches."""
    monkeypatch.setattr(distillation.settings, "grids", {"min_right": (0.0, 1.0)})
    return "distill:min_right=auto,delta=0.5"


def test_a_recipe_s_settings_are_chosen_on_dev_by_the_same_rule(
    suite: Path, tmp_path: Path, old: str, new: str, grid: str
) -> None:
    found = tried(old, new, options(suite, tmp_path), grid)

    facts = of_mitigation(found)["mitigation"]
    chosen = facts["chosen"]
    assert [one["values"]["min_right"] for one in chosen["tried"]] == [0.0, 1.0]
    assert chosen["split"] == "dev"
    assert facts["options"]["min_right"] == chosen["values"]["min_right"]
    assert len(list((tmp_path / "cache/trained").glob("??/*"))) == 2


def test_progress_calls_what_is_tried_by_its_setting_and_not_its_place(
    suite: Path, tmp_path: Path, old: str, new: str, *, grid: str
) -> None:
    shown = Labels()
    mitigate(
        grid, old, new, options(suite, tmp_path), out=tmp_path / "m", progress=shown
    )

    of_settings = [one for one in shown.said if "of 2 (min_right=" in one]
    assert of_settings
    assert not [one for one in of_settings if "cache" in one]


class Labels(Silence):
    def __init__(self) -> None:
        self.said: list[str] = []

    def start(self, label: str, *, total: int, done: int = 0) -> None:
        self.said.append(label)


def test_what_was_trained_before_an_interruption_is_not_trained_again(
    suite: Path, old: str, new: str, grid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path, trainings = suite.parent, []

    def train(*args: Any, out: Path, **named: Any) -> dict[str, Any]:
        trainings.append(out)
        if len(trainings) == 2:
            raise KeyboardInterrupt
        return train_model(*args, out=out, **named)

    place = "compat_eval.mitigations.train.distillation.train_model"
    monkeypatch.setattr(place, train)
    asked = options(suite, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        mitigate(grid, old, new, asked, out=tmp_path / "m")
    made = mitigate(grid, old, new, asked, out=tmp_path / "m")

    assert len(trainings) == 3
    assert trainings[1] == trainings[2]
    assert made.choice is not None
    right = made.choice.facts["values"]["min_right"]
    record = json.loads((tmp_path / "m/training.json").read_text("utf-8"))
    assert record["data"]["name"].startswith(f"answers of OLD (min_right {right:g})")
    assert not (tmp_path / "m/.training").exists()


def test_settings_are_not_chosen_where_the_recipe_learns(
    suite: Path, tmp_path: Path, old: str, new: str, grid: str
) -> None:
    with pytest.raises(UsageError, match="learns from split dev, so its settings"):
        tried(old, new, options(suite, tmp_path), f"{grid},split=dev")


def test_the_same_training_in_other_words_is_given_twice(
    suite: Path, tmp_path: Path, old: str, new: str
) -> None:
    chosen = options(
        suite, tmp_path, mitigate=("distill", "distill:split=train,train_seed=3")
    )

    with pytest.raises(UsageError, match="is given twice"):
        compare_sides(old, new, chosen)


def test_a_new_that_takes_no_loss_is_refused_with_what_works(
    suite: Path, tmp_path: Path, old: str, new: str
) -> None:
    with pytest.raises(UsageError, match="tfidf takes none; distill needs none"):
        mitigate("naive", old, new, options(suite, tmp_path), out=tmp_path / "naive")


def relabelled(suite: Path, out: Path, names: dict[str, str]) -> str:
    """Train on the train split with other names of some labels; drop those of ''."""
    rows = [
        json.loads(line)
        for line in suite.with_name("train.jsonl").read_text("utf-8").splitlines()
    ]
    named = [{**row, "gold": names.get(row["gold"], row["gold"])} for row in rows]
    lines = "".join(json.dumps(row) + "\n" for row in named if row["gold"])
    suite.with_name("first.jsonl").write_text(lines, "utf-8")
    return trained(suite, out, "first")


def test_labels_that_old_does_not_know_are_told_in_the_run(
    suite: Path, tmp_path: Path, new: str
) -> None:
    old = relabelled(suite, tmp_path / "old", {"z": ""})

    found = tried(old, new, options(suite, tmp_path))

    notes = of_mitigation(found)["mitigation"]["notes"]
    assert notes == [
        "OLD does not know 1 of the 3 labels (z); of these gold alone is learned."
    ]


def test_where_no_label_is_shared_a_recipe_is_refused(
    suite: Path, tmp_path: Path, new: str
) -> None:
    old = relabelled(suite, tmp_path / "old", {"x": "a", "y": "b", "z": "c"})
    named = "labels: {names: [a, b, c, x, y, z]}\n"
    suite.write_text(suite.read_text("utf-8") + named, "utf-8")

    with pytest.raises(UsageError, match="OLD knows none of the 3 labels"):
        mitigate("distill", old, new, options(suite, tmp_path), out=tmp_path / "m")
