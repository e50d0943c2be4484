"""Parquet."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from compat_eval.core.errors import DataError
from compat_eval.suite.source import Source


def read_parquet(path: Path, source: Source, shown: str) -> pa.Table:  # noqa: ARG001
    """Read a Parquet file.

    Raises:
        DataError: The file is damaged.

    """
    try:
        return pq.ParquetFile(path).read()
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{shown}: is no readable Parquet file: {error}") from error
