"""The relations and features that the official UD scores single out.

Source: Zeman et al., "CoNLL 2018 Shared Task: Multilingual Parsing from Raw
Text to Universal Dependencies", CoNLL 2018, https://aclanthology.org/K18-2001.
"""

CONTENT = frozenset(
    """
    nsubj obj iobj csubj ccomp xcomp obl vocative expl dislocated advcl advmod
    discourse nmod appos nummod acl amod conj fixed flat compound list parataxis
    orphan goeswith reparandum root dep
    """.split()  # noqa: SIM905
)
"""Relations of content words, without subtype."""

FUNCTIONAL = frozenset(["aux", "cop", "mark", "det", "clf", "case", "cc"])
"""Relations of the function words that MLAS checks with their content word."""

_FEATURES = frozenset(
    """
    PronType NumType Poss Reflex Foreign Abbr Gender Animacy Number Case Definite
    Degree VerbForm Mood Tense Aspect Voice Evident Polarity Person Polite
    """.split()  # noqa: SIM905
)


def universal_relation(relation: str) -> str:
    """Return a relation without its subtype.

    Examples:
        >>> universal_relation("nmod:poss")
        'nmod'

    """
    return relation.partition(":")[0]


def universal_features(features: str) -> str:
    """Return the features that UD defines for all languages, sorted.

    Examples:
        >>> universal_features("Typo=Yes|Number=Sing|Case=Nom")
        'Case=Nom|Number=Sing'

    """
    kept = (f for f in features.split("|") if f.partition("=")[0] in _FEATURES)
    return "|".join(sorted(kept))
