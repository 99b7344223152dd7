//! What keeps a walk finite: the path of open containers, and the budgets.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

use crate::error::{Bound, Fault};
use crate::policy::Limits;

/// Up to this depth the path is searched as it lies; beyond, a set answers.
const SHALLOW: usize = 16;

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

/// The containers that are open now, by address.
#[derive(Debug, Default)]
pub struct Path {
    shallow: [usize; SHALLOW],
    depth: usize,
    deep_path: Vec<usize>,
    deep: HashSet<usize, ByAddress>,
}

impl Path {
    /// True if the container is open already.
    #[inline(always)]
    pub fn holds(&self, id: usize) -> bool {
        let shallow = &self.shallow[..self.depth.min(SHALLOW)];
        shallow.iter().any(|each| *each == id) || (self.depth > SHALLOW && self.deep.contains(&id))
    }

    /// Opens a container that is not open.
    #[inline(always)]
    pub fn enter(&mut self, id: usize) -> Result<(), Fault> {
        match self.shallow.get_mut(self.depth) {
            Some(place) => *place = id,
            None => self.enter_deep(id)?,
        }
        self.depth += 1;
        Ok(())
    }

    #[inline(never)]
    fn enter_deep(&mut self, id: usize) -> Result<(), Fault> {
        self.deep.try_reserve(1).map_err(|_| Fault::NoMemory)?;
        self.deep_path.try_reserve(1).map_err(|_| Fault::NoMemory)?;
        self.deep.insert(id);
        self.deep_path.push(id);
        Ok(())
    }

    /// Closes the container opened last.
    #[inline(always)]
    pub fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        if self.depth >= SHALLOW
            && let Some(id) = self.deep_path.pop()
        {
            self.deep.remove(&id);
        }
    }
}

/// What is left of the budgets.
#[derive(Debug)]
pub struct Budget {
    /// The bounds.
    pub limits: Limits,
    nodes: u64,
    container_keys: u64,
}

impl Budget {
    /// Everything still to spend.
    pub fn new(limits: Limits) -> Self {
        Self { limits, nodes: 0, container_keys: 0 }
    }

    /// Spends nodes.
    #[inline(always)]
    pub fn nodes(&mut self, count: u64) -> Result<(), Bound> {
        self.nodes += count;
        if self.nodes > self.limits.nodes { Err(Bound::Nodes) } else { Ok(()) }
    }

    /// Spends one key that is no plain scalar.
    pub fn container_key(&mut self) -> Result<(), Bound> {
        self.container_keys += 1;
        if self.container_keys > self.limits.container_keys { Err(Bound::ContainerKeys) } else { Ok(()) }
    }

    /// Looks at a depth before it is entered.
    #[inline(always)]
    pub fn depth(&self, depth: usize) -> Result<(), Bound> {
        if depth > self.limits.depth { Err(Bound::Depth) } else { Ok(()) }
    }

    /// Looks at the size of one string or payload, in bytes.
    #[inline(always)]
    pub fn size(&self, size: usize) -> Result<u32, Bound> {
        if size > self.limits.str_bytes {
            return Err(Bound::StrBytes);
        }
        u32::try_from(size).map_err(|_| Bound::StrBytes)
    }
}

/// Counts keys by hash in one container, against forged collisions.
#[derive(Debug, Default)]
pub struct Hashes(std::collections::HashMap<usize, u32, ByAddress>);

impl Hashes {
    /// One more key of this hash.
    pub fn add(&mut self, hash: isize) -> Result<(), Bound> {
        let count = self.0.entry(hash.cast_unsigned()).or_default();
        *count += 1;
        if *count > crate::kind::code::SAME_HASH { Err(Bound::SameHash) } else { Ok(()) }
    }
}
