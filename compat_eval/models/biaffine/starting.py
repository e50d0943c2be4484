"""A training that begins from the weights of a trained biaffine parser.

Words, characters, tags and relations are matched by name: what the trained parser does
not know keeps its random numbers.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from compat_eval.core.errors import ModelError, UsageError
from compat_eval.core.files import read_json
from compat_eval.models.biaffine.network import BiaffineNetwork
from compat_eval.models.biaffine.parser import BiaffineParser, load
from compat_eval.models.parsing.vocabulary import ROOT, Vocabulary

_RESERVED = ROOT + 1
_EMBEDDINGS = {
    "encoder.tokens.words.weight": "words",
    "encoder.tokens.characters.weight": "characters",
    "encoder.tokens.tags.weight": "tags",
}


def saved_parser(directory: Path, setting: str) -> BiaffineParser:
    """Read a trained biaffine parser that a setting names.

    Raises:
        UsageError: There is none.

    """
    try:
        config = read_json(directory / "config.json")
        kind = config["compat_eval"]["kind"]
        if kind == "biaffine":
            return load(directory, labels=tuple(config["labels"]), device="cpu")
        why = f"is of kind {kind}"
    except (OSError, ValueError, KeyError, TypeError, ModelError) as error:
        why = f"cannot be read: {error}"
    raise UsageError(
        f"settings: {setting}: {directory} {why}; name the directory of a biaffine "
        "parser that compat-eval train made"
    )


def begin_from(
    network: BiaffineNetwork, vocabulary: Vocabulary, directory: Path
) -> None:
    """Copy the weights of a trained parser into a network.

    Raises:
        UsageError: There is no such parser, or it has other sizes.

    """
    before = saved_parser(directory, "start")
    saved = before.network.state_dict()
    with torch.no_grad():
        for name, mine in network.named_parameters():
            theirs = _matched(name, saved[name], mine, before.vocabulary, vocabulary)
            if theirs.shape != mine.shape:
                raise UsageError(
                    f"settings: start: {directory} has other sizes: {name} is "
                    f"{tuple(theirs.shape)}, and {tuple(mine.shape)} is trained"
                )
            mine.copy_(theirs)


def _matched(
    name: str, theirs: Tensor, mine: Tensor, before: Vocabulary, now: Vocabulary
) -> Tensor:
    """Return a saved tensor with its entries where the new vocabulary has them."""
    if name == "label":
        return _by_name(theirs, mine, before.labels, now.labels, axis=1, first=0)
    if name in _EMBEDDINGS:
        column = _EMBEDDINGS[name]
        known = getattr(before, column), getattr(now, column)
        return _by_name(theirs, mine, *known, axis=0, first=_RESERVED)
    return theirs


def _by_name(
    theirs: Tensor,
    mine: Tensor,
    before: Sequence[str],
    now: Sequence[str],
    *,
    axis: int,
    first: int,
) -> Tensor:
    """Return `mine` with the entries of `theirs` that have the same name or place."""
    apart = [size for at, size in enumerate(theirs.shape) if at != axis]
    if apart != [size for at, size in enumerate(mine.shape) if at != axis]:
        return theirs
    place = {one: number for number, one in enumerate(before, start=first)}
    pairs = [(number, number) for number in range(first)]
    pairs += [
        (at, place[one]) for at, one in enumerate(now, start=first) if one in place
    ]
    to, where = torch.tensor(pairs, dtype=torch.long).reshape(-1, 2).T
    found = mine.clone()
    found.index_copy_(axis, to, theirs.index_select(axis, where))
    return found
