"""spaCy's own parser, tiny, trained here on a few sentences."""

from importlib import import_module
from pathlib import Path
from typing import Any

from tests.unit.adapters.treebank import sentences

_EMBED = {
    "@architectures": "spacy.HashEmbedCNN.v2",
    "pretrained_vectors": None,
    "width": 16,
    "depth": 1,
    "embed_size": 200,
    "window_size": 1,
    "maxout_pieces": 2,
    "subword_features": True,
}
_PARSER = {
    "min_action_freq": 1,
    "model": {
        "@architectures": "spacy.TransitionBasedParser.v2",
        "state_type": "parser",
        "extra_state_tokens": False,
        "hidden_width": 16,
        "maxout_pieces": 2,
        "use_upper": True,
        "nO": None,
        "tok2vec": _EMBED,
    },
}


def pipeline(*, seed: int = 0, steps: int = 25, before: tuple[str, ...] = ()) -> Any:
    """Return an English pipeline, trained for some steps.

    Args:
        seed: Of the weights.
        steps: Of training, over all sentences at once.
        before: Factories of untrained components before the parser.

    """
    from spacy.tokens import Doc
    from spacy.training import Example

    spacy: Any = import_module("spacy")
    spacy.util.fix_random_seed(seed)
    nlp = spacy.blank("en")
    for factory in before:
        nlp.add_pipe(factory)
    nlp.add_pipe("parser", config=_PARSER)
    examples = []
    for words in sentences():
        forms = [form for form, *_ in words]
        heads = [at if w[2] == "0" else int(w[2]) - 1 for at, w in enumerate(words)]
        relations = ["ROOT" if w[3] == "root" else w[3] for w in words]
        gold = Doc(nlp.vocab, words=forms, heads=heads, deps=relations)
        examples.append(Example(Doc(nlp.vocab, words=forms), gold))
    nlp.initialize(lambda: examples)
    optimiser = nlp.create_optimizer()
    optimiser.learn_rate = 0.02
    for _ in range(steps):
        nlp.update(examples, sgd=optimiser)
    return nlp


def save_pipeline(directory: Path, **settings: Any) -> Path:
    pipeline(**settings).to_disk(directory)
    return directory
