"""Tables of Python, as the compiled half reads them."""

from __future__ import annotations

import numpy as np

from ._data import row_by_row


def frame_of(X, names=None):
    """What the compiled half reads: an object with Arrow's PyCapsule interface as it is, else columns with their names, or with the
    given ones by their places."""
    if names is None and is_frame(X) and not _is_pandas(X):
        return X
    names = names_of(X) if names is None else names
    columns = X.iloc if _is_pandas(X) else np.asarray(X)
    return [(str(name), column_of(columns[:, place])) for place, name in enumerate(names)]


def is_frame(X):
    """Whether it is a table with named columns."""
    return _is_pandas(X) or hasattr(X, "__arrow_c_stream__")


def names_of(X):
    """The names of its columns, which an array gets by their places."""
    if not is_frame(X):
        return [f"feature_{place}" for place in range(X.shape[1])]
    names = X.columns if hasattr(X, "columns") and not hasattr(X, "column_names") else X.column_names
    return [str(name) for name in names]


def _is_pandas(X):
    return hasattr(X, "iloc") and hasattr(X, "columns")


def rows_of(X, rows):
    """Some rows of a table."""
    if _is_pandas(X):
        return X.iloc[rows]
    if hasattr(X, "__arrow_c_stream__"):
        return X.take(rows) if hasattr(X, "take") else X[rows]
    return X[rows]


def column_of(values):
    """An array of numbers or booleans, or a list of texts with ``None`` for a missing one."""
    if hasattr(values, "to_numpy") and getattr(values.dtype, "kind", "O") in "iufb":
        try:
            values = values.to_numpy()  # an extension type of pandas may have missing cells, and becomes objects
        except (TypeError, ValueError):
            values = values.to_numpy(dtype=object)
    elif hasattr(values, "astype") and hasattr(values, "to_numpy"):
        values = values.astype(object).to_numpy()
    values = np.asarray(values)
    if values.dtype.kind in "f":
        return row_by_row(values, np.float64)
    if values.dtype.kind == "i":
        return row_by_row(values, np.int64)
    if values.dtype.kind == "u":
        return row_by_row(values, np.uint64)
    if values.dtype.kind == "b":
        return row_by_row(values)
    if values.dtype.kind == "M":
        texts = np.datetime_as_string(values, unit="auto")
        return [None if text == "NaT" else str(text) for text in texts]
    cells = values.tolist()
    present = [cell for cell in cells if not _is_missing(cell)]
    if present and all(isinstance(cell, (bool, np.bool_)) for cell in present) and len(present) == len(cells):
        return np.array(cells, dtype=bool)
    if present and all(isinstance(cell, (int, float, np.integer, np.floating)) and not isinstance(cell, bool) for cell in present):
        if len(present) == len(cells) and all(isinstance(cell, (int, np.integer)) for cell in present):
            return [str(cell) for cell in cells]  # of any size
        return np.array([np.nan if _is_missing(cell) else float(cell) for cell in cells])
    return [None if _is_missing(cell) else _text(cell) for cell in cells]


def _is_missing(cell):
    return cell is None or cell is getattr(cell, "__class__", None) or _differs_from_itself(cell)


def _differs_from_itself(cell):
    try:
        return bool(cell != cell)
    except (TypeError, ValueError):  # pandas.NA has no truth value
        return True


def _text(cell):
    if isinstance(cell, str):
        return cell
    if isinstance(cell, (bool, np.bool_)):
        return "true" if cell else "false"
    if hasattr(cell, "isoformat"):
        text = cell.isoformat()
        return text.removesuffix("T00:00:00")
    return str(cell)
