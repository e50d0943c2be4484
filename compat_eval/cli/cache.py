"""`compat-eval cache`: stored predictions, their size and their soundness."""

import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from compat_eval.cli.help import examples
from compat_eval.cli.options import AsJson, CacheDir
from compat_eval.cli.output import print_json, print_table
from compat_eval.core.errors import DataError, UsageError

if TYPE_CHECKING:
    from compat_eval.runner.cache import Cache, Health, Stored

app = typer.Typer(
    help="List, verify, prune and clear stored predictions.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_HEADS = (
    *("store", "model", "task", "question"),
    *("answers", "errors", "size", "last used (UTC)"),
)
_DAYS = {"h": 1 / 24, "d": 1, "w": 7}


@app.callback()
def cache() -> None:
    """List, verify, prune and clear stored predictions."""


@app.command("ls", epilog=examples("compat-eval cache ls --json"))
def _list_stores(cache_dir: CacheDir = None, as_json: AsJson = False) -> None:
    """List models whose predictions are stored, the longest unused first."""
    from compat_eval.runner.cache import health, stores

    place = _cache(cache_dir)
    rows = [(store, health(store)) for store in stores(place)]
    if as_json:
        print_json(
            [
                {**_facts(store), "answers": found.answers, "errors": found.errors}
                for store, found in rows
            ]
        )
        return
    print_table(_HEADS, [_cells(store, found) for store, found in rows])
    total = sum(store.n_bytes for store, _ in rows)
    typer.echo(f"{len(rows)} stores, {size_text(total)}, in {place.root}")


def _cells(store: "Stored", found: "Health") -> tuple[str, ...]:
    return (
        store.key[:12],
        store.reference,
        store.task,
        store.question,
        f"{found.answers:,}",
        f"{found.errors:,}",
        size_text(store.n_bytes),
        f"{store.used:%Y-%m-%d %H:%M}",
    )


@app.command(epilog=examples("compat-eval cache verify --repair"))
def verify(
    cache_dir: CacheDir = None,
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Delete damaged entries and keep the others."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check every stored answer against its checksum and its model.

    It finds what was damaged, truncated, renamed, or copied from the store of another
    model or setting, and then ends with exit code 2.
    """
    from dataclasses import asdict

    from compat_eval.runner import cache as stored

    rows = [(store, stored.health(store)) for store in stored.stores(_cache(cache_dir))]
    broken = [(store, found) for store, found in rows if not found.sound]
    if as_json:
        print_json(
            [
                {**_facts(store), **asdict(found), "sound": found.sound}
                for store, found in rows
            ]
        )
    if repair:
        for store, _ in broken:
            stored.repair(store)
            typer.echo(f"repaired {store.key[:12]} ({store.reference})", err=True)
    elif broken:
        lines = (
            f"{store.key[:12]} ({store.reference}): {_ills(found)}"
            for store, found in broken
        )
        raise DataError(
            f"{len(broken)} of {len(rows)} stores are not sound:\n  "
            + "\n  ".join(lines)
            + "\nRuns do not use what is not sound; --repair drops it."
        )
    if not as_json:
        typer.echo(f"{len(rows) - len(broken)} of {len(rows)} stores were sound")


@app.command(epilog=examples("compat-eval cache prune --older-than 30d --max-size 2G"))
def prune(
    older_than: Annotated[
        str | None,
        typer.Option(help="Delete what no run used for this time: 12h, 30d, 8w."),
    ] = None,
    max_size: Annotated[
        str | None,
        typer.Option(
            help="Delete what was unused for longest until the rest fits: 500M, 2G."
        ),
    ] = None,
    cache_dir: CacheDir = None,
) -> None:
    """Delete what has not been used for long, or does not fit."""
    from datetime import UTC, datetime

    from compat_eval.runner.cache import beyond, remove, stores, unused_since

    if older_than is None and max_size is None:
        raise UsageError("say what to delete: --older-than 30d, --max-size 2G, or both")
    left = stores(_cache(cache_dir))
    chosen: list[Stored] = []
    if older_than is not None:
        chosen = unused_since(left, _parse_age(older_than), datetime.now(UTC))
        left = [store for store in left if store not in chosen]
    if max_size is not None:
        chosen += beyond(left, _parse_size(max_size))
    freed = remove(chosen)
    typer.echo(f"deleted {len(chosen)} stores, {size_text(freed)}")


@app.command(epilog=examples("compat-eval cache clear --yes"))
def clear(cache_dir: CacheDir = None, yes: Yes = False) -> None:
    """Delete all stored predictions."""
    from compat_eval.runner.cache import remove, stores

    place = _cache(cache_dir)
    found = stores(place)
    total = size_text(sum(store.n_bytes for store in found))
    if found and not yes:
        question = f"Delete {len(found)} stores, {total}, in {place.root}?"
        typer.confirm(question, abort=True)
    remove(found)
    typer.echo(f"deleted {len(found)} stores, {total}")


def _parse_age(text: str) -> timedelta:
    """Read an age.

    Examples:
        >>> _parse_age("36h").days, _parse_age("2w").days
        (1, 14)

    Raises:
        UsageError: The text is none.

    """
    match = re.fullmatch(r"(\d{1,6})([hdw])", text.strip())
    if match is None:
        raise UsageError(f"--older-than must be like 12h, 30d or 8w; got {text!r}")
    return timedelta(days=int(match[1]) * _DAYS[match[2]])


def _parse_size(text: str) -> int:
    """Read a size in bytes.

    Examples:
        >>> _parse_size("1.5K"), _parse_size("0")
        (1536, 0)

    Raises:
        UsageError: The text is none.

    """
    match = re.fullmatch(r"(\d{1,15}(?:\.\d+)?)([KMGT]?)(?:i?B)?", text.strip().upper())
    if match is None:
        raise UsageError(f"--max-size must be like 500M or 2G; got {text!r}")
    return int(float(match[1]) * _UNITS[match[2]])


def size_text(n_bytes: int) -> str:
    """Return a size for people.

    Examples:
        >>> size_text(512), size_text(1536)
        ('512 B', '1.5 KiB')

    """
    size, unit = float(n_bytes), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if size < 1024:  # noqa: PLR2004 - binary prefixes
            break
        size, unit = size / 1024, larger
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"


def _cache(given: Path | None) -> "Cache":
    from compat_eval.core.files import default_cache_dir
    from compat_eval.runner.cache import Cache

    return Cache(given or default_cache_dir())


def _ills(found: "Health") -> str:
    ills = {
        "damaged pieces": found.damaged,
        "pieces of another model or setting": found.foreign,
        "unfinished bytes": found.torn_bytes,
    }
    told = [f"{count} {what}" for what, count in ills.items() if count]
    if not found.described:
        told.append("about.json belongs to another store")
    return ", ".join(told)


def _facts(store: "Stored") -> dict[str, object]:
    return {
        "key": store.key,
        "reference": store.reference,
        "task": store.task,
        "question": store.question,
        "bytes": store.n_bytes,
        "used": store.used.isoformat(timespec="seconds"),
    }
