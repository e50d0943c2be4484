"""Trees drawn by chance, action by action."""

import torch
from torch import Tensor

from compat_eval.core.arrays import Ints
from compat_eval.models.decoding.candidates import Narrows, drawn
from compat_eval.models.parsing.dropout import uniform
from compat_eval.models.stack_pointer.search import Choice, Chooses, Options


def drawing(seeds: Ints, narrow: Narrows) -> Chooses:
    """Return what goes on with every partial tree by itself, by chance.

    Where it points is drawn first, then the relation.

    Args:
        seeds: Of each tree, shape (n_sentences, n_trees).
        narrow: Which choices may be drawn.

    """

    def choose(options: Options) -> Choice:
        first, second = _numbers(seeds, options.step)
        pointed = drawn(narrow(options.pointer), first)
        relations = _at(options.label, pointed)
        label = drawn(narrow(relations), second)
        nats = _at(options.pointer, pointed)
        push = pointed != options.top
        nats = torch.where(push, nats + _at(relations, label), nats)
        origin = torch.arange(pointed.shape[1], device=pointed.device)
        return Choice(
            origin=origin.expand_as(pointed),
            pointed=pointed,
            label=label,
            nats=options.before + nats,
        )

    return choose


def _numbers(seeds: Ints, step: int) -> tuple[Tensor, Tensor]:
    both = uniform(seeds.reshape(-1), 2 * step + 2)[:, -2:]
    first, second = torch.from_numpy(both.T.copy()).view(2, *seeds.shape)
    return first, second


def _at(values: Tensor, position: Tensor) -> Tensor:
    """Return what stands at a position of the third axis."""
    rows = torch.arange(values.shape[0], device=values.device)[:, None]
    columns = torch.arange(values.shape[1], device=values.device)
    return values[rows, columns, position]
