import hashlib
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from compat_eval.core.errors import OutputError
from compat_eval.core.files import default_cache_dir
from compat_eval.core.fingerprint import digest
from compat_eval.runner import cache as stored
from compat_eval.runner.cache import ABOUT, Cache
from compat_eval.runner.store import ANSWERS, Store, lock_of

SOUND = stored.Health(
    answers=3, errors=1, damaged=0, foreign=0, torn_bytes=0, described=True
)
NOW = datetime(2026, 5, 1, tzinfo=UTC)


def fill(cache: Cache, name: str, *, answers: int, days_ago: int = 0) -> str:
    identity = {"model": name, "task": "classification"}
    with cache.store(identity, reference=f"fake:{name}") as store:
        for at in range(answers):
            hashed = hashlib.sha256(f"{at}".encode()).digest()
            error = [None if at else "E: x"]
            table = pa.table(
                {"prediction": ["x"], "error": pa.array(error, pa.string())}
            )
            store.append(pa.array([hashed], pa.binary(32)), table)
    key = digest(identity)
    used = (NOW - timedelta(days=days_ago)).timestamp()
    os.utime(cache.folder(key) / ANSWERS, (used, used))
    return key


def test_stores_are_listed_with_what_they_belong_to(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    key = fill(cache, "new", answers=2)
    fill(cache, "old", answers=1, days_ago=3)

    old, new = stored.stores(cache)

    assert (old.reference, new.reference) == ("fake:old", "fake:new")
    assert (new.key, new.task, new.used) == (key, "classification", NOW)
    assert new.n_bytes == sum(f.stat().st_size for f in cache.folder(key).iterdir())


def test_a_cache_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert stored.stores(Cache(tmp_path / "none")) == []


def test_what_people_read_may_be_missing_or_broken(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    key = fill(cache, "a", answers=1)
    (cache.folder(key) / "about.json").write_text("{")

    assert stored.stores(cache)[0].reference == "unknown"


def test_every_byte_is_checked_and_the_sound_rest_kept(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    file = cache.folder(fill(cache, "a", answers=3)) / ANSWERS
    [store] = stored.stores(cache)
    whole = stored.health(store)
    data = bytearray(file.read_bytes())
    data[100] ^= 1
    file.write_bytes(bytes(data) + b"CEF2 torn")

    broken = stored.health(store)
    stored.repair(store)

    assert whole == SOUND
    assert whole.sound
    assert (broken.damaged, broken.torn_bytes, broken.answers) == (1, 9, 2)
    assert not broken.sound
    assert stored.health(store) == replace(SOUND, answers=2, errors=0)


def test_a_store_under_another_name_is_found_and_emptied(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    folder = cache.folder(fill(cache, "a", answers=3))
    renamed = folder.with_name(f"{'0' * 64}")
    folder.rename(renamed)
    [store] = stored.stores(cache)

    moved = stored.health(store)
    with pytest.raises(OSError, match="answers of another model"):
        Store(renamed)
    stored.repair(store)

    assert moved == replace(SOUND, answers=0, errors=0, foreign=3, described=False)
    assert not moved.sound
    assert stored.health(store) == replace(SOUND, answers=0, errors=0)


def test_what_a_store_says_of_itself_must_fit_its_name(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    about = cache.folder(fill(cache, "a", answers=3)) / ABOUT
    about.write_text(about.read_text().replace("classification", "dependency"))
    [store] = stored.stores(cache)

    assert stored.health(store) == replace(SOUND, described=False)


def test_a_store_without_a_sound_byte_becomes_empty(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    (cache.folder(fill(cache, "a", answers=1)) / ANSWERS).write_bytes(b"garbage")
    [store] = stored.stores(cache)

    stored.repair(store)

    assert stored.health(store) == replace(SOUND, answers=0, errors=0)


def test_old_stores_and_large_ones_are_chosen(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    for days in (9, 5, 1):
        fill(cache, f"{days}", answers=2, days_ago=days)
    found = stored.stores(cache)
    size = found[0].n_bytes

    assert stored.unused_since(found, timedelta(days=4), NOW) == found[:2]
    assert stored.beyond(found, 3 * size) == []
    assert stored.beyond(found, 2 * size) == found[:1]
    assert stored.beyond(found, 0) == found


def test_what_is_removed_is_gone(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    fill(cache, "a", answers=1)
    [store] = stored.stores(cache)

    assert stored.remove([store]) == store.n_bytes
    assert stored.stores(cache) == []
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


def test_a_store_in_use_is_not_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "_BUSY_SECONDS", 0.0)
    cache = Cache(tmp_path)
    fill(cache, "a", answers=1)
    [store] = stored.stores(cache)

    with lock_of(store.folder), pytest.raises(OutputError, match="is in use"):
        stored.remove([store])
    assert stored.health(store).answers == 1


def test_the_cache_is_where_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COMPAT_EVAL_CACHE", "/somewhere/else")
    assert default_cache_dir() == Path("/somewhere/else")

    monkeypatch.delenv("COMPAT_EVAL_CACHE")
    assert default_cache_dir().name == "compat-eval"
