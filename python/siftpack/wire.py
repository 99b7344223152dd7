"""The numbers of the format: ext codes, marks, frame bits. ``docs/format.md`` says what each one holds."""

from typing import Final

# Ext codes, one table. 96..127 are siftpack's; -1 is MessagePack's own timestamp.
TIMESTAMP: Final = -1
MARK: Final = 96
KEY: Final = 97
BIGINT: Final = 98
STR: Final = 99
BYTEARRAY: Final = 100
ARRAY: Final = 101
MEMORYVIEW: Final = 102
DATETIME: Final = 103
DATE: Final = 104
TIME: Final = 105
TIMEDELTA: Final = 106
TIMEZONE: Final = 107
ZONEINFO: Final = 108
DECIMAL: Final = 109
FRACTION: Final = 110
COMPLEX: Final = 111
UUID: Final = 112
PATH: Final = 113
IP: Final = 114
PATTERN: Final = 115
RANGE: Final = 116
ELLIPSIS: Final = 117
TOMBSTONE: Final = 118
EXT: Final = 119
NDARRAY: Final = 120
FIRST_OWN: Final = 96

# Marks: the first data byte of a MARK, which opens a tagged array.
TUPLE: Final = 1
SET: Final = 2
FROZENSET: Final = 3
DEQUE: Final = 4
ORDERED_DICT: Final = 5
DEFAULT_DICT: Final = 6
COUNTER: Final = 7
CHAIN_MAP: Final = 8
SLICE: Final = 9
RECORD: Final = 10
PARTS: Final = 11

DEQUE_UNBOUNDED: Final = 2**56 - 1

# Cost in nodes of values that are dear to build, charged by writer and reader alike.
COSTS: Final = {
    PATTERN: 4096,
    FRACTION: 16,
    PATH: 8,
    IP: 8,
    **dict.fromkeys((ARRAY, RANGE, MEMORYVIEW, TOMBSTONE, EXT, NDARRAY), 4),
}
PATTERN_BYTE: Final = 64

# First byte of an NDARRAY. Arrays, records and tensors cannot be hashed; the others can.
NDARRAY_ARRAY: Final = 0
NDARRAY_SCALAR: Final = 1
NDARRAY_RECORD: Final = 2
NDARRAY_TENSOR: Final = 3
NDARRAY_TIMESTAMP: Final = 4
NDARRAY_TIMEDELTA: Final = 5
NDARRAY_NAT: Final = 6
NDARRAY_NA: Final = 7
NDARRAY_UNHASHABLE: Final = (NDARRAY_ARRAY, NDARRAY_RECORD, NDARRAY_TENSOR)

# Keys that share one hash, beyond which a container is refused (hash flooding).
SAME_HASH: Final = 64

# Frame.
FRAME_MAGIC: Final = 0xC1
FRAME_VERSION: Final = 1
FRAME_HEADER: Final = 4
FLAG_TEXT: Final = 0b0000_0001
FLAG_ZLIB: Final = 0b0000_0010
FLAG_LOSSY: Final = 0b0001_0000
FLAG_BOUND: Final = 0b0010_0000
FLAG_SEALED: Final = 0b0100_0000
