"""Exact search of nearest vectors, beside the machine's matrix product and FAISS.

    python benchmarks/exact_search.py                     # 1 M × 384, 1,000 queries
    python benchmarks/exact_search.py --rows 20000 --dry  # small, and writes nothing

`OMP_NUM_THREADS` sets the threads of all sides. Vectors lie in a mapped `.npy` file in
a temporary folder. The peak is that of the best of a few products of single precision
in the same process, and what is compared with it are the products that a search needs
(2 · queries · rows · dimension), with reading, choosing and scoring in the time. FAISS
(`pip install faiss-cpu`) is left out where it is absent; its answers are compared by
the scores of its neighbours, since its ties have no order. Peak memory is of a process
that only searches, mapped pages included, as Linux tells it.
"""

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from record import record

from compat_eval.core.arrays import Array
from compat_eval.vectors.exact_search import ExactIndex
from compat_eval.vectors.files import read_vectors, write_vectors
from compat_eval.vectors.vectors import Vectors

GIGA = 1e9
SIZES = (1024, 2048, 4096)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=1_000)
    parser.add_argument("--dimension", type=int, default=384)
    parser.add_argument("--k", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--dry", action="store_true", help="write no result")
    options = parser.parse_args()
    shape = f"{options.rows:,} × {options.dimension}, {options.queries} queries"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gallery.npy"
        queries = make(path, options.rows, options.queries, options.dimension)
        found = compared(path, queries, options.k, options.repeats)
        memory = peak_memory(path, queries, options.k)
    work = 2 * options.queries * options.rows * options.dimension / GIGA
    rates = [work / seconds for seconds in found["ours"]]
    rows = [("matrix product's peak, Gflop/s", rates, found["peak"], True)]
    if "faiss" in found:
        rows.append(("faiss.IndexFlatIP, s", found["ours"], found["faiss"], False))
    rows.append(("2.5 GB, bytes of memory", [memory], [2.5e9], False))
    for name, ours, other, higher in rows:
        title = f"exact search, {shape}, k = {options.k}, beside {name}"
        shown = f"{title}: {min(ours):.4g} and {min(other):.4g}"
        print(shown, flush=True)
        if not options.dry:
            packages = ("numpy", *(("faiss-cpu",) if "faiss" in found else ()))
            record(title, ours, other, higher_is_better=higher, packages=packages)


def make(path: Path, n_rows: int, n_queries: int, dimension: int) -> Vectors:
    """Write random vectors of length 1, and return queries like them."""
    rng = np.random.default_rng(0)
    rows = np.empty((n_rows, dimension), np.float32)
    for start in range(0, n_rows, 100_000):
        block = rng.standard_normal(rows[start : start + 100_000].shape, np.float32)
        rows[start : start + 100_000] = unit(block)
    names = [f"d{n:09}" for n in range(n_rows)]
    write_vectors(path, Vectors.of(names, rows, model="random", normalised=True))
    asked = unit(rng.standard_normal((n_queries, dimension), np.float32))
    ids = [f"q{n}" for n in range(n_queries)]
    return Vectors.of(ids, asked, model="random", normalised=True)


def unit(rows: Array) -> Array:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def compared(
    path: Path, queries: Vectors, k: int, repeats: int
) -> dict[str, list[float]]:
    """Return seconds of each side and the peak, measured in turns."""
    gallery = read_vectors(path)
    index = ExactIndex.of(gallery, "dot")
    expected = index.search(queries, k).scores
    flat = faiss_index(gallery) if find_spec("faiss") else None
    found: dict[str, list[float]] = {"ours": [], "peak": []}
    for _ in range(repeats):
        found["peak"].append(max(map(product_rate, SIZES)))
        found["ours"].append(seconds(lambda: index.search(queries, k)))
        if flat is not None:
            asked = np.ascontiguousarray(queries.values, np.float32)
            their = flat.search(asked, k)[0]
            np.testing.assert_allclose(their, expected, atol=1e-5)
            spent = seconds(lambda asked=asked: flat.search(asked, k))
            found.setdefault("faiss", []).append(spent)
    return found


def faiss_index(gallery: Vectors) -> Any:  # noqa: ANN401
    index = import_module("faiss").IndexFlatIP(gallery.space.dimension)
    index.add(np.ascontiguousarray(gallery.values))
    return index


def product_rate(size: int) -> float:
    """Return the Gflop/s of one product of square matrices, the best of three."""
    left, right = np.ones((2, size, size), np.float32)
    best = min(seconds(lambda: left @ right) for _ in range(3))
    return 2 * size**3 / best / GIGA


def seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def peak_memory(path: Path, queries: Vectors, k: int) -> float:
    """Return the most bytes that a process holds which opens the file and searches."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        asked = (queries.ids.to_pylist(), queries.values)
        return float(pool.apply(search_alone, (path, asked, k)))


def search_alone(path: Path, asked: tuple[Sequence[str], Any], k: int) -> int:
    ids, values = asked
    queries = Vectors.of(list(ids), values, model="random", normalised=True)
    ExactIndex.of(read_vectors(path), "dot").search(queries, k)
    return peak_of_this_process()


def peak_of_this_process() -> int:
    # `ru_maxrss` begins with the peak of the process that started this one, here with
    # that of the vectors that were made and of FAISS; Linux knows this one's own.
    status = Path("/proc/self/status").read_text("utf-8")
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


if __name__ == "__main__":
    main()
