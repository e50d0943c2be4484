"""`compat-eval doctor`: what is installed, and what a run would use."""

import os
import platform
import re
import sys
from pathlib import Path
from typing import Any

import typer

from compat_eval.cli.help import examples
from compat_eval.cli.options import AsJson, CacheDir, DataDir
from compat_eval.cli.output import print_json

app = typer.Typer(rich_markup_mode=None)

_OFFLINE = (
    "COMPAT_EVAL_OFFLINE",
    "HF_HUB_OFFLINE",
    "HF_DATASETS_OFFLINE",
    "TRANSFORMERS_OFFLINE",
)
_OURS = "compat-eval"


@app.command(epilog=examples("compat-eval doctor", "compat-eval doctor --json"))
def doctor(
    cache_dir: CacheDir = None, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Say what is installed, on which devices, and where things are kept."""
    found = examination(cache_dir=cache_dir, data_dir=data_dir)
    if as_json:
        print_json(found)
        return
    for line in _lines(found):
        typer.echo(line)


def examination(*, cache_dir: Path | None, data_dir: Path | None) -> dict[str, Any]:
    """Return everything that doctor knows, JSON-ready."""
    from compat_eval import __version__
    from compat_eval.core.files import default_cache_dir
    from compat_eval.core.fingerprint import library_versions

    required = _requirements()
    return {
        "compat_eval": __version__,
        "python": platform.python_version(),
        "executable": sys.executable,
        "platform": platform.platform(),
        "cpu_count": os.cpu_count(),
        "core": library_versions(*required.get("", ())),
        "extras": {
            extra: library_versions(*names)
            for extra, names in required.items()
            if extra
        },
        "torch": _torch(),
        "offline": {name: os.environ[name] for name in _OFFLINE if name in os.environ},
        "cache": _cache_state(cache_dir or default_cache_dir()),
        "data": _data_state(data_dir),
    }


def _requirements() -> dict[str, tuple[str, ...]]:
    """Return the packages each extra asks for; the core's under an empty name."""
    from importlib.metadata import PackageNotFoundError, requires

    try:
        lines = requires(_OURS) or []
    except PackageNotFoundError:
        lines = []
    found: dict[str, list[str]] = {}
    for line in lines:
        name = re.match(r"[\w.-]+", line)
        extra = re.search(r"extra\s*==\s*['\"]([\w-]+)['\"]", line)
        if name and name[0] != _OURS:
            found.setdefault(extra[1] if extra else "", []).append(name[0])
    return {extra: tuple(names) for extra, names in found.items()}


def _torch() -> dict[str, Any] | None:
    """Return what torch would compute on; `None` where it is not installed."""
    from importlib.util import find_spec

    if find_spec("torch") is None:
        return None
    try:
        import torch
    except Exception as error:  # noqa: BLE001 - a broken installation is a finding
        return {"error": f"{type(error).__name__}: {error}"}
    devices = ["cpu"]
    if torch.cuda.is_available():
        devices += [
            f"cuda:{at} ({torch.cuda.get_device_name(at)})"
            for at in range(torch.cuda.device_count())
        ]
    if torch.backends.mps.is_available():
        devices.append("mps")
    return {"devices": devices, "threads": torch.get_num_threads()}


def _cache_state(root: Path) -> dict[str, Any]:
    from compat_eval.runner.cache import Cache, stores

    found = stores(Cache(root))
    return {
        "path": str(root),
        "exists": root.is_dir(),
        "stores": len(found),
        "bytes": sum(store.n_bytes for store in found),
        "not_writable": _why_not_writable(root),
    }


def _why_not_writable(root: Path) -> str | None:
    """Try it, in the nearest folder that exists; `None` where it works."""
    from tempfile import TemporaryFile

    place = next(
        folder for folder in (root, *root.absolute().parents) if folder.exists()
    )
    try:
        with TemporaryFile(dir=place) as file:
            file.write(b"compat-eval")
    except OSError as error:
        return error.strerror or str(error)
    return None


def _data_state(folder: Path | None) -> dict[str, Any] | None:
    if folder is None:
        return None
    there = folder.is_dir()
    return {
        "path": str(folder),
        "exists": there,
        "entries": len(list(folder.iterdir())) if there else 0,
    }


def _lines(found: dict[str, Any]) -> list[str]:
    from compat_eval.cli.cache import size_text

    cache, data, torch = found["cache"], found["data"], found["torch"]
    lines = [
        f"compat-eval  {found['compat_eval']}",
        f"python       {found['python']}  {found['executable']}",
        f"platform     {found['platform']}, {found['cpu_count']} processors",
        f"core         {_package_text(found['core'])}",
    ]
    for extra, versions in sorted(found["extras"].items()):
        lines.append(f"{extra:<12} {_package_text(versions)}")
        missing = [name for name, version in versions.items() if version is None]
        if missing:
            lines.append(f"             → pip install 'compat-eval[{extra}]'")
    lines.append(f"torch        {_torch_text(torch)}")
    settings = ", ".join(f"{name}={value}" for name, value in found["offline"].items())
    lines.append(f"offline      {settings or 'not asked for'}")
    lines.append(
        f"cache        {cache['path']}: {cache['stores']} stores, "
        f"{size_text(cache['bytes'])}"
    )
    if cache["not_writable"]:
        lines.append(
            f"             → cannot be written ({cache['not_writable']}); runs "
            "would not store predictions: give --cache-dir or COMPAT_EVAL_CACHE"
        )
    lines.append(f"data         {_data_text(data)}")
    return lines


def _package_text(versions: dict[str, str | None]) -> str:
    return ", ".join(
        f"{name} {version or 'is missing'}" for name, version in versions.items()
    )


def _torch_text(torch: dict[str, Any] | None) -> str:
    if torch is None:
        return "not installed; files can be compared, neural models not run"
    if "error" in torch:
        return f"cannot be imported: {torch['error']}"
    return f"{', '.join(torch['devices'])}; {torch['threads']} threads"


def _data_text(data: dict[str, Any] | None) -> str:
    if data is None:
        return "no mirror named (COMPAT_EVAL_DATA or --data-dir)"
    if not data["exists"]:
        return f"{data['path']} does not exist; unset COMPAT_EVAL_DATA or correct it"
    return f"{data['path']}: {data['entries']} entries"
