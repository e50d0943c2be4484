"""How suites are found: by name among those that are shipped, or by path.

Imports nothing heavy, and validates nothing: it serves `compat-eval suites list`.
"""

import difflib
from dataclasses import dataclass
from pathlib import Path

from compat_eval.core.errors import SuiteError

SUITE_FILE = "suite.yaml"

_PACKAGE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A suite file.

    Attributes:
        path: The YAML file.
        shown: What messages call it: a path from the shipped root, or as given.
        shipped: Whether it is one of ours.

    """

    path: Path
    shown: str
    shipped: bool


def shipped_root() -> Path:
    """Return the folder of the shipped suites: in the wheel, or in a checkout.

    Raises:
        SuiteError: There is none; the installation is damaged.

    """
    for root in (_PACKAGE / "_suites", _PACKAGE.parent / "suites"):
        if root.is_dir():
            return root
    raise SuiteError("the shipped suites are missing; install compat-eval again")


def shipped_suites() -> dict[str, Found]:
    """Return the shipped suites by name, such as `clinc150`, sorted."""
    root = shipped_root()
    found = {}
    for path in sorted(root.rglob(SUITE_FILE)):
        shown = (Path("suites") / path.relative_to(root)).as_posix()
        found[path.parent.name] = Found(path=path, shown=shown, shipped=True)
    return dict(sorted(found.items()))


def find_suite(name_or_path: str | Path) -> Found:
    """Find a suite by name (`clinc150`, `classification/clinc150`) or by path.

    Raises:
        SuiteError: There is none; the message lists names that come close.

    """
    text = str(name_or_path)
    known = shipped_suites()
    if text in known:
        return known[text]
    for found in known.values():
        kind = found.path.parent.parent.name
        if text.strip("/") == f"{kind}/{found.path.parent.name}":
            return found
    path = Path(text)
    if path.is_dir() and (path / SUITE_FILE).is_file():
        path = path / SUITE_FILE
    if path.is_file():
        return Found(path=path, shown=path.as_posix(), shipped=False)
    raise SuiteError(_unknown(text, list(known)))


def _unknown(text: str, known: list[str]) -> str:
    close = difflib.get_close_matches(
        text.rsplit("/", maxsplit=1)[-1], known, n=3, cutoff=0.4
    )
    hint = f"did you mean {' or '.join(close)}? " if close else ""
    return (
        f"no suite {text!r}, neither a shipped name nor a file; {hint}"
        f"Shipped: {', '.join(known) or 'none'}. A file is given by its path."
    )
