"""What stands for an array where its library is not imported."""

from typing import Any

from siftpack.frozen import Frozen

FORMS = (
    *("numpy.ndarray", "numpy.generic", "numpy.void", "torch.Tensor"),
    *("pandas.Timestamp", "pandas.Timedelta", "pandas.NaT", "pandas.NA"),
)
"""Kinds of values, by the form byte of their payload."""
CONTAINERS = {
    "object": "numpy.ndarray",
    "fields": "numpy.ndarray",
    "record": "numpy.void",
    "series": "pandas.Series",
    "frame": "pandas.DataFrame",
    "index": "pandas.Index",
    "array": "pandas.array",
}
"""Kinds of containers, by the word that their parts begin with."""


class NDArray(Frozen):
    """An array, scalar, tensor or table as it was written; writing it again gives the same bytes.

    - ``kind``: what it was, such as ``"numpy.ndarray"``, ``"torch.Tensor"`` or ``"pandas.DataFrame"``
    - ``dtype``: its dtype in the notation of ``docs/format.md``; of a container the word that its parts begin with
    - ``shape``: its dimensions
    - ``data``: its items in C order as bytes; of a container the parts behind that word, as a tuple

    Containers are compared by the bytes they are written as, and have no hash.
    """

    __slots__ = __match_args__ = ("kind", "dtype", "shape", "data")
    kind: str
    dtype: str
    shape: tuple[int, ...]
    data: bytes | tuple[Any, ...]

    def __init__(self, kind: str, dtype: str, shape: tuple[int, ...], data: bytes | tuple[Any, ...]) -> None:
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "dtype", dtype)
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "data", data)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self) or type(self.data) is not tuple or type(other.data) is not tuple:
            return Frozen.__eq__(self, other)
        from siftpack import packb

        return self is other or packb(self) == packb(other)

    def __hash__(self) -> int:
        if type(self.data) is tuple:
            raise TypeError(f"unhashable {type(self).__qualname__}: it holds parts")
        return Frozen.__hash__(self)

    def __repr__(self) -> str:
        size = f"{len(self.data)} {'parts' if type(self.data) is tuple else 'bytes'}"
        dtype = self.dtype if len(self.dtype) <= DTYPE_SHOWN else f"{self.dtype[:DTYPE_SHOWN]}..."
        return f"{type(self).__qualname__}(kind={self.kind!r}, dtype={dtype!r}, shape={self.shape!r}, <{size}>)"


DTYPE_SHOWN = 64
"""Characters of a dtype that a repr shows."""
