"""Option values that hold more than one thing."""

from collections.abc import Mapping
from pathlib import Path

from compat_eval.core.errors import UsageError


def pairs(text: str, *, option: str, empty: bool = False) -> Mapping[str, str]:
    """Read `name=value,name=value`; with `empty`, a value may be left out.

    Examples:
        >>> pairs("id=qid,gold=label", option="--fields")
        {'id': 'qid', 'gold': 'label'}

    Raises:
        UsageError: A part is not of that form, or a name stands twice.

    """
    found: dict[str, str] = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not (name and equals and (value or empty)):
            raise UsageError(f"{option} must be name=value,…; got {part!r}")
        if name in found:
            raise UsageError(f"{option} names {name!r} twice")
        found[name] = value
    return found


def label_map_of(path: Path | None) -> Mapping[str, str]:
    """Read a YAML file of `model label: suite label`.

    Raises:
        UsageError: The file cannot be read, or is no such map.

    """
    if path is None:
        return {}
    import yaml

    try:
        found = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"--label-map {path}: cannot be read: {error}") from error
    if not isinstance(found, dict) or not all(
        isinstance(part, str) for pair in found.items() for part in pair
    ):
        raise UsageError(
            f"--label-map {path}: must be lines of MODEL_LABEL: SUITE_LABEL, both text "
            "(quote numbers, yes and no)"
        )
    return found
