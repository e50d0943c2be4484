"""Examples of the dependency task as sentences and trees."""

from compat_eval.core.errors import DataError
from compat_eval.core.examples import Examples
from compat_eval.models.parser_sentence import (
    Sentence,
    Tree,
    sentence_from,
    tree_from,
)


def treebank(examples: Examples) -> tuple[list[Sentence], list[Tree]]:
    """Return inputs and gold trees; sentences without words are left out.

    Raises:
        DataError: An example is no sentence with a tree, or there is none at all.

    """
    sentences: list[Sentence] = []
    trees: list[Tree] = []
    ids, inputs, gold = (
        examples.column(name).to_pylist() for name in ("id", "input", "gold")
    )
    for name, value, answer in zip(ids, inputs, gold, strict=True):
        try:
            sentence = sentence_from(value)
            tree = tree_from(answer, sentence)
        except DataError as error:
            raise DataError(f"example {name}: {error}") from error
        if len(sentence):
            sentences.append(sentence)
            trees.append(tree)
    if not sentences:
        raise DataError("training needs at least one sentence with words; got none")
    return sentences, trees
