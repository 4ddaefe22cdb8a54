"""Arrow tables of the LeRobot v3.0 layout."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from monde.data.lerobot.frames import IMAGE_TYPE
from monde.data.lerobot.layout import Feature
from monde.errors import DataError
from monde.store.atomic import atomic_file

_ROW_GROUP_BYTES = 16 * 2**20
READ_ERRORS = (OSError, pa.ArrowException)
"""What pyarrow raises on a file that is missing, truncated or damaged."""


def shape_of(feature: Feature) -> tuple[int, ...]:
    """The shape of a feature of info.json."""
    shape = feature.get("shape")
    if not isinstance(shape, list | tuple) or not all(isinstance(side, int) and side > 0 for side in shape):
        raise DataError("a feature of meta/info.json has no usable shape", got=shape, expected="a list of sizes")
    return tuple(shape)


def arrow_type(feature: Feature) -> pa.DataType:
    """The Arrow type of a feature: what Hugging Face `datasets` stores for it."""
    if feature["dtype"] == "image":
        return IMAGE_TYPE
    value = pa.from_numpy_dtype(np.dtype(str(feature["dtype"])))
    shape = shape_of(feature)
    if shape == (1,):
        return value
    if len(shape) == 1:
        return pa.list_(value, shape[0])
    for _ in shape:
        value = pa.list_(value)
    return value


def schema(features: Mapping[str, Feature]) -> pa.Schema:
    """The schema of a data file, with the metadata by which `datasets` recognises images and sequences."""
    columns = {key: feature for key, feature in features.items() if feature["dtype"] != "video"}
    hugging_face = {"info": {"features": {key: _hugging_face(feature) for key, feature in columns.items()}}}
    fields = [pa.field(key, arrow_type(feature)) for key, feature in columns.items()]
    return pa.schema(fields, metadata={"huggingface": json.dumps(hugging_face)})


def _hugging_face(feature: Feature) -> dict[str, object]:
    if feature["dtype"] == "image":
        return {"_type": "Image"}
    value: dict[str, object] = {"dtype": feature["dtype"], "_type": "Value"}
    shape = shape_of(feature)
    if shape == (1,):
        return value
    if len(shape) == 1:
        return {"feature": value, "length": shape[0], "_type": "Sequence"}
    return {"shape": list(shape), "dtype": feature["dtype"], "_type": f"Array{len(shape)}D"}


def column(values: np.ndarray, feature: Feature) -> pa.Array:
    """Rows [T, ...] as an Arrow column of the feature's type."""
    dtype, shape = np.dtype(str(feature["dtype"])), shape_of(feature)
    array = pa.array(np.ascontiguousarray(values, dtype=dtype).reshape(-1))
    if shape == (1,):
        return array
    if len(shape) == 1:
        return pa.FixedSizeListArray.from_arrays(array, shape[0])
    for side in reversed(shape):
        array = pa.ListArray.from_arrays(pa.array(np.arange(0, len(array) + 1, side, dtype=np.int32)), array)
    return array


def rows(array: pa.ChunkedArray | pa.Array, feature: Feature, where: str) -> np.ndarray:
    """An Arrow column as rows [T, ...], whatever kind of list the writer chose.

    Raises:
        DataError: Nulls, or rows of another length than the feature's shape.
    """
    flat = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    count, shape = len(flat), shape_of(feature)
    while isinstance(flat, pa.ExtensionArray):
        flat = flat.storage
    while pa.types.is_list(flat.type) or pa.types.is_large_list(flat.type) or pa.types.is_fixed_size_list(flat.type):
        if flat.null_count:
            break
        flat = flat.flatten()
    if flat.null_count or len(flat) != count * int(np.prod(shape)):
        raise DataError(
            f"{where} has missing values",
            got=f"{flat.null_count} nulls, {len(flat)} numbers in {count} rows",
            expected=f"{int(np.prod(shape))} numbers in each row",
            remedy="restore the file from where it came, or leave this episode out",
        )
    return flat.to_numpy(zero_copy_only=False).reshape(count, *(() if shape == (1,) else shape))


def write_table(path: Path, tables: Sequence[pa.Table]) -> None:
    """Write tables one after another, each starting a row group of its own, with page checksums; atomic and durable."""
    with (
        atomic_file(path) as file,
        pq.ParquetWriter(file, tables[0].schema, compression="snappy", write_page_checksum=True) as writer,
    ):
        for table in tables:
            per_row = max(1, table.nbytes // max(1, len(table)))
            writer.write_table(table, row_group_size=int(np.clip(_ROW_GROUP_BYTES // per_row, 16, 1024)))


def read_table(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """A small Parquet file, whole.

    Raises:
        DataError: Missing, truncated or damaged.
    """
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            return file.read(columns=None if columns is None else list(columns))
    except READ_ERRORS as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: BaseException) -> DataError:
    """The DataError for a Parquet file that pyarrow cannot read."""
    if not path.exists():
        return DataError(f"{path} is missing", remedy="restore it from where the dataset came")
    return DataError(
        f"{path} cannot be read as Parquet",
        got=str(error)[:200],
        expected="a whole Parquet file",
        remedy="it is truncated or damaged: restore it from where the dataset came",
    )


def tasks_table(tasks: Sequence[str]) -> pa.Table:
    """meta/tasks.parquet: a pandas frame indexed by the task's text (read by lerobot with pandas)."""
    pandas = {
        "index_columns": ["task"],
        "column_indexes": [
            {"name": None, "field_name": None, "pandas_type": "unicode", "numpy_type": "object", "metadata": None}
        ],
        "columns": [
            {
                "name": "task_index",
                "field_name": "task_index",
                "pandas_type": "int64",
                "numpy_type": "int64",
                "metadata": None,
            },
            {"name": "task", "field_name": "task", "pandas_type": "unicode", "numpy_type": "object", "metadata": None},
        ],
        "creator": {"library": "pyarrow", "version": pa.__version__},
        "pandas_version": "2.2.0",
    }
    fields = [pa.field("task_index", pa.int64()), pa.field("task", pa.string())]
    layout = pa.schema(fields, metadata={"pandas": json.dumps(pandas)})
    return pa.Table.from_arrays(
        [pa.array(range(len(tasks)), pa.int64()), pa.array(list(tasks), pa.string())], schema=layout
    )


def read_tasks(path: Path) -> tuple[str, ...]:
    """The tasks of meta/tasks.parquet, by task_index.

    Raises:
        DataError: Missing, damaged, or indices that are not 0, 1, 2…
    """
    table = read_table(path)
    texts = next((name for name in ("task", "__index_level_0__") if name in table.column_names), None)
    if texts is None or "task_index" not in table.column_names:
        raise DataError(f"{path} does not hold tasks", got=table.column_names, expected="task, task_index")
    pairs = sorted(zip(table["task_index"].to_pylist(), table[texts].to_pylist(), strict=True))
    if [index for index, _ in pairs] != list(range(len(pairs))):
        raise DataError(
            f"{path} does not number its tasks", got=[index for index, _ in pairs][:10], expected="0, 1, 2…"
        )
    return tuple(str(text) for _, text in pairs)
