"""Files of vectors: `.npy`, safetensors and Parquet, with where they come from.

A Parquet file has the columns `id` and `vector` (a list of numbers) and may have
`model`, the model of each row; the other two hold one matrix, which is mapped and not
read, and `NAME.ids.parquet` beside them has the columns without `vector`. The space
stands in the metadata of the Parquet file, as JSON under `compat_eval`.

Formats: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html and
https://github.com/huggingface/safetensors.
"""

import json
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from compat_eval.core.errors import DataError, UsageError
from compat_eval.core.files import parse_json, replacing
from compat_eval.vectors.space import Space, one_model
from compat_eval.vectors.vectors import Vectors

_KEY = b"compat_eval"
_TENSOR = "vectors"
_HEADER_BYTES = 8
_LONGEST_HEADER = 2**26
_KINDS = {"F16": "<f2", "F32": "<f4", "F64": "<f8"}
_SUFFIXES = (".npy", ".parquet", ".safetensors")


def write_vectors(path: Path, vectors: Vectors) -> None:
    """Write vectors to a file, by its suffix, and their ids and space.

    Raises:
        UsageError: The suffix is unknown.
        OutputError: It cannot be written.

    """
    suffix = _suffix(path)
    table = pa.table({"id": vectors.ids})
    if suffix == ".parquet":
        table = table.append_column("vector", _lists(vectors.values))
        _write_table(path, table, vectors.space)
        return
    values = np.ascontiguousarray(vectors.values)
    with replacing(path) as draft, draft.open("wb") as file:
        if suffix == ".npy":
            np.lib.format.write_array(file, values, allow_pickle=False)
        else:
            file.write(_safetensors_header(values))
            values.tofile(file)
    _write_table(beside(path), table, vectors.space)


def read_vectors(
    path: Path, *, model: str = "", normalised: bool = False, asked_by: str = ""
) -> Vectors:
    """Read vectors, mapping them from the file where its form allows that.

    Args:
        path: A file that `write_vectors` wrote, or one of that form.
        model: The model, where the file does not say it.
        normalised: Likewise, whether all vectors have length 1.
        asked_by: The reference that names the file, for the message.

    Raises:
        UsageError: The suffix is unknown.
        DataError: The file cannot be read or ends early, says nothing of its model, has
            rows of several models, or another model is named than the one it says.

    """
    suffix = _suffix(path)
    named = path if suffix == ".parquet" else beside(path)
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    if not named.is_file():
        raise DataError(
            f"{path}: nothing says which row is whose; write {named.name} beside it, a "
            "Parquet file with a column `id` in the order of the rows"
        )
    table = _read_table(named)
    if "id" not in table.column_names:
        raise DataError(f"{named}: no column `id`")
    values = _matrix(path, suffix, table)
    if len(values) != len(table):
        raise DataError(
            f"{path}: {len(values)} vectors, and {len(table)} ids in {named}"
        )
    space = _space(
        table,
        values.shape[1],
        model,
        shown=str(path),
        unit=normalised,
        cure=_cure(asked_by),
    )
    ids = table.column("id").combine_chunks()
    return Vectors(ids=ids, values=values, space=space)


def _matrix(path: Path, suffix: str, table: pa.Table) -> NDArray[Any]:
    """Return the vectors of a file, or of the column of a table that is the file."""
    if suffix == ".parquet":
        values = _of_lists(table, path)
    else:
        values = _mapped_npy(path) if suffix == ".npy" else _mapped_safetensors(path)
    if values.ndim != 2:  # noqa: PLR2004
        raise DataError(f"{path}: expected a matrix; got shape {values.shape}")
    return values


def _cure(asked_by: str) -> str:
    if not asked_by:
        return "name the model"
    return f"write {asked_by}{',' if '#' in asked_by else '#'}model=NAME"


def named_model(path: Path) -> str | None:
    """Return the model that a file of vectors names; `None` where it names none.

    Raises:
        DataError: It, or what stands beside it, cannot be read.

    """
    if path.suffix != ".parquet":
        return ids_beside(path)[1]
    said = (_read_table(path).schema.metadata or {}).get(_KEY)
    return _told_space(said, str(path)).model if said else None


def ids_beside(path: Path) -> tuple[pa.StringArray | None, str | None]:
    """Return the ids that stand beside a file of vectors, and the model, where said.

    Args:
        path: Of a file that itself has no ids, such as an index of FAISS.

    Raises:
        DataError: What stands there cannot be read.

    """
    named = beside(path)
    if not named.is_file():
        return None, None
    table = _read_table(named)
    if "id" not in table.column_names:
        raise DataError(f"{named}: no column `id`")
    said = (table.schema.metadata or {}).get(_KEY)
    model = _told_space(said, str(named)).model if said else None
    if "model" in table.column_names:
        model = one_model(table.column("model").to_pylist(), shown=str(named))
    return table.column("id").combine_chunks(), model


def beside(path: Path) -> Path:
    """Return where the ids of a file of vectors stand."""
    return path.with_name(f"{path.name}.ids.parquet")


def _space(
    table: pa.Table, dimension: int, model: str, *, shown: str, unit: bool, cure: str
) -> Space:
    said = (table.schema.metadata or {}).get(_KEY)
    names = set()
    if said:
        told = _told_space(said, shown)
        names, unit = {told.model}, told.normalised
        if told.dimension != dimension:
            raise DataError(
                f"{shown}: vectors have {dimension} dimensions, and are said to have "
                f"{told.dimension}"
            )
    if "model" in table.column_names:
        names.add(one_model(table.column("model").to_pylist(), shown=shown))
    if model:
        names.add(model)
    if len(names) > 1:
        raise DataError(
            f"{shown}: several models are named for it: {', '.join(sorted(names))}"
        )
    if not names:
        raise DataError(f"{shown}: nothing says which model made it; {cure}")
    return Space(model=names.pop(), dimension=dimension, normalised=unit)


def _told_space(said: bytes, shown: str) -> Space:
    """Return the space that a file says it is of."""
    kinds = {"model": str, "dimension": int, "normalised": bool}
    try:
        told = parse_json(said)
    except ValueError:
        told = None
    if isinstance(told, dict) and all(
        type(told.get(name)) is kind for name, kind in kinds.items()
    ):
        return Space(**{name: told[name] for name in kinds})
    raise DataError(f"{shown}: its space is not readable: {said!r:.80}")


def _suffix(path: Path) -> str:
    if path.suffix not in _SUFFIXES:
        raise UsageError(
            f"{path}: vectors stand in files that end in {', '.join(_SUFFIXES)}"
        )
    return path.suffix


def _write_table(path: Path, table: pa.Table, space: Space) -> None:
    told = json.dumps(space.to_dict(), sort_keys=True).encode()
    with replacing(path) as draft:
        pq.write_table(table.replace_schema_metadata({_KEY: told}), draft)


def _read_table(path: Path) -> pa.Table:
    try:
        # ParquetFile, since read_table would take folders for partitions.
        with pq.ParquetFile(path) as file:
            table = file.read()
        table.validate(full=True)
        if "id" in table.column_names:
            at = table.column_names.index("id")
            table = table.set_column(at, "id", table.column("id").cast(pa.string()))
    except (OSError, ValueError, pa.ArrowException) as error:
        raise DataError(f"{path}: cannot be read as Parquet: {error}") from error
    return table


def _lists(values: NDArray[Any]) -> pa.FixedSizeListArray:
    flat = pa.array(np.ascontiguousarray(values).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, values.shape[1])


def _of_lists(table: pa.Table, path: Path) -> NDArray[Any]:
    if "vector" not in table.column_names:
        raise DataError(f"{path}: no column `vector`")
    column = table.column("vector").combine_chunks()
    if not (_is_list(column.type) and pa.types.is_floating(column.type.value_type)):
        raise DataError(f"{path}: column `vector` is {column.type}, no list of numbers")
    flat = column.flatten()
    if column.null_count or flat.null_count or not len(column):
        raise DataError(f"{path}: column `vector` has no vectors, or empty places")
    width, rest = divmod(len(flat), len(column))
    sizes = set(column.value_lengths().unique().to_pylist())
    if rest or sizes != {width}:
        raise DataError(f"{path}: vectors have different lengths: {sorted(sizes)}")
    return np.asarray(flat.to_numpy(zero_copy_only=False)).reshape(len(column), width)


def _is_list(kind: pa.DataType) -> bool:
    kinds = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(is_kind(kind) for is_kind in kinds)


def _mapped_npy(path: Path) -> NDArray[Any]:
    try:
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except (OSError, ValueError, EOFError, TokenError) as error:
        raise DataError(f"{path}: no whole .npy file: {error}") from error


def _mapped_safetensors(path: Path) -> NDArray[Any]:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(_HEADER_BYTES), "little")
            if length > _LONGEST_HEADER:
                raise DataError(f"{path}: no safetensors file: its header is too long")
            header = parse_json(file.read(length))
        tensor = header[_TENSOR]
        kind, shape = (
            np.dtype(_KINDS[tensor["dtype"]]),
            tuple(map(int, tensor["shape"])),
        )
        first, last = map(int, tensor["data_offsets"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{path}: no safetensors file with a tensor `{_TENSOR}` of "
            f"{', '.join(_KINDS)}: {error}"
        ) from error
    start = _HEADER_BYTES + length
    expected = int(np.prod(shape)) * kind.itemsize
    if last - first != expected or first < 0 or start + last > size:
        raise DataError(
            f"{path}: ends early, or its header is wrong: {size} bytes, where the "
            f"header needs {start + first + expected}"
        )
    return np.asarray(np.memmap(path, kind, "r", start + first, shape))


def _safetensors_header(values: NDArray[Any]) -> bytes:
    kinds = {np.dtype(code): name for name, code in _KINDS.items()}
    tensor = {
        "dtype": kinds[values.dtype],
        "shape": list(values.shape),
        "data_offsets": [0, values.nbytes],
    }
    text = json.dumps({_TENSOR: tensor}).encode()
    text += b" " * (-len(text) % _HEADER_BYTES)
    return len(text).to_bytes(_HEADER_BYTES, "little") + text
