//! The fingerprint: MessagePack whose maps stand in the order of their bytes, hashed from the inside out.
//!
//! The payload grows in a buffer as it does in [`MsgPack`]. When a map closes, its entries are put in order. What is
//! longer than [`FOLD`] bytes then shrinks to its digest, so the buffer stays small and no byte is hashed twice. Short
//! containers stay as they are, because a thousand of them are hashed much faster in one go than one by one.
//! `docs/format.md` says the same as a rule over the payload.

use std::sync::OnceLock;

use blake3::Hasher;
use pyo3::prelude::*;
use siftpack_wire::{Short, write};

use super::msgpack::{self, MsgPack};
use super::{Build, Lowered, Parts, Sink};
use crate::error::Fault;
use crate::ffi::{Exact, Make, Obj, Out, Owned, Room, Text, text};
use crate::guard::Budget;
use crate::kind::{Shape, code};

/// Keeps these digests apart from those of every other use of the same hash.
const CONTEXT: &str = "siftpack fingerprint 1";
/// What is longer than this, in bytes, is replaced by its digest: one chunk of BLAKE3.
const FOLD: usize = 1024;
/// Opens a digest: the one byte that MessagePack never uses.
const DIGEST: u8 = 0xc1;
/// Strings from this size on, in bytes, are looked at again: their header may make them too long.
const LONG: usize = FOLD / 2;
/// A large map in another order goes to the hash in portions of so many bytes.
const PORTION: usize = 16 * 1024;

/// One entry of an open map: where it begins and, once the map closes, where it ends and its first eight bytes as a
/// number, which settle most comparisons.
#[derive(Clone, Copy, Debug)]
struct Entry {
    start: usize,
    end: usize,
    lead: u64,
}

/// Digests what it is given.
#[derive(Debug)]
pub struct Digest {
    pack: MsgPack,
    /// The entries of all open maps, inside out.
    entries: Vec<Entry>,
    /// What is put in order before it is hashed or goes back into the buffer.
    portion: Vec<u8>,
    hasher: Hasher,
}

/// A hasher of our context that has seen nothing.
fn fresh() -> Hasher {
    static FRESH: OnceLock<Hasher> = OnceLock::new();
    FRESH.get_or_init(|| Hasher::new_derive_key(CONTEXT)).clone()
}

impl Digest {
    /// One that has seen nothing. `bound` is that of the payload, in bytes, though it is never there as a whole.
    pub fn new(py: Python<'_>, bound: usize) -> Self {
        let pack = MsgPack { out: Out::whole(py, bound) };
        Self { pack, entries: Vec::new(), portion: Vec::new(), hasher: fresh() }
    }

    /// The fingerprint of the one value that was written, as a str of hexadecimal digits.
    pub fn finish(&mut self, py: Python<'_>) -> Result<Owned, Fault> {
        self.pack.out.fits()?;
        self.hasher.reset().update(self.pack.out.since(0));
        Ok(Make::str(py, &self.hasher.finalize().to_hex())?)
    }

    /// True if an entry begins there: what is written first is its key, and a key is never replaced.
    fn is_key(&self, start: usize) -> bool {
        self.entries.last().is_some_and(|entry| entry.start == start)
    }

    /// Replaces what was written since a position, if it is too long and no key.
    #[inline(always)]
    fn fold_long(&mut self, start: usize) -> Result<(), Fault> {
        if self.position() - start > FOLD { self.fold_since(start) } else { Ok(()) }
    }

    #[inline(never)]
    fn fold_since(&mut self, start: usize) -> Result<(), Fault> {
        if self.is_key(start) {
            return Ok(());
        }
        let written = self.pack.out.since(start);
        let size = written.len();
        self.hasher.reset().update(written);
        self.fold(start, size)
    }

    /// Puts the digest of what the hasher has seen in place of the `size` bytes it stands for.
    fn fold(&mut self, start: usize, size: usize) -> Result<(), Fault> {
        let mut short = [DIGEST; 1 + blake3::OUT_LEN];
        short[1..].copy_from_slice(self.hasher.finalize().as_bytes());
        Ok(self.pack.out.fold(start, size, &short)?)
    }

    /// Writes a string or payload; hashes it where it lies if it is too long and no key.
    #[inline(never)]
    fn long(&mut self, head: Short, data: &[u8]) -> Result<(), Fault> {
        let (start, size) = (self.position(), head.len() + data.len());
        if size <= FOLD || self.is_key(start) {
            return Ok(self.pack.out.headed(head, data)?);
        }
        self.hasher.reset().update(&head.padded()[..head.len()]).update(data);
        self.fold(start, size)
    }

    /// Puts the entries from the `first` on in the order of their bytes; false if they are already.
    #[inline(always)]
    fn order(&mut self, first: usize) -> bool {
        let bytes = self.pack.out.since(0);
        let entries = &mut self.entries[first..];
        let mut end = bytes.len();
        for entry in entries.iter_mut().rev() {
            (entry.end, entry.lead) = (end, lead(&bytes[entry.start..]));
            end = entry.start;
        }
        let of = |entry: &Entry| &bytes[entry.start..entry.end];
        let compare = |left: &Entry, right: &Entry| left.lead.cmp(&right.lead).then_with(|| of(left).cmp(of(right)));
        if entries.is_sorted_by(|left, right| compare(left, right).is_le()) {
            return false;
        }
        entries.sort_unstable_by(compare);
        true
    }

    /// Writes a container anew, because its count or the order of its entries is another: short to the buffer, long to
    /// the hash. `old` is the size of the header it has now.
    #[inline(never)]
    fn rewrite(&mut self, start: usize, old: usize, head: Short, entries: Option<usize>) -> Result<(), Fault> {
        let out = &self.pack.out;
        let size = out.position() - start - old + head.len();
        let room = if size > FOLD { PORTION } else { size };
        self.portion.clear();
        self.portion.try_reserve(room).map_err(|_| Fault::NoMemory)?;
        self.portion.extend_from_slice(&head.padded()[..head.len()]);
        self.hasher.reset();
        let mut add = |piece: &[u8]| {
            if self.portion.len() + piece.len() <= room {
                return self.portion.extend_from_slice(piece);
            }
            self.hasher.update(&self.portion);
            self.portion.clear();
            if piece.len() < room / 2 {
                self.portion.extend_from_slice(piece);
            } else {
                self.hasher.update(piece);
            }
        };
        match entries {
            Some(first) => self.entries[first..].iter().for_each(|each| add(&out.since(0)[each.start..each.end])),
            None => add(out.since(start + old)),
        }
        if size <= FOLD {
            return Ok(self.pack.out.replace(start, &self.portion)?);
        }
        self.hasher.update(&self.portion);
        self.fold(start, size)
    }
}

/// The first eight bytes as a number. They may go past the end of a short entry, and it does not matter: no entry
/// begins another one, so two that differ do so before either ends.
#[inline(always)]
fn lead(bytes: &[u8]) -> u64 {
    if let Some(first) = bytes.first_chunk() {
        return u64::from_be_bytes(*first);
    }
    bytes.iter().chain(&[0; 8]).take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

impl Sink for Digest {
    const BUILDS: bool = false;

    #[inline(always)]
    fn plain(&mut self, py: Python<'_>, obj: Obj, exact: Exact, budget: &Budget) -> Result<(), Fault> {
        let data = match exact {
            Exact::Str => match text(obj) {
                Text::Utf8(data) => data,
                _ => return self.base(py, obj, Shape::Str, budget),
            },
            Exact::Bytes => obj.bytes(),
            Exact::Int => return self.base(py, obj, Shape::Int, budget),
            _ => return self.pack.plain(py, obj, exact, budget),
        };
        let size = budget.size(data.len())?;
        let head = if exact == Exact::Str { write::str_header(size) } else { write::bin_header(size) };
        if data.len() < LONG { Ok(self.pack.out.headed(head, data)?) } else { self.long(head, data) }
    }

    #[inline(always)]
    fn base(&mut self, py: Python<'_>, obj: Obj, shape: Shape, budget: &Budget) -> Result<(), Fault> {
        let start = self.position();
        self.pack.base(py, obj, shape, budget)?;
        self.fold_long(start)
    }

    fn value(&mut self, code: i8, payload: &[u8], _: Option<Owned>, budget: &Budget) -> Result<(), Fault> {
        self.long(write::ext_header(code, budget.size(payload.len())?), payload)
    }

    fn key(&mut self, lowered: Lowered) -> Result<(), Fault> {
        self.pack.key(lowered)
    }

    fn set(&mut self, py: Python<'_>, frozen: bool, items: Vec<Lowered>) -> Result<(), Fault> {
        let start = self.position();
        self.pack.set(py, frozen, items)?;
        self.fold_long(start)
    }

    #[inline(always)]
    fn position(&self) -> usize {
        self.pack.position()
    }

    #[inline(always)]
    fn entry(&mut self) -> Result<usize, Fault> {
        let start = self.position();
        Room::in_(&mut self.entries).ok_or(Fault::NoMemory)?.put(Entry { start, end: 0, lead: 0 });
        Ok(start)
    }

    fn truncate(&mut self, position: usize) {
        self.pack.truncate(position);
        while self.entries.last().is_some_and(|entry| entry.start >= position) {
            self.entries.pop();
        }
    }

    #[inline(always)]
    fn open(&mut self, build: Build, count: usize, bound: u64) -> Result<usize, Fault> {
        if build.is_map() {
            self.entries.try_reserve(count).map_err(|_| Fault::NoMemory)?;
        }
        self.pack.open(build, count, bound)
    }

    fn name(&mut self, name: &str) -> Result<(), Fault> {
        self.pack.name(name)
    }

    fn unname(&mut self, start: usize, token: usize) -> Result<(), Fault> {
        self.portion.clear();
        let fields = self.pack.out.since(token);
        self.portion.try_reserve(fields.len()).map_err(|_| Fault::NoMemory)?;
        self.portion.extend_from_slice(fields);
        Ok(self.pack.out.replace(start, &self.portion)?)
    }

    #[inline(always)]
    fn close(&mut self, _: Python<'_>, build: Build, parts: Parts) -> Result<(), Fault> {
        let Parts { token, announced, kept, .. } = parts;
        let first = self.entries.len().saturating_sub(if build.is_map() { kept } else { 0 });
        let moved = build.is_map() && build != Build::TaggedMap(code::ORDERED_DICT) && self.order(first);
        if moved || announced != kept {
            let (old, head) = (msgpack::header(build, announced)?, msgpack::header(build, kept)?);
            self.rewrite(token, old.len(), head, moved.then_some(first))?;
        } else {
            self.fold_long(token)?;
        }
        self.entries.truncate(first);
        Ok(())
    }
}
