"""The source code of a Python module and of everything that it imports.

Code counts by its bytes, installed packages by their version, the standard library
not at all. Imports are read from the source, so a module that is only imported
later counts from the start. Where code computes the name of what it imports, every
module counts that is loaded from outside installed packages.
"""

import ast
import importlib.util
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from types import ModuleType
from typing import Any

from compat_eval.core.fingerprint import file_digest

_INSTALLED = frozenset({"site-packages", "dist-packages"})
_STANDARD = Path(sysconfig.get_path("stdlib")).resolve()
_OURS = "compat_eval"
_BY_NAME = frozenset({"import_module", "__import__"})
_COMPUTED = _BY_NAME | {"exec_module", "run_module", "run_path"}
_BUILT_IN = frozenset({"eval", "exec"})
ANYTHING = "*"
"""Stands for every module that is loaded from outside installed packages."""
_COMPILED = frozenset({".so", ".pyd"})

_seen: dict[str, tuple[object, str]] = {}
"""The specification of a loaded module and the digest of its file, by path.

What runs is what was imported: a file that is edited later changes nothing until
another process imports it."""


@dataclass(frozen=True, slots=True)
class Code:
    """What code is made of.

    Attributes:
        files: SHA-256 of each source file, by its name below the folder that its
            package or module is imported from; `absent` for a module that is
            imported and not there.
        packages: Version of each installed package that is imported.

    """

    files: dict[str, str]
    packages: dict[str, str]


def code_of(module: str) -> Code:
    """Return the code of a module's outermost package, and of what that imports.

    Args:
        module: Its name, or `ANYTHING`.

    """
    first = module.partition(".")[0]
    files: dict[str, str] = {}
    packages: dict[str, str] = {}
    loaded = _loaded_outside()
    running = {Path(m.__file__ or ""): m.__spec__ for m in loaded.values()}
    todo, done = [first], {_OURS}
    while todo:
        name = todo.pop()
        if name in done:
            continue
        done.add(name)
        if name == ANYTHING:
            todo += [other.partition(".")[0] for other in loaded]
            continue
        origins = _origins(name)
        if origins is None:
            files[name] = "absent"
            continue
        place = _place(str(origins[0])) if origins else "nowhere"
        if place == "installed" and name != first:
            packages[name] = _package_version(name)
        elif place == "outside" or name == first:
            for root, path in _sources(origins):
                found = _digest(path, running.get(path))
                files[path.relative_to(root).as_posix()] = found
                todo += _imports(path, found)
    return Code(files, packages)


def _loaded_outside() -> dict[str, ModuleType]:
    """Return the modules that are loaded from files outside installed packages."""
    return {
        name: module
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] not in {_OURS, "__main__"}
        and (file := getattr(module, "__file__", None))
        and _place(file) == "outside"
    }


def _package_version(module: str) -> str:
    """Return the version of the package that a module is from; empty if unknown."""
    try:
        return version(module)
    except PackageNotFoundError:
        names = _distributions().get(module, [])
        return ", ".join(f"{name} {version(name)}" for name in sorted(set(names)))


@lru_cache(maxsize=1)
def _distributions() -> Any:  # noqa: ANN401
    return packages_distributions()


def _origins(name: str) -> list[Path] | None:
    """Return the folders of a package, or the file of a module.

    Empty for one without files; `None` where there is no such module.
    """
    module = sys.modules.get(name)
    try:
        spec = module.__spec__ if module else importlib.util.find_spec(name)
    except (ImportError, ValueError, AttributeError):
        spec = None
    if module is None and spec is None:
        return None
    folders = getattr(module, "__path__", None) or (
        spec.submodule_search_locations if spec else None
    )
    if folders:
        return [Path(folder) for folder in folders]
    file = getattr(module, "__file__", None) or (
        spec.origin if spec and spec.has_location else None
    )
    return [Path(file)] if file else []


def _sources(origins: Sequence[Path]) -> Iterator[tuple[Path, Path]]:
    """Yield root and path of every source file of a package or module."""
    for origin in origins:
        for path in sorted(origin.rglob("*")) if origin.is_dir() else [origin]:
            if path == origin or path.suffix == ".py" or path.suffix in _COMPILED:
                yield origin.parent, path


@cache
def _place(path: str) -> str:
    """Say where a file is: `installed`, `standard` or `outside`."""
    if not _INSTALLED.isdisjoint(Path(path).parts):
        return "installed"
    resolved = Path(path).resolve()
    return "standard" if resolved.is_relative_to(_STANDARD) else "outside"


def _digest(path: Path, running: object | None) -> str:
    """Return the SHA-256 of a file, as it was when a module was loaded from it."""
    if running is None:
        return file_digest(path)
    loaded, digest = _seen.get(str(path), (None, ""))
    if loaded is not running:
        digest = file_digest(path)
        _seen[str(path)] = (running, digest)
    return digest


@lru_cache(maxsize=1024)
def _imports(path: Path, digest: str) -> frozenset[str]:  # noqa: ARG001 - the cache's key
    """Return the outermost names that a source file imports, now or later."""
    if path.suffix != ".py":
        return frozenset()
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, OSError, RecursionError):
        return frozenset({ANYTHING})
    return frozenset(
        name.partition(".")[0] for node in ast.walk(tree) for name in _named(node)
    )


def _named(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (one.name for one in names)
        case ast.ImportFrom(module=str(module), level=0, names=names):
            yield module
            if not _COMPUTED.isdisjoint(one.name for one in names):
                yield ANYTHING
        case ast.Call(args=[ast.Constant(value=str(name)), *_]) if (
            _called(node) in _BY_NAME
        ):
            yield name
        case ast.Name(id=name) if name in _COMPUTED | _BUILT_IN:
            yield ANYTHING
        case ast.Attribute(attr=name) if name in _COMPUTED:
            yield ANYTHING


def _called(call: ast.Call) -> str:
    function = call.func
    return str(getattr(function, "id", None) or getattr(function, "attr", ""))
