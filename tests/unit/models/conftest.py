"""Examples that a small model learns in a moment."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from compat_eval.core.examples import Examples

VERBS = {"play": ["music", "rock", "a song"], "book": ["a table", "a room", "seats"]}


class Notes:
    """A progress that remembers, and may stop the work: that of a training's own."""

    def __init__(self, *, stop_at: int | None = None) -> None:
        self.notes: list[str] = []
        self.done = 0
        self.stop_at = stop_at
        self.trains = True

    def start(self, label: str, *, total: int, done: int = 0) -> None:
        self.trains = not label.startswith("encoder:")

    def advance(self, count: int) -> None:
        self.done += count if self.trains else 0

    def note(self, message: str) -> None:
        self.notes.append(message)

    def stop(self) -> None:
        if self.stop_at is not None and self.done >= self.stop_at:
            raise KeyboardInterrupt


def sentences(n: int, seed: int = 0) -> Examples:
    rng = np.random.default_rng(seed)
    rows: dict[str, list[Any]] = {"id": [], "input": [], "gold": []}
    for number in range(n):
        verb = ["play", "book"][number % 2]
        rows["id"].append(f"s{number}")
        rows["input"].append(f"please {verb} {rng.choice(VERBS[verb])} {number % 7}")
        rows["gold"].append(verb)
    return Examples(pa.table(rows))


@pytest.fixture
def progress() -> Notes:
    return Notes()


@pytest.fixture
def interrupted() -> Callable[[int], Notes]:
    return lambda stop_at: Notes(stop_at=stop_at)


@pytest.fixture(scope="session")
def examples() -> Examples:
    return sentences(60)


@pytest.fixture(scope="session")
def dev() -> Examples:
    return sentences(20, seed=1)


@pytest.fixture(scope="session")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random encoder of transformers with its tokenizer, without a head."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    directory = tmp_path_factory.mktemp("encoder")
    words = "please play book music rock a song table room seats".split()  # noqa: SIM905
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocab = {word: number for number, word in enumerate([*special, *words])}
    tokenizer = transformers.BertTokenizer(vocab=vocab, model_max_length=16)
    tokenizer.save_pretrained(directory)
    config = transformers.BertConfig(
        vocab_size=len(vocab),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=37,
        max_position_embeddings=16,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        transformers.BertModel(config).save_pretrained(directory)
    return directory
