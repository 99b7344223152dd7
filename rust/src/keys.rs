//! Hash position: dict keys and set elements are lowered to clean hashable values before they are written.
//!
//! The recursion here is bounded by `Limits.key_depth`, at most 32, because hashing what it builds is recursive too.

use crate::error::Fault;
use crate::ffi::{Exact, Int, Make, Obj, Out, Owned, Text, contains, int_value, is_short_int, set_add, set_from, text};
use crate::foreign::Bridge;
use crate::frame::Seen;
use crate::guard::Hashes;
use crate::hooks::is_contained;
use crate::kind::{Action, kinds};
use crate::sink::msgpack::write_plain;
use crate::sink::{Lowered, Sink};
use crate::walk::Walk;

/// Where a key is: containers around it, containers inside the key around it.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub depth: usize,
    pub inside: usize,
}

/// True for None, bool, float, bytes, an int of 64 bits, a str without lone surrogates.
#[inline(always)]
pub fn has_plain_form(key: Obj) -> bool {
    match key.exact() {
        Exact::Str => match text(key) {
            Text::Utf8(_) | Text::One(_) => true,
            wide => !wide.measure().1,
        },
        Exact::Int => is_short_int(key) || !matches!(int_value(key), Int::Big(_) | Int::NoMemory),
        Exact::Nil | Exact::Bool | Exact::Float | Exact::Bytes => true,
        _ => false,
    }
}

impl<S: Sink> Walk<'_, S> {
    /// Writes the present key of the top frame, which is not plain or follows one that was not: as which value, or None
    /// if its entry leaves.
    #[inline(never)]
    pub fn strange_key(&mut self, key: Obj) -> Result<Option<Owned>, Fault> {
        self.checkpoint()?;
        self.know_keys()?;
        let Some(lowered) = self.map_key(key)? else { return Ok(None) };
        let Some(mut seen) = self.frames.last_mut().and_then(|frame| frame.keys().take()) else { return Ok(None) };
        let hashed = self.weigh(&lowered, &mut seen.hashes);
        let fresh = match hashed {
            Ok(true) => self.first_of_its_kind(&lowered, &seen),
            Ok(false) => Ok(None),
            Err(fault) => Err(fault),
        };
        if let Some(frame) = self.frames.last_mut() {
            *frame.keys() = Some(seen);
        }
        match fresh? {
            Some(true) => {
                let value = lowered.value.obj().own();
                self.sink.key(lowered)?;
                return Ok(Some(value));
            }
            Some(false) => self.note(kinds::KEY_COLLISION, Action::Drop, key.ty(), None)?,
            None => self.note_unhashable(key)?,
        }
        Ok(None)
    }

    /// A dict key as it is written.
    pub fn map_key(&mut self, key: Obj) -> Result<Option<Lowered>, Fault> {
        let Some(lowered) = self.lower_key(key, Place { depth: self.depth, inside: 0 })? else { return Ok(None) };
        if self.native() || lowered.value.obj().is_str() {
            return Ok(Some(lowered));
        }
        let mode = self.mode().word();
        let text = self.foreign(|py| Bridge::get(py)?.key_text(&lowered.value.obj().bind(py), mode))?;
        self.charge_key(text.obj())?;
        self.written(text.obj()).map(Some)
    }

    /// From here on the top frame remembers its keys.
    pub fn know_keys(&mut self) -> Result<(), Fault> {
        let py = self.py;
        let Some(frame) = self.frames.last_mut() else { return Ok(()) };
        if frame.keys().is_none() {
            let (set, _) = set_from(py, false, frame.earlier_keys())?;
            *frame.keys() = Some(Seen { set, hashes: Hashes::default() });
        }
        Ok(())
    }

    /// Adds a key to those seen unless an equal one is there.
    pub fn first_of_its_kind(&mut self, lowered: &Lowered, seen: &Seen) -> Result<Option<bool>, Fault> {
        self.add_once(seen.set.obj(), lowered.value.obj())
    }

    /// Adds a value to a set of ours: true if no equal one was there, None if a listed class cannot tell.
    pub fn add_once(&mut self, set: Obj, value: Obj) -> Result<Option<bool>, Fault> {
        let added = self.foreign(|py| {
            if contains(py, set, value)? {
                return Ok(false);
            }
            set_add(py, set, value)?;
            Ok(true)
        });
        match added {
            Err(Fault::Python(error)) if is_contained(self.py, &error) => Ok(None),
            added => added.map(Some),
        }
    }

    /// Charges what is dear to hash and what a forger could make collide; false for what has no hash after all.
    pub fn weigh(&mut self, lowered: &Lowered, hashes: &mut Hashes) -> Result<bool, Fault> {
        let value = lowered.value.obj();
        if has_plain_form(value) {
            return Ok(true);
        }
        self.budget.container_key()?;
        match self.foreign(|py| Make::hash(py, value)) {
            Ok(hash) => hashes.add(hash)?,
            Err(Fault::Python(error)) if is_contained(self.py, &error) => return Ok(false),
            Err(fault) => return Err(fault),
        }
        Ok(true)
    }

    /// Reports a key that turned out to have no hash.
    pub fn note_unhashable(&mut self, key: Obj) -> Result<(), Fault> {
        let kind = self.plan(key)?.kind;
        self.note(kind, Action::Drop, key.ty(), None)
    }

    /// A key that is plain already, as the mode has it. None if it is a secret.
    pub fn lower_plain(&mut self, key: Obj) -> Result<Option<Lowered>, Fault> {
        let mut key = key;
        if self.is_secret_value(key) {
            self.note(kinds::SECRET, Action::Drop, key.ty(), None)?;
            return Ok(None);
        }
        if self.slow && !self.native() && key.is_str() && !has_plain_form(key) {
            self.note(kinds::SCALAR, Action::Converted, key.ty(), None)?;
            key = self.replaced(key)?;
        }
        self.charge_key(key)?;
        self.written(key).map(Some)
    }

    pub fn written(&mut self, key: Obj) -> Result<Lowered, Fault> {
        let mut out = Out::part(self.py);
        write_plain(&mut out, key, key.exact(), &self.budget)?;
        Ok(Lowered { value: key.own(), bytes: out.into_bytes()?, container: false })
    }
}
