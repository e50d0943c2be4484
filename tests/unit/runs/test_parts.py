from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from compat_eval.core.errors import (
    CompatEvalError,
    CoverageError,
    DataError,
    UsageError,
)
from compat_eval.runs.claim import claim
from compat_eval.runs.parts import Part, read_parts, write_part
from tests.fakes import examples, predictions

EXAMPLES = examples(id=["a", "b"], input=["q", "r"])


def part(index: int, count: int = 2, **changes: Any) -> Part:
    own = predictions(id=["ab"[index % 2]], prediction=["x"])
    plain = Part(
        index=index,
        count=count,
        identity={"fingerprints": {"old": "1", "new": "2"}, "seed": 0},
        about={"host": index},
        examples=EXAMPLES,
        answers={"old": own, "new": own},
    )
    return replace(plain, **changes)


def written(folder: Path, *parts: Part) -> list[Path]:
    paths = [folder / f"part-{at}" for at in range(len(parts))]
    for path, one in zip(paths, parts, strict=True):
        with claim(path) as place:
            write_part(place, one)
    return paths


def test_parts_are_read_in_the_order_of_their_shares(tmp_path: Path) -> None:
    found = read_parts(written(tmp_path, part(2), part(1)))

    assert [(p.index, p.count, p.about) for p in found] == [
        (1, 2, {"host": 1}),
        (2, 2, {"host": 2}),
    ]
    assert found[0].identity == part(1).identity
    assert found[0].answers["old"].table.equals(part(1).answers["old"].table)
    assert found[0].examples.table.equals(EXAMPLES.table)


@pytest.mark.parametrize(
    ("parts", "kind", "message"),
    [
        ((), UsageError, "name the directories of all parts"),
        ((part(1),), CoverageError, "1 of 2 shards are missing: 2/2"),
        ((part(1), part(2), part(1)), CoverageError, "more than once: 1/2"),
        ((part(1), part(2, 3)), DataError, r"number of shards \(3 and 2\)"),
        (
            (part(1), part(2, identity={"seed": 1})),
            DataError,
            "they differ in fingerprints, seed",
        ),
        (
            (part(1), part(2, examples=examples(id=["a"], input=["q"]))),
            DataError,
            "they differ in the examples",
        ),
    ],
)
def test_parts_that_do_not_belong_together_are_refused(
    parts: tuple[Part, ...], kind: type[CompatEvalError], message: str, tmp_path: Path
) -> None:
    with pytest.raises(kind, match=message):
        read_parts(written(tmp_path, *parts))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "is no part of a run.*No such file"),
        ('{"schema_version": 2}', "field 'shard' is missing"),
        ("{", "expected JSON"),
    ],
)
def test_a_damaged_part_is_told(text: str | None, message: str, tmp_path: Path) -> None:
    [path] = written(tmp_path, part(1, 1))
    (path / "part.json").unlink()
    if text is not None:
        (path / "part.json").write_text(text)

    with pytest.raises(DataError, match=message):
        read_parts([path])


@pytest.mark.parametrize(
    "name", ["part.json", "examples.parquet", "predictions/new.parquet"]
)
def test_a_part_that_was_changed_is_refused(name: str, tmp_path: Path) -> None:
    said = {"old": part(1).answers["old"]}
    said["new"] = predictions(id=["b"], prediction=["y"])
    asked = examples(id=["a", "b"], input=["q", "s"])
    [path] = written(tmp_path / "one", part(1, 1))
    [other] = written(tmp_path / "other", part(1, 1, examples=asked, answers=said))
    (path / name).write_bytes((other / name).read_bytes())

    with pytest.raises(DataError, match="was changed after it was written"):
        read_parts([path])
