"""How wide a text is drawn, as far as one can say without its font."""

import unicodedata

_WIDE = {"W": 1.8, "F": 1.8}
_NARROW, _CAPITAL = 0.62, 1.2


def text_width(text: str, unit: float) -> float:
    """Return about how wide a text is, rather too wide than too narrow.

    Args:
        text: What is drawn.
        unit: Width of a plain small letter.

    Examples:
        >>> text_width("on", 7.0), text_width("日本", 7.0)
        (14.0, 25.2)

    """
    return round(sum(_of(character) for character in text) * unit, 2)


def _of(character: str) -> float:
    if unicodedata.combining(character):
        return 0.0
    if character in "ijltf.,:;'!|":
        return _NARROW
    if character.isupper() or character in "mwMW@%":
        return _CAPITAL
    return _WIDE.get(unicodedata.east_asian_width(character), 1.0)
