"""Models that recipes trained: known by all that they were trained from, and copied."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compat_eval.core.errors import OutputError
from compat_eval.core.files import read_json, write_whole
from compat_eval.core.fingerprint import canonical_json, files_digest
from compat_eval.models import BESIDE

_MARK = ".mitigation.json"


@dataclass(frozen=True, slots=True)
class KeptTraining:
    """A model that was trained.

    Attributes:
        reference: How it is opened.
        seconds: How long the training took, of an interrupted one the last call.

    """

    reference: str
    seconds: float


def finished(out: Path, identity: Mapping[str, Any]) -> KeptTraining | None:
    """Return the model that was trained there before, `None` where none was.

    Raises:
        OutputError: It is another one, or its files are not what was trained.

    """
    try:
        told = read_json(out / _MARK)
        before, reference = told["identity"], str(told["reference"])
        seconds, content = float(told["seconds"]), told["content"]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OutputError(f"{out / _MARK} is damaged; delete {out}") from error
    if before != identity:
        raise OutputError(
            f"{out} holds a model that was trained from other models, examples or "
            "settings; choose a new directory, or delete it"
        )
    if content != _content(out):
        raise OutputError(
            f"{out} was changed since it was trained; bring its files back, or delete "
            "it, and it is trained again"
        )
    return KeptTraining(reference.replace("{out}", str(out)), seconds)


def copy(kept: Path, out: Path) -> None:
    """Copy a finished model; nothing half-written is left behind.

    Raises:
        OutputError: `out` is taken or cannot be written.

    """
    beside = out.parent / f".{out.name}.{os.getpid()}"
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(kept, beside)
        beside.rename(out)
    except OSError as error:
        shutil.rmtree(beside, ignore_errors=True)
        raise OutputError(f"cannot write {out}: {error.strerror}") from error


def mark(out: Path, identity: Mapping[str, Any], kept: KeptTraining) -> None:
    """Note what a finished model was trained from."""
    reference = kept.reference.replace(str(out), "{out}")
    out.mkdir(parents=True, exist_ok=True)
    told = {
        "identity": identity,
        "reference": reference,
        "seconds": kept.seconds,
        "content": _content(out),
    }
    write_whole(out / _MARK, f"{canonical_json(told)}\n".encode())


def _content(out: Path) -> str:
    """Return a SHA-256 of the files that decide what the model answers."""
    files = (path for path in out.rglob("*") if path.is_file())
    return files_digest(out, [path for path in files if _decides(path, out)])


def _decides(path: Path, out: Path) -> bool:
    within = path.relative_to(out)
    return path.name not in BESIDE and not any(one[0] == "." for one in within.parts)
