//! What keeps a walk finite: the path of open containers, and the budgets.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use pyo3::Python;

use crate::error::{Fault, Reached};
use crate::ffi::{Exact, Int, Obj, Owned, Room, Spare, Text, int_value, is_short_int, text};
use crate::policy::Limits;

/// Up to this depth the path is searched as it lies; beyond, a filter says first whether to search at all.
const SHALLOW: usize = 16;
/// Beyond this depth a set answers instead of a search.
const DEEP: usize = 1024;
/// Slots of the filter, a power of two: at the depth where the set takes over, one in eight is taken.
const FILTER: usize = 8 * DEEP;

/// The room of the last path.
static SPARE: Spare<Obj> = Spare::new();
/// Levels for which room is kept.
const SPARE_LEVELS: usize = 256;

/// Addresses are spread well enough by one multiplication.
#[derive(Default, Debug)]
pub struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_usize(usize::from(*byte));
        }
    }

    #[inline(always)]
    fn write_u32(&mut self, value: u32) {
        self.write_usize(value as usize);
    }

    #[inline(always)]
    fn write_usize(&mut self, value: usize) {
        let mixed = (self.0 ^ value as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ mixed >> 32;
    }
}

/// Hashes addresses.
pub type ByAddress = BuildHasherDefault<AddressHasher>;

/// The containers that are open now.
#[derive(Debug, Default)]
pub struct Path {
    open: Vec<Obj>,
    /// The first so many of them are owned, since a checkpoint: no address here is ever another object's.
    owned: Vec<Owned>,
    /// How many of them fall into each slot, once the path was deeper than `SHALLOW`.
    filter: Vec<u32>,
    /// Where each of them stands in `open`, by address, once the path was deeper than `DEEP`. What is closed is not taken
    /// out: an entry counts where its place still holds that address.
    deep: HashMap<usize, usize, ByAddress>,
}

#[inline(always)]
fn slot(id: usize) -> usize {
    (id >> 4 ^ id >> 17) % FILTER
}

impl Path {
    /// Nothing is open; what will be has room already, if another walk left any.
    #[inline(always)]
    pub fn new(py: Python<'_>) -> Self {
        Self { open: SPARE.take(py), ..Self::default() }
    }

    /// Leaves the room to the next walk.
    #[inline(always)]
    pub fn end(&mut self, py: Python<'_>) {
        self.open.clear();
        SPARE.keep(py, core::mem::take(&mut self.open), SPARE_LEVELS);
    }

    /// True if the container is open already.
    #[inline(always)]
    pub fn holds(&self, obj: Obj) -> bool {
        if self.filter.is_empty() {
            return self.open.contains(&obj);
        }
        self.filter[slot(obj.id())] > 0 && self.search(obj)
    }

    #[inline(never)]
    fn search(&self, obj: Obj) -> bool {
        if self.deep.is_empty() {
            return self.open.contains(&obj);
        }
        self.deep.get(&obj.id()).is_some_and(|place| self.open.get(*place) == Some(&obj))
    }

    /// Opens a container that is not open.
    #[inline(always)]
    pub fn enter(&mut self, obj: Obj) -> Result<(), Fault> {
        Room::in_(&mut self.open).ok_or(Fault::NoMemory)?.put(obj);
        if self.open.len() > SHALLOW || !self.filter.is_empty() { self.sort_in(obj.id()) } else { Ok(()) }
    }

    /// Counts a container in the filter, and at first those around it.
    #[inline(never)]
    fn sort_in(&mut self, id: usize) -> Result<(), Fault> {
        match self.filter.get_mut(slot(id)) {
            Some(count) => *count += 1,
            None => self.begin_filter()?,
        }
        if self.open.len() > DEEP || !self.deep.is_empty() { self.go_deep(id) } else { Ok(()) }
    }

    #[cold]
    fn begin_filter(&mut self) -> Result<(), Fault> {
        self.filter.try_reserve_exact(FILTER).map_err(|_| Fault::NoMemory)?;
        self.filter.resize(FILTER, 0);
        for obj in &self.open {
            self.filter[slot(obj.id())] += 1;
        }
        Ok(())
    }

    /// Notes where a container stands, and at first those around it; anew, once most of the notes are out of date.
    #[inline(never)]
    fn go_deep(&mut self, id: usize) -> Result<(), Fault> {
        if self.deep.is_empty() || self.deep.len() > 4 * self.open.len().max(DEEP) {
            self.deep.clear();
            self.deep.try_reserve(self.open.len().max(4 * DEEP)).map_err(|_| Fault::NoMemory)?;
            for (place, obj) in self.open.iter().enumerate() {
                self.deep.entry(obj.id()).or_insert(place);
            }
            return Ok(());
        }
        self.deep.try_reserve(1).map_err(|_| Fault::NoMemory)?;
        // A listed instance is open once more for its base storage: its first place is the one that lasts.
        let (last, open) = (self.open.len() - 1, &self.open);
        let place = self.deep.entry(id).or_insert(last);
        if open.get(*place).is_none_or(|obj| obj.id() != id) {
            *place = last;
        }
        Ok(())
    }

    /// Closes the container opened last.
    #[inline(always)]
    pub fn leave(&mut self) {
        let depth = self.open.len();
        if let Some(obj) = self.open.pop()
            && !self.filter.is_empty()
        {
            self.filter[slot(obj.id())] -= 1;
        }
        if self.owned.len() == depth {
            self.owned.pop();
        }
    }

    /// How many of the open containers are owned.
    pub fn owned(&self) -> usize {
        self.owned.len()
    }

    /// Takes ownership of every open container.
    pub fn own(&mut self) {
        self.owned.extend(self.open[self.owned.len()..].iter().map(|obj| obj.own()));
    }
}

/// What is left of the budgets.
#[derive(Debug)]
pub struct Budget {
    /// The bounds.
    pub limits: Limits,
    /// The longest string, in bytes, that takes the shortest form and is within bounds.
    pub short: usize,
    nodes: u64,
    container_keys: u64,
    parts: usize,
}

/// Bytes of a string whose header is one byte, at most.
const FIX_STR: usize = 31;
/// Parts that a walk may always have, whatever the bound in bytes.
const PARTS: usize = 1 << 24;

impl Budget {
    /// Everything still to spend.
    pub fn new(limits: Limits) -> Self {
        Self { limits, short: limits.str_bytes.min(FIX_STR), nodes: 0, container_keys: 0, parts: 0 }
    }

    /// Spends nodes.
    #[inline(always)]
    pub fn nodes(&mut self, count: u64) -> Result<(), Reached> {
        self.nodes += count;
        if self.nodes > self.limits.nodes { Err(Reached::Nodes) } else { Ok(()) }
    }

    /// Spends the parts of a container: a copy has no more of them than a payload could have bytes.
    #[inline(always)]
    pub fn parts(&mut self, count: usize) -> Result<(), Reached> {
        self.parts += count;
        if self.parts > self.limits.bytes.max(PARTS) { Err(Reached::Bytes) } else { Ok(()) }
    }

    /// Spends one key that is no plain scalar.
    pub fn container_key(&mut self) -> Result<(), Reached> {
        self.container_keys += 1;
        if self.container_keys > self.limits.container_keys { Err(Reached::ContainerKeys) } else { Ok(()) }
    }

    /// Looks at a depth before it is entered.
    #[inline(always)]
    pub fn depth(&self, depth: usize) -> Result<(), Reached> {
        if depth > self.limits.depth { Err(Reached::Depth) } else { Ok(()) }
    }

    /// Looks at the size of a str or bytes as it would be written.
    #[inline(always)]
    pub fn check(&self, obj: Obj, exact: Exact) -> Result<(), Reached> {
        match exact {
            Exact::Str => self.check_text(text(obj)),
            Exact::Bytes => self.size(obj.bytes().len()).map(|_| ()),
            Exact::Int if is_short_int(obj) => Ok(()),
            Exact::Int => match int_value(obj) {
                Int::Big(bytes) => self.size(bytes.len()).map(|_| ()),
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// Looks at the size of characters as they would be written.
    pub fn check_text(&self, characters: Text<'_>) -> Result<(), Reached> {
        let most = match characters {
            Text::Utf8(bytes) => bytes.len(),
            Text::One(bytes) => 2 * bytes.len(),
            Text::Two(units) => 3 * units.len(),
            Text::Four(points) => 4 * points.len(),
        };
        let size = if most <= self.limits.str_bytes { most } else { characters.measure().0 };
        if size > self.limits.str_bytes { Err(Reached::StrBytes) } else { Ok(()) }
    }

    /// Looks at the size of one string or payload, in bytes.
    #[inline(always)]
    pub fn size(&self, size: usize) -> Result<u32, Reached> {
        if size > self.limits.str_bytes {
            return Err(Reached::StrBytes);
        }
        u32::try_from(size).map_err(|_| Reached::StrBytes)
    }
}

/// Counts keys by hash in one container, against forged collisions.
#[derive(Debug, Default)]
pub struct Hashes(HashMap<usize, u32, ByAddress>);

impl Hashes {
    /// One more key of this hash.
    pub fn add(&mut self, hash: isize) -> Result<(), Reached> {
        let count = self.0.entry(hash.cast_unsigned()).or_default();
        *count += 1;
        if *count > crate::kind::code::SAME_HASH { Err(Reached::SameHash) } else { Ok(()) }
    }
}
