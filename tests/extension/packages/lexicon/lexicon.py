"""`lexicon:FILE`: models of `word label` lines, which can name the word that decided.

The capability `NamesWords` and the question `DecidingWord` are of this package alone;
answers to the question are asked for in batches, resumed and stored like any others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import pyarrow as pa

from compat_eval.adapters import ModelOptions
from compat_eval.core.errors import CapabilityError, ModelError
from compat_eval.core.examples import Examples
from compat_eval.core.fingerprint import file_digest
from compat_eval.runner.questions import Batch


@runtime_checkable
class NamesWords(Protocol):
    """Knows which word of an input decided."""

    def deciding_words(self, items: Sequence[str]) -> list[str | None]:
        """Return a word for each item; `None` where none did."""


@dataclass(frozen=True)
class DecidingWord:
    """The question which word decided: column `word`."""

    column = "word"

    def identity(self) -> dict[str, object]:
        """Return its name."""
        return {"question": "lexicon.deciding_word"}

    def beside(self, examples: Examples) -> None:
        """Return nothing: it is a question about the input alone."""

    def put(self, model: Any, batch: Batch) -> pa.Table:
        """Ask about one batch."""
        if not isinstance(model, NamesWords):
            raise CapabilityError(f"{type(model).__name__} does not name words")
        return pa.table(
            {"word": pa.array(model.deciding_words(batch.items), pa.string())}
        )


@dataclass(frozen=True)
class Lexicon:
    """The model: the first word with a label decides; `*` has the label of the rest."""

    labels: Mapping[str, str]

    def deciding_words(self, items: Sequence[str]) -> list[str | None]:
        """Return the first known word of each text."""
        return [next(filter(self.labels.get, text.split()), None) for text in items]

    def predict(self, items: Sequence[str]) -> pa.Table:
        """Answer each text by itself."""
        words = self.deciding_words(items)
        answers = [self.labels.get(word or "*") for word in words]
        return pa.table({"prediction": pa.array(answers, pa.string())})


@dataclass(frozen=True)
class LexiconFile:
    """A lexicon, known but not loaded."""

    reference: str
    path: Path
    options: ModelOptions

    def fingerprint(self) -> str:
        """Return a SHA-256 of all that decides the answers."""
        return self.options.fingerprint("lexicon", 1, file_digest(self.path))

    def describe(self) -> dict[str, Any]:
        """Return facts for the manifest."""
        return self.options.description(format="lexicon", labels=None, libraries={})

    def load(self) -> Lexicon:
        """Read the file."""
        lines = self.path.read_text("utf-8").splitlines()
        return Lexicon(dict(line.split(" ", 1) for line in lines))


def open_source(location: str, options: ModelOptions) -> LexiconFile:
    """Open a file of `word label` lines."""
    path = Path(location)
    if not path.is_file():
        raise ModelError(f"lexicon:{location}: no such file")
    return LexiconFile(f"lexicon:{location}", path, options)
