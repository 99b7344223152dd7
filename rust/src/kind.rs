//! Kinds, actions and shapes by the numbers that Python counts them with.

use crate::ffi::Exact;

/// Position of each kind in `siftpack.Kind` that the core names itself.
pub mod kinds {
    /// None, bool, int, float, str
    pub const SCALAR: u8 = 0;
    /// bytes and other buffers
    pub const BINARY: u8 = 1;
    /// list, dict and the like
    pub const CONTAINER: u8 = 2;
    /// datetimes, decimals and the like
    pub const VALUE: u8 = 3;
    /// exceptions
    pub const EXCEPTION: u8 = 7;
    /// public fields of any other instance
    pub const OPAQUE: u8 = 9;
    /// a masked value
    pub const SECRET: u8 = 10;
    /// a back edge
    pub const CYCLE: u8 = 24;
    /// a key equal to an earlier one
    pub const KEY_COLLISION: u8 = 25;
    /// a field that begins with an underscore
    pub const PRIVATE: u8 = 26;
    /// an attribute beside the data
    pub const ATTRIBUTE: u8 = 27;
    /// a hook of the caller's that raised
    pub const HOOK: u8 = 28;
    /// How many kinds there are.
    pub const COUNT: usize = 29;

    /// True for what is no data.
    pub fn is_machinery(kind: u8) -> bool {
        (SECRET + 1..CYCLE).contains(&kind)
    }

    /// True for what is data.
    pub fn is_data(kind: u8) -> bool {
        kind < SECRET
    }
}

/// `siftpack.Action`, in its order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Action {
    /// Sift it into data.
    Keep,
    /// Leave it out.
    Drop,
    /// Write a tombstone.
    Tombstone,
    /// Write a bounded name.
    Name,
    /// Raise.
    Raise,
    /// Only in findings: another type.
    Converted,
    /// Only in findings: a bound was reached.
    Cut,
}

impl Action {
    /// From its number; anything unknown is to raise.
    pub fn from_number(number: u8) -> Self {
        match number {
            0 => Self::Keep,
            1 => Self::Drop,
            2 => Self::Tombstone,
            3 => Self::Name,
            5 => Self::Converted,
            6 => Self::Cut,
            _ => Self::Raise,
        }
    }
}

macro_rules! shapes {
    ($($name:ident),*) => {
        /// Where the data of an instance is: `siftpack.classify.Shape`, in its order.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub enum Shape { $($name),* }

        impl Shape {
            /// The exact type whose storage a scalar subclass has.
            pub fn as_exact(self) -> Exact {
                match self {
                    Self::Str => Exact::Str,
                    Self::Bytes => Exact::Bytes,
                    Self::Int => Exact::Int,
                    _ => Exact::Float,
                }
            }

            /// From its number.
            pub fn from_number(number: u8) -> Option<Self> {
                [$(Self::$name),*].get(usize::from(number)).copied()
            }
        }
    };
}

shapes!(
    Leaf,
    Value,
    Int,
    Float,
    Str,
    Bytes,
    List,
    Tuple,
    Dict,
    Set,
    FrozenSet,
    Deque,
    OrderedDict,
    DefaultDict,
    Counter,
    ChainMap,
    MappingProxy,
    Keys,
    Values,
    Items,
    Slice,
    Enum,
    Record,
    NamedTuple,
    Exception,
    Opaque,
    Wrapper,
    Parts
);

/// Ext codes and marks of `docs/format.md` that the core names itself.
pub mod code {
    /// MessagePack's own timestamp
    pub const TIMESTAMP: i8 = -1;
    /// opens a tagged array
    pub const MARK: i8 = 96;
    /// a tuple or frozenset as a map key
    pub const KEY: i8 = 97;
    /// an int beyond 64 bits
    pub const BIGINT: i8 = 98;
    /// a str with lone surrogates
    pub const STR: i8 = 99;
    /// bytearray
    pub const BYTEARRAY: i8 = 100;
    /// array.array
    pub const ARRAY: i8 = 101;
    /// memoryview
    pub const MEMORYVIEW: i8 = 102;
    /// datetime
    pub const DATETIME: i8 = 103;
    /// date
    pub const DATE: i8 = 104;
    /// time
    pub const TIME: i8 = 105;
    /// timedelta
    pub const TIMEDELTA: i8 = 106;
    /// re.Pattern
    pub const PATTERN: i8 = 115;
    /// a tombstone
    pub const TOMBSTONE: i8 = 118;
    /// an array of numpy or torch, a scalar of numpy, a moment of pandas
    pub const NDARRAY: i8 = 120;

    /// Mark of a tuple.
    pub const TUPLE: u8 = 1;
    /// Mark of a set.
    pub const SET: u8 = 2;
    /// Mark of a frozenset.
    pub const FROZENSET: u8 = 3;
    /// Mark of a deque.
    pub const DEQUE: u8 = 4;
    /// Mark of an OrderedDict.
    pub const ORDERED_DICT: u8 = 5;
    /// Mark of a defaultdict.
    pub const DEFAULT_DICT: u8 = 6;
    /// Mark of a Counter.
    pub const COUNTER: u8 = 7;
    /// Mark of a ChainMap.
    pub const CHAIN_MAP: u8 = 8;
    /// Mark of a slice.
    pub const SLICE: u8 = 9;
    /// Mark of a listed class.
    pub const RECORD: u8 = 10;
    /// Mark of an object array or a pandas object.
    pub const PARTS: u8 = 11;
    /// Mark of the same, if rules may have changed its parts.
    pub const SIFTED: u8 = 12;
    /// The bound of a deque without one.
    pub const UNBOUNDED: u64 = (1 << 56) - 1;

    /// Keys of one hash in one container.
    pub const SAME_HASH: u32 = 64;
    /// Nodes that a byte of a pattern costs.
    const PATTERN_BYTE: u64 = 64;

    /// True if an array's payload is that of a scalar or moment: its form is none of `wire.NDARRAY_UNHASHABLE`.
    pub fn is_hashable(payload: &[u8]) -> bool {
        !matches!(payload.first(), Some(0 | 2 | 3))
    }

    /// Nodes that a value of this code and size costs: `siftpack.values.cost`.
    pub fn cost(code: i8, size: usize) -> u64 {
        match code {
            PATTERN => 4096 + PATTERN_BYTE * size as u64,
            110 => 16,
            113 | 114 => 8,
            101 | 102 | 116 | 118 | 119 | NDARRAY => 4,
            _ => 0,
        }
    }
}
