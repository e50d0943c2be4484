"""Mitigations that saw what is compared, by whatever name, buy no PASS."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.trust.conftest import Command, Ended

pytest.importorskip("torch")

WORDS = {"loan": "borrow lend keep", "fee": "pay owe charge", "hours": "open shut late"}
GATES = "gates: [{quantity: nfr, at_most: 0.2}]\n"
BAG = "{epochs: 3, width: 8, n_buckets: 64}\n"


def rows(part: str, count: int, change: Callable[[dict[str, str]], Any]) -> None:
    """Write a split of questions whose words tell what is right."""
    made = []
    for at in range(count):
        label = list(WORDS)[at % 3]
        text = f"{WORDS[label].split()[at // 3 % 3]} {part} {at}"
        row = {"id": f"{part}-{at}", "input": text, "gold": label}
        made.append(json.dumps(change(row)))
    Path(f"{part}.jsonl").write_text("\n".join(made) + "\n")


def of_test(**change: Callable[[str], str]) -> Callable[[dict[str, str]], Any]:
    """Return what makes a row the one of the test split, in other words."""
    tests = map(json.loads, Path("test.jsonl").read_text().splitlines())

    def changed(row: dict[str, str]) -> Any:
        found = next(tests)
        found |= {name: how(found[name]) for name, how in change.items()}
        return {**found, "id": row["id"]}

    return changed


def next_label(label: str) -> str:
    labels = list(WORDS)
    return labels[(labels.index(label) + 1) % 3]


@pytest.fixture(autouse=True)
def _desk(command: Command) -> None:
    for part, count in (("train", 30), ("test", 60), ("dev", 30)):
        rows(part, count, lambda row: row)
    rows("alias", 60, of_test(input=lambda text: f"  {text.upper()}\u00a0"))
    rows("scrambled", 60, of_test(gold=next_label))
    splits = "".join(
        f"  {one}: {{file: {one}.jsonl}}\n"
        for one in ("test", "train", "dev", "scrambled")
    )
    head = (
        "name: desk\nversion: '1'\ndescription: Toys.\ntask: classification\n"
        "fields: {id: id, input: input, gold: gold}\ndata:\n"
    )
    Path("suite.yaml").write_text(f"{head}{splits}")
    Path("leaky.yaml").write_text(f"{head}{splits}".replace("dev.jsonl", "alias.jsonl"))
    Path("gates.yaml").write_text(GATES)
    Path("bag.yaml").write_text(BAG)
    train(command, "old", "train", 1)


def train(command: Command, out: str, split: str, seed: int) -> None:
    ended = command(
        *("train", "suite.yaml", "--model", "embedding-bag", "--config", "bag.yaml"),
        *("--split", split, "--dev", "none", "--seed", seed, "--out", out),
    )
    assert ended.code == 0


@pytest.mark.parametrize(
    "kept",
    ["", "mix:weight=0.3", "bcwi:weight=0.1", "naive:overlap=allow"],
)
def test_a_new_that_learned_what_is_compared_does_not_pass(
    command: Command, compare: Command, kept: str
) -> None:
    train(command, "cheat", "test", 2)
    new = "cheat"
    if kept:
        asked = ("old", "cheat", "--suite", "suite.yaml", "--out", "kept")
        assert command("mitigate", kept, *asked).code == 0
        new = "kept"

    ended = compare("old", new, "--suite", "suite.yaml", "--gates", "gates.yaml")

    assert ended.code == 3
    assert "new was trained on the examples of split test" in " ".join(
        ended.comparison()["doubts"]
    )


@pytest.mark.parametrize(
    "method", ["mix:weight=auto", "gated:tilt=0", "cost-ratio", "route", "bcwi"]
)
def test_dev_is_not_the_test_split_under_another_name(
    command: Command, compare: Command, method: str
) -> None:
    train(command, "new", "train", 2)
    sides = ("old", "new", "--suite", "leaky.yaml")

    tried = compare(*sides, "--mitigate", method)
    kept = command("mitigate", method, *sides, "--out", "kept")

    for ended in (tried, kept):
        assert ended.code == 2
        assert (
            "all 60 examples of split dev are among those of split test" in ended.said
        )
    assert not Path("kept").exists()


def test_what_dev_shares_with_test_is_left_out_and_told(
    command: Command, compare: Command
) -> None:
    train(command, "new", "train", 2)
    one = Path("alias.jsonl").read_text().splitlines()[0]
    Path("dev.jsonl").write_text(f"{Path('dev.jsonl').read_text()}{one}\n")

    ended = compare(
        *("old", "new", "--suite", "suite.yaml", "--inconclusive", "pass"),
        *("--mitigate", "mix:weight=auto"),
    )

    assert ended.code == 0
    [found] = [
        one["mitigation"]
        for one in ended.comparison()["tasks"][0]["updates"]
        if "mitigation" in one
    ]
    assert found["chosen"]["n_examples"] == 30
    assert "1 examples of split dev are among those of split test" in found["notes"][0]


@pytest.mark.parametrize("split", ["scrambled", "test"])
@pytest.mark.parametrize("method", ["distill", "naive", "focal"])
def test_a_teacher_does_not_tell_its_answers_to_what_is_compared(
    command: Command, method: str, split: str
) -> None:
    """Other gold answers beside the same questions hide nothing."""
    train(command, "new", "train", 2)

    ended = command(
        *("mitigate", f"{method}:split={split}", "old", "new"),
        *("--suite", "suite.yaml", "--out", "kept"),
    )

    assert ended.code == 2
    assert f"60 of the 60 examples of split {split} are among those" in ended.said
    assert not Path("kept").exists()


EDITS: dict[str, tuple[str, dict[str, Any]]] = {
    "a gate that is empty": ("gated:tilt=0", {"gate": {}}),
    "a gate of words": ("gated:tilt=0", {"gate": "open"}),
    "a gate without a temperature": ("gated:tilt=0", {"gate": {"temperature": 0}}),
    "a gate that is no number": ("gated:tilt=0", {"gate": {"bias": float("nan")}}),
    "a gate of fewer weights": ("gated:tilt=0", {"gate": {"weights": [1.0]}}),
    "counts below 0": ("cost-ratio", {"prior": {"loan": -9}}),
    "counts that are words": ("cost-ratio", {"old_confusion": {"loan": "many"}}),
    "kinds that are none": ("route", {"kept": 3}),
    "a rule that is none": ("route", {"rule": {"nonsense": 1}}),
    "a share above 1": ("mix:weight=0.3", {"weight": 3}),
    "a temperature of 0": ("mix:weight=0.3", {"old_temperature": 0}),
}


@pytest.mark.parametrize("case", EDITS)
def test_what_dev_taught_is_refused_where_it_was_edited_to_nonsense(
    command: Command, compare: Command, case: str
) -> None:
    method, edits = EDITS[case]
    train(command, "new", "train", 2)
    sides = ("old", "new", "--suite", "suite.yaml")
    assert command("mitigate", method, *sides, "--out", "kept").code == 0
    path = Path("kept", "config.json")
    config = json.loads(path.read_text())
    for name, value in edits.items():
        learned = config["options"][name]
        part = case.startswith("a gate") and isinstance(value, dict) and value
        config["options"][name] = {**learned, **value} if part else value
    path.write_text(json.dumps(config))

    ended = compare("old", "kept", "--suite", "suite.yaml", "--gates", "gates.yaml")

    assert ended.code == 2


@pytest.mark.parametrize("place", ["kept", "cache"])
def test_a_model_that_was_exchanged_after_its_training_is_refused(
    command: Command, compare: Command, place: str
) -> None:
    """OLD's weights in its place would break nothing."""
    train(command, "new", "train", 2)
    sides = ("old", "new", "--suite", "suite.yaml")

    def again() -> Ended:
        if place == "kept":
            return command("mitigate", "naive", *sides, "--out", "kept")
        return compare(*sides, "--mitigate", "naive", "--inconclusive", "pass")

    assert again().code == 0
    [weights] = Path(place).rglob("model.safetensors")
    weights.write_bytes(Path("old", weights.name).read_bytes())

    ended = again()

    assert ended.code == 2
    assert "was changed since it was trained" in ended.said


@pytest.mark.parametrize(
    "method",
    ["mix:weight=auto", "gated:tilt=0", "bcwi:weight=auto", "naive:share=auto"],
)
def test_what_was_learned_on_dev_does_not_pass_on_dev(
    command: Command, compare: Command, method: str
) -> None:
    train(command, "new", "train", 2)
    asked = ("old", "new", "--suite", "suite.yaml", "--out", "kept")
    assert command("mitigate", method, *asked).code == 0
    sides = ("old", "kept", "--suite", "suite.yaml", "--gates", "gates.yaml")

    ended = compare(*sides, "--split", "dev")

    assert ended.code == 3
    assert "new was trained on the examples of split dev" in " ".join(
        ended.comparison()["doubts"]
    )
    assert compare(*sides, "--overwrite").comparison()["doubts"] == []
