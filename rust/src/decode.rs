//! MessagePack to plain Python values. Strict and bounded; nothing but data is ever built.
//!
//! Parts wait on a value stack, and each container is built when it is complete, so nothing half-built is visible
//! to anyone. The levels below are the only stack there is.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use siftpack_wire::{Reader, Reason, Token};

use crate::error::{Fault, Reached};
use crate::ffi::{Exact, Make, Owned, Quiet, Spare, Stack};
use crate::foreign::Bridge;
use crate::guard::Budget;
use crate::hooks::is_contained;
use crate::kind::code;
use crate::levels::{Kind, Level, Read, Refusal, refuse};
use crate::policy::Limits;

/// Tokens between two looks at pending signals.
const SIGNALS_EVERY: u32 = 1 << 16;

struct Decoder<'py, 'a> {
    py: Python<'py>,
    reader: Reader<'a>,
    budget: Budget,
    stack: Stack,
    levels: Vec<Level>,
    depth: usize,
    ticks: u32,
    /// The collector is off but where a listed class is rebuilt.
    quiet: Quiet,
    /// The classes that come back as themselves: a `siftpack.listed.Types`.
    types: Option<pyo3::Bound<'py, PyAny>>,
}

/// The levels of the last reader, all closed.
static LEVELS: Spare<Level> = Spare::new();
/// Levels whose room is kept for the next reader.
const SPARE_LEVELS: usize = 256;

/// The one value in `data`. Offsets in errors are counted from `base`. Raises `DecodeError`.
pub fn decode<'py>(
    py: Python<'py>,
    data: &[u8],
    (limits, types): (Limits, Option<pyo3::Bound<'py, PyAny>>),
    base: usize,
) -> PyResult<Owned> {
    let mut decoder = Decoder {
        py,
        quiet: Quiet::new(py),
        reader: Reader::new(data),
        budget: Budget::new(limits),
        stack: Stack::spare(py),
        levels: LEVELS.take(py),
        depth: 0,
        ticks: 0,
        types,
    };
    let result = if data.len() > limits.bytes { Err(Reached::Bytes.into()) } else { decoder.run() };
    let offset = base + decoder.reader.offset();
    let Decoder { stack, mut levels, quiet, .. } = decoder;
    stack.keep(py);
    levels.clear();
    LEVELS.keep(py, levels, SPARE_LEVELS);
    drop(quiet);
    result.map_err(|refusal| match *refusal {
        Refusal::Words(words) => Bridge::error(py, "DecodeError", &format!("{words} at offset {offset}")),
        Refusal::Fault(Fault::Limit(bound)) => {
            Bridge::error(py, "DecodeError", &format!("{} at offset {offset}", bound.describe(&limits)))
        }
        Refusal::Fault(fault) => fault.into_error(py, "input", &limits),
    })
}

impl Decoder<'_, '_> {
    fn run(&mut self) -> Read<Owned> {
        loop {
            let Some((value, plain)) = self.step()? else { continue };
            if let Some(whole) = self.deliver(value, plain)? {
                return if self.reader.left() == 0 { Ok(whole) } else { refuse("trailing bytes") };
            }
        }
    }

    /// Reads on in the topmost level: to its last part, or to a part that opens a level of its own.
    #[inline(always)]
    fn step(&mut self) -> Read<Option<(Owned, bool)>> {
        match self.levels.last() {
            Some(Level { kind: Kind::List, inside: None, left, .. }) => self.fill::<false>(*left),
            Some(Level { kind: Kind::Map, inside: None, left, .. }) => self.fill::<true>(*left),
            Some(level) => {
                let left = level.left;
                self.one::<false>(left)
            }
            None => self.one::<false>(0),
        }
    }

    /// Takes scalars as they come. In a map, every other one is a key.
    fn fill<const MAP: bool>(&mut self, mut left: u64) -> Read<Option<(Owned, bool)>> {
        while left > 1 {
            match self.one::<MAP>(left)? {
                Some((value, true)) => self.stack.push(value)?,
                other => return Ok(other),
            }
            left -= 1;
        }
        self.one::<MAP>(left)
    }

    /// Reads one token, with `left` parts of the topmost level to come: a value and whether it is a plain one, or None
    /// where a level was opened that has parts of its own.
    #[inline(always)]
    fn one<const MAP: bool>(&mut self, left: u64) -> Read<Option<(Owned, bool)>> {
        self.ticks += 1;
        if self.ticks == SIGNALS_EVERY {
            self.ticks = 0;
            self.py.check_signals()?;
        }
        let start = self.reader.offset();
        // Matched as it is read, so that a token is never put together in memory.
        let value = match self.reader.next_raw() {
            Ok(Token::Str(text)) => {
                self.budget.size(text.len())?;
                let key = MAP && left.is_multiple_of(2);
                let made = if key { Make::key(self.py, text)? } else { Make::text(self.py, text)? };
                let Some(made) = made else { return refuse(&Reason::NotUtf8.to_string()) };
                made
            }
            Ok(Token::Uint(value)) => Make::unsigned(self.py, value)?,
            Ok(Token::Int(value)) => Make::signed(self.py, value)?,
            Ok(Token::Float(value)) => Make::float(self.py, value)?,
            Ok(Token::Nil) => Make::nil(self.py),
            Ok(Token::Bool(value)) => Make::boolean(value),
            Ok(Token::Bin(data)) => {
                self.budget.size(data.len())?;
                Make::bytes(self.py, data)?
            }
            Ok(Token::Array(count)) => {
                self.set_left(left);
                return self.array(u64::from(count));
            }
            Ok(Token::Map(count)) => {
                self.set_left(left);
                return self.map(u64::from(count));
            }
            Ok(Token::Ext(code, payload)) => {
                self.set_left(left);
                return self.ext(code, payload, start);
            }
            Err(error) => return refuse(&error.reason.to_string()),
        };
        if left == 1 {
            self.set_left(1);
        }
        Ok(Some((value, true)))
    }

    #[inline(always)]
    fn set_left(&mut self, left: u64) {
        if let Some(level) = self.levels.last_mut() {
            level.left = left;
        }
    }

    /// Where the next value stands: the containers around it inside a key or set element, or None.
    fn inside(&self) -> Option<usize> {
        let level = self.levels.last()?;
        match level.kind {
            Kind::Set { .. } => Some(level.inside.unwrap_or(0)),
            Kind::Map if level.left % 2 == 0 => Some(0),
            _ => level.inside,
        }
    }

    fn open(&mut self, kind: Kind, parts: u64, inside: Option<usize>) -> Read<Option<(Owned, bool)>> {
        if self.levels.try_reserve(1).is_err() {
            return Err(Box::new(Refusal::Fault(Fault::NoMemory)));
        }
        self.levels.push(Level { kind, left: parts, start: self.stack.len(), inside, hashes: None });
        if parts > 0 {
            return Ok(None);
        }
        self.close().map(Some)
    }

    /// Charges a container header that announces `parts` of one byte at least.
    fn charge(&mut self, parts: u64) -> Read<()> {
        if parts > self.reader.left() as u64 {
            return refuse("header announces more than the input holds");
        }
        self.depth += 1;
        self.budget.depth(self.depth)?;
        Ok(self.budget.nodes(1)?)
    }

    fn map(&mut self, count: u64) -> Read<Option<(Owned, bool)>> {
        let inside = self.inside();
        let fields = self.levels.last().is_some_and(|level| level.kind == Kind::Record && level.left == 1);
        if inside.is_some() && !fields {
            return refuse("map in a key or set element");
        }
        self.charge(2 * count)?;
        self.open(Kind::Map, 2 * count, inside)
    }

    fn array(&mut self, count: u64) -> Read<Option<(Owned, bool)>> {
        if self.levels.last().is_some_and(|level| level.kind == Kind::Record && level.left == 1) {
            return refuse("bad record");
        }
        let inside = self.inside().map(|around| around + 1);
        self.charge(count)?;
        if inside.is_some_and(|around| around > self.budget.limits.key_depth) {
            return Err(Reached::KeyDepth.into());
        }
        let Some(mark) = self.mark(count) else {
            let kind = if inside.is_some() { Kind::Tuple } else { Kind::List };
            return self.open(kind, count, inside);
        };
        let (kind, parts) = Self::tagged(mark, count - 1, inside.is_some())?;
        self.open(kind, parts, inside)
    }

    /// The data of a mark, if the next element is one.
    fn mark(&mut self, count: u64) -> Option<(u8, Option<u64>)> {
        const MARK: u8 = code::MARK.cast_unsigned();
        let found = match *self.reader.rest() {
            [0xd4, MARK, tag, ..] => (tag, None),
            [0xd7, MARK, tag, ref tail @ ..] if tail.len() >= 7 => {
                (tag, Some(tail[..7].iter().fold(0, |bound, byte| bound << 8 | u64::from(*byte))))
            }
            _ => return None,
        };
        if count == 0 || self.reader.next_token().is_err() {
            return None;
        }
        Some(found)
    }

    fn tagged(mark: (u8, Option<u64>), parts: u64, in_key: bool) -> Read<(Kind, u64)> {
        let kind = match mark {
            (code::TUPLE, None) => return Ok((Kind::Tuple, parts)),
            (code::RECORD, None) if parts == 2 => return Ok((Kind::Record, parts)),
            (code::FROZENSET, None) => return Ok((Kind::Set { frozen: true }, parts)),
            _ if in_key => return refuse("mutable container in a key or set element"),
            (code::SET, None) => Kind::Set { frozen: false },
            (code::DEQUE, Some(bound)) if parts <= bound => Kind::Deque(bound),
            (code::DEQUE, Some(_)) => return refuse("deque longer than its bound"),
            (mark @ (code::CHAIN_MAP | code::PARTS | code::SIFTED), None) => Kind::Tagged(mark),
            (code::SLICE, None) if parts == 3 => Kind::Tagged(code::SLICE),
            (mark @ (code::ORDERED_DICT | code::DEFAULT_DICT | code::COUNTER), None) if parts == 1 => {
                Kind::TaggedMap(mark)
            }
            _ => return refuse("unknown mark"),
        };
        Ok((kind, parts))
    }

    fn ext(&mut self, code: i8, payload: &[u8], start: usize) -> Read<Option<(Owned, bool)>> {
        let inside = self.inside();
        if code == code::KEY {
            return self.key_form(payload.len(), inside, start);
        }
        if code == code::MARK {
            return refuse("mark outside the head of an array");
        }
        let array = code == code::NDARRAY && !code::is_hashable(payload);
        if inside.is_some() && (array || matches!(code, code::BYTEARRAY | code::ARRAY | code::MEMORYVIEW)) {
            return refuse("mutable value in a key or set element");
        }
        self.budget.size(payload.len())?;
        self.budget.nodes(code::cost(code, payload.len()))?;
        let built = Bridge::get(self.py)?.build(self.py, code, payload);
        Ok(Some((self.built(built)?, false)))
    }

    /// What Python built. A `ValueError` says why the input is refused.
    fn built(&self, built: PyResult<Owned>) -> Read<Owned> {
        built.map_err(|error| {
            if error.is_instance_of::<PyValueError>(self.py) {
                Box::new(Refusal::Words(error.value(self.py).to_string()))
            } else {
                error.into()
            }
        })
    }

    fn key_form(&mut self, size: usize, inside: Option<usize>, start: usize) -> Read<Option<(Owned, bool)>> {
        let map_key = self.levels.last().is_some_and(|level| level.kind == Kind::Map);
        if inside != Some(0) || !map_key {
            return refuse("key form outside a map key");
        }
        let end = self.reader.offset();
        self.reader.rewind(end - size);
        if !matches!(self.reader.rest().first(), Some(0x90..=0x9f | 0xdc | 0xdd)) {
            self.reader.rewind(start);
            return refuse("bad key form");
        }
        self.open(Kind::KeyForm(end), 1, inside)
    }

    /// Hands a value to the level it belongs to, and every level that is complete to the next; the whole at the end.
    #[inline(always)]
    fn deliver(&mut self, mut value: Owned, mut plain: bool) -> Read<Option<Owned>> {
        loop {
            let Some(level) = self.levels.last_mut() else { return Ok(Some(value)) };
            let hashed = match level.kind {
                Kind::Map => level.left % 2 == 0,
                Kind::Set { .. } => true,
                _ => false,
            };
            level.left -= 1;
            let complete = level.left == 0;
            if hashed && !plain {
                self.weigh(&value)?;
            }
            self.stack.push(value)?;
            if !complete {
                return Ok(None);
            }
            (value, plain) = self.close()?;
        }
    }

    #[cold]
    fn weigh(&mut self, value: &Owned) -> Read<()> {
        self.budget.container_key()?;
        let hash = Make::hash(self.py, value.obj()).or_else(|error| self.unhashed(error))?;
        if let Some(level) = self.levels.last_mut() {
            level.hashes.get_or_insert_default().add(hash)?;
        }
        Ok(())
    }

    /// The error of a key that Python could not hash or compare.
    #[cold]
    fn unhashed<T>(&self, error: PyErr) -> Read<T> {
        if is_contained(self.py, &error) {
            return refuse("key or set element that cannot be hashed");
        }
        Err(error.into())
    }

    /// Builds the topmost level.
    fn close(&mut self) -> Read<(Owned, bool)> {
        let Some(level) = self.levels.pop() else { return refuse("nothing to close") };
        let (py, start) = (self.py, level.start);
        if !matches!(level.kind, Kind::KeyForm(_)) {
            self.depth -= 1;
        }
        let value = match level.kind {
            Kind::List => self.stack.list(py, start)?,
            Kind::Tuple => self.stack.tuple(py, start)?,
            Kind::Map => {
                let pairs = (self.stack.len() - start) / 2;
                let (dict, size) = self.stack.row::<true>(py, start).or_else(|error| self.unhashed(error))?;
                if size != pairs {
                    return refuse("duplicate key");
                }
                dict
            }
            Kind::Set { frozen } => {
                let count = self.stack.len() - start;
                let (set, size) = self.stack.set(py, start, frozen).or_else(|error| self.unhashed(error))?;
                if size != count {
                    return refuse("duplicate set element");
                }
                set
            }
            Kind::Deque(bound) => {
                let items = self.stack.list(py, start)?;
                let bound = (bound != code::UNBOUNDED).then_some(bound);
                Bridge::get(py)?.assemble(py, code::DEQUE, items, bound)?
            }
            Kind::Tagged(mark) => {
                let items = self.stack.list(py, start)?;
                self.built(Bridge::get(py)?.assemble(py, mark, items, None))?
            }
            Kind::TaggedMap(mark) => {
                let items = self.stack.list(py, start)?;
                let inner = crate::ffi::list_get(items.obj(), 0).map(crate::ffi::Obj::exact);
                if inner != Some(Exact::Dict) {
                    return refuse("unknown mark");
                }
                Bridge::get(py)?.assemble(py, mark, items, None)?
            }
            Kind::Record => self.record(start, level.inside.is_some())?,
            Kind::KeyForm(end) => {
                let Some(value) = self.stack.pop() else { return refuse("bad key form") };
                if self.reader.offset() != end {
                    return refuse("bad key form");
                }
                return Ok((value, false));
            }
        };
        Ok((value, false))
    }

    /// A listed class by its name, or what stands for it where the name is not listed.
    fn record(&mut self, start: usize, in_key: bool) -> Read<Owned> {
        let (Some(fields), Some(name)) = (self.stack.pop(), self.stack.pop()) else { return refuse("bad record") };
        if !name.obj().is_str() || fields.obj().exact() != Exact::Dict || self.stack.len() != start {
            return refuse("bad record");
        }
        let mut position = 0;
        while let Some((field, _)) = crate::ffi::dict_next(fields.obj(), &mut position) {
            if !field.is_str() {
                return refuse("bad record");
            }
        }
        let (py, types) = (self.py, self.types.as_ref());
        let bridge = Bridge::get(py)?;
        self.quiet.lift();
        let made = bridge.rebuild(types, &name.obj().bind(py), &fields.obj().bind(py), in_key);
        self.quiet.resume();
        match made {
            Ok(value) => Ok(value),
            Err(error) if error.is_instance_of::<PyValueError>(py) => {
                Err(Box::new(Refusal::Words(error.value(py).to_string())))
            }
            Err(error) => Err(error.into()),
        }
    }
}
