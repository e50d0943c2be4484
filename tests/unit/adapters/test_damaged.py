"""Files of models with random damage: refused, or read; never a crash."""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from compat_eval.adapters import ADAPTERS, ModelOptions
from compat_eval.core.errors import CompatEvalError

pytestmark = pytest.mark.torch

VALUES = [None, True, -1, 1.5, 10**30, "", "x", [], {}, ["a"], {"a": 1}, [None]]


def places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths to everything inside a JSON document."""
    inside: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        inside = list(value.items())
    elif isinstance(value, list):
        inside = list(enumerate(value[:3]))
    return [path, *(p for key, one in inside for p in places(one, (*path, key)))]


def edited(document: Any, rng: random.Random) -> Any:
    *path, last = rng.choice(places(document)[1:])
    at = document
    for key in path:
        at = at[key]
    if isinstance(at, dict) and rng.random() < 0.2:
        del at[last]
    else:
        at[last] = rng.choice(VALUES)
    return document


def damage(path: Path, rng: random.Random) -> None:
    """Change a value of a JSON file; or cut a file, empty it, or change its bytes."""
    if path.suffix == ".json" and rng.random() < 0.8:
        path.write_text(json.dumps(edited(json.loads(path.read_text()), rng)))
        return
    content = bytearray(path.read_bytes())
    if rng.random() < 0.5:
        del content[rng.randrange(len(content)) :]
    else:
        for _ in range(rng.choice([1, 3, 20])):
            content[rng.randrange(min(len(content), 2000))] = rng.randrange(256)
    path.write_bytes(content)


@pytest.fixture
def encoder(bert: Path) -> tuple[str, Path]:
    return "hf", bert


@pytest.fixture
def decoder(gpt_factory: Callable[..., Path]) -> tuple[str, Path]:
    return "hf", gpt_factory(0, "[PAD]", "right")


@pytest.fixture
def parser(spacy_parser: Path) -> tuple[str, Path]:
    return "spacy", spacy_parser


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["encoder", "decoder", "parser"])
def test_a_damaged_model_is_refused_or_read(
    kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    scheme, whole = request.getfixturevalue(kind)
    rng = random.Random(7)  # noqa: S311 - a fuzz, no secret
    refused = 0
    for _ in range(40):
        copy = tmp_path_factory.mktemp("damaged") / "model"
        shutil.copytree(whole, copy)
        files = sorted(path for path in copy.rglob("*") if path.stat().st_size)
        damage(rng.choice([path for path in files if path.is_file()]), rng)
        try:
            source = ADAPTERS.load(scheme)(str(copy), ModelOptions())
            source.describe()
            source.fingerprint()
            source.load()
        except CompatEvalError:
            refused += 1
        shutil.rmtree(copy)

    assert refused > 15
