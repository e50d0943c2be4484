"""Texts as token ids: one tokenizer call for many, padded only when batched."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
import pyarrow as pa

from compat_eval.core.arrays import Ints
from compat_eval.core.errors import ModelError

Batch: TypeAlias = dict[str, Ints]
"""`input_ids`, `attention_mask` and `token_type_ids`, shape (n_items, n_tokens)."""

_UNSET = 1_000_000
_OFFSET_POSITIONS = ("roberta", "camembert", "longformer", "mpnet", "bigbird_pegasus")


@dataclass(frozen=True, slots=True)
class TextItem:
    """One encoded text.

    Attributes:
        ids: Token ids; none where there is an error.
        segments: Token type ids, where the tokenizer gives any but 0.
        truncated: Whether the text was longer than the model can read.
        error: Why the input cannot be encoded; `None` where it can.

    """

    ids: Sequence[int]
    segments: Sequence[int] | None = None
    truncated: bool = False
    error: str | None = None

    def __len__(self) -> int:
        return max(1, len(self.ids))


@dataclass(frozen=True, slots=True, kw_only=True)
class TextEncoder:
    """A tokenizer with the length that its model can read.

    Attributes:
        tokenizer: A tokenizer of transformers.
        longest: Most tokens of one text, special tokens included.
        padding: What shorter texts are filled up with: the id that the model's
            configuration names, since decoders look for the last token before it;
            `None` where it names none.

    """

    tokenizer: Any
    longest: int
    padding: int | None

    def encode(self, inputs: Sequence[Any]) -> list[TextItem]:
        """Return one item an input: a text, or a pair of texts."""
        items = [_not_text(given) for given in inputs]
        self._fill(items, inputs, [i for i, x in enumerate(inputs) if _is_text(x)])
        self._fill(items, inputs, [i for i, x in enumerate(inputs) if _is_pair(x)])
        return items

    def batches(self, items: Sequence[TextItem]) -> Iterator[tuple[Ints, Batch]]:
        """Yield rows, and the inputs of a model for them; items in error in none.

        Texts share a batch where padding on the right cannot change an answer. A
        model that knows no padding reads one after the other, and one that was
        trained with padding on the left, before which positions count, reads
        texts of one length together.
        """
        good = [row for row, item in enumerate(items) if item.error is None]
        lengths = np.array([len(items[row].ids) for row in good], np.int64)
        if self.padding is None:
            groups = [[row] for row in good]
        elif self.tokenizer.padding_side == "left":
            groups = [np.array(good)[lengths == n].tolist() for n in np.unique(lengths)]
        else:
            groups = [good] if good else []
        for rows in groups:
            yield np.array(rows, np.int64), self._padded([items[row] for row in rows])

    def _padded(self, items: Sequence[TextItem]) -> Batch:
        lengths = [len(item.ids) for item in items]
        shape = (len(items), max(lengths))
        batch = {
            "input_ids": np.full(shape, self.padding or 0, np.int64),
            "attention_mask": np.zeros(shape, np.int64),
            "token_type_ids": np.zeros(shape, np.int64),
        }
        for row, (item, length) in enumerate(zip(items, lengths, strict=True)):
            batch["input_ids"][row, :length] = item.ids
            batch["attention_mask"][row, :length] = 1
            if item.segments is not None:
                batch["token_type_ids"][row, :length] = item.segments
        return batch

    def _fill(
        self, items: list[TextItem], inputs: Sequence[Any], places: list[int]
    ) -> None:
        if not places:
            return
        encoded = self.tokenizer(
            [_plain(inputs[i]) for i in places],
            truncation=True,
            max_length=self.longest,
            return_attention_mask=False,
        )
        segments = encoded.get("token_type_ids")
        for row, (place, ids) in enumerate(
            zip(places, encoded["input_ids"], strict=True)
        ):
            items[place] = TextItem(
                ids=ids,
                segments=_unless_zero(segments[row]) if segments else None,
                truncated=len(ids) >= self.longest and _overflows(encoded, row),
                error=None if ids else "the tokenizer makes no token of this text",
            )


def open_encoder(
    tokenizer: Any,  # noqa: ANN401
    config: Mapping[str, Any],
) -> TextEncoder:
    """Return a tokenizer's encoder for a model of this configuration.

    The longest text is what both the tokenizer and the positions allow.

    Raises:
        ModelError: Neither says how long a text may be.

    """
    told = tokenizer.model_max_length
    if not isinstance(told, int | float):
        raise ModelError(
            f"tokenizer_config.json: 'model_max_length' must be a number; got {told!r}"
        )
    limits = [int(min(told, _UNSET)), _positions(config)]
    stated = [limit for limit in limits if limit < _UNSET]
    if not stated:
        raise ModelError(
            "neither the tokenizer (model_max_length) nor config.json "
            "(max_position_embeddings) says how long a text may be; add one."
        )
    return TextEncoder(
        tokenizer=tokenizer,
        longest=min(stated),
        padding=config.get("pad_token_id"),
    )


class ReadItem(Protocol):
    """An encoded input that may be in error, or longer than what is read."""

    @property
    def error(self) -> str | None:
        """Why it cannot be read; `None` where it can."""

    @property
    def truncated(self) -> bool:
        """Whether it is longer than what is read."""


def with_item_errors(table: pa.Table, items: Sequence[ReadItem]) -> pa.Table:
    """Put what was wrong with the items themselves into a table of answers."""
    if any(item.error for item in items):
        scored = table["error"].to_pylist()
        errors = [item.error or text for item, text in zip(items, scored, strict=True)]
        at = table.column_names.index("error")
        table = table.set_column(at, "error", pa.array(errors, pa.string()))
    truncated = pa.array([item.truncated for item in items], pa.bool_())
    return table.append_column("truncated", truncated)


def _positions(config: Mapping[str, Any]) -> int:
    positions = config.get("max_position_embeddings") or config.get("n_positions")
    if not positions:
        return _UNSET
    kind = str(config.get("model_type", ""))
    if any(name in kind for name in _OFFSET_POSITIONS):
        # These number positions from pad_token_id + 1.
        return int(positions) - int(config.get("pad_token_id") or 1) - 1
    return int(positions)


def _is_text(given: object) -> bool:
    return isinstance(given, str)


def _is_pair(given: object) -> bool:
    return (
        isinstance(given, list | tuple)
        and len(given) == 2  # noqa: PLR2004
        and all(isinstance(part, str) for part in given)
    )


def _not_text(given: object) -> TextItem:
    kind = "null" if given is None else type(given).__name__
    return TextItem(
        ids=(), error=f"the input must be a text or a pair of texts; got {kind}"
    )


def _plain(given: str | Sequence[str]) -> str | tuple[str, ...]:
    """Replace lone surrogates, which no tokenizer accepts."""
    if isinstance(given, str):
        return given.encode("utf-8", "replace").decode("utf-8")
    return tuple(str(_plain(part)) for part in given)


def _unless_zero(segments: Sequence[int]) -> Sequence[int] | None:
    return segments if any(segments) else None


def _overflows(encoded: Any, row: int) -> bool:  # noqa: ANN401
    return encoded.encodings is None or bool(encoded.encodings[row].overflowing)
