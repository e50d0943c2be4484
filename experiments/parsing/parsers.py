"""Trained parsers and splits, each in memory once."""

from functools import cache

from compat_eval.models.biaffine_parser import BiaffineParser
from experiments.parsing.places import Parser, load, treebank
from experiments.parsing.splits import Split


@cache
def split_of(name: str) -> Split:
    return Split(name, treebank(name))


@cache
def parser_of(name: str) -> Parser:
    return load(name)


def arc_factored(name: str) -> BiaffineParser:
    parser = parser_of(name)
    assert isinstance(parser, BiaffineParser), f"{name} is not arc-factored"
    return parser
