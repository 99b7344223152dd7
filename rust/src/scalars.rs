//! None, bool, int, float, str and bytes as the mode has them, within their bounds; and names and tombstones, which are
//! written as such.

use std::rc::Rc;

use pyo3::prelude::*;

use crate::error::{Fault, Reached};
use crate::ffi::{Exact, GilCell, Int, Obj, Owned, int_value, str_len, type_is_heap};
use crate::foreign::Bridge;
use crate::keys::has_plain_form;
use crate::kind::{Action, Shape, code, kinds};
use crate::policy::Mode;
use crate::sink::Sink;
use crate::sink::builtins::{base_value, is_built_by_python};
use crate::sink::msgpack::{ext_size, plain_size, text_size};
use crate::walk::{Visit, Walk};

/// Kind and type of a tombstone, and its payload.
type Stone = (u8, usize, Rc<[u8]>);

/// Payloads of tombstones for types that live for ever and cannot be renamed: most secrets are of a builtin type.
static STONES: GilCell<Vec<Stone>> = GilCell::new(Vec::new());
/// How many of them are remembered.
const REMEMBERED: usize = 64;

fn known_stone(py: Python<'_>, kind: u8, ty: Obj) -> Option<Rc<[u8]>> {
    STONES.with(py, |stones| {
        let found = stones.iter().find(|(of, id, _)| (*of, *id) == (kind, ty.id()))?;
        Some(Rc::clone(&found.2))
    })
}

fn remember_stone(py: Python<'_>, kind: u8, ty: Obj, payload: &[u8]) -> Rc<[u8]> {
    let payload = Rc::from(payload);
    if !type_is_heap(ty.as_type()) {
        STONES.with(py, |stones| {
            if stones.len() < REMEMBERED {
                stones.push((kind, ty.id(), Rc::clone(&payload)));
            }
        });
    }
    payload
}

impl<S: Sink> Walk<'_, S> {
    /// Writes a scalar, or what stands for it in the mode.
    pub fn careful_scalar(&mut self, obj: Obj, exact: Exact) -> Result<Visit, Fault> {
        if exact == Exact::Bytes && !self.forced() && self.policy.action(kinds::BINARY) != Action::Keep {
            return self.leave(obj, kinds::BINARY, self.policy.action(kinds::BINARY));
        }
        if self.is_secret_value(obj) {
            return self.leave(obj, kinds::SECRET, self.policy.action(kinds::SECRET));
        }
        let shown = match exact {
            Exact::Str => self.text(obj)?,
            Exact::Bytes => self.binary(obj)?,
            Exact::Float if self.mode() == Mode::Json && !obj.float().is_finite() => {
                self.note(kinds::SCALAR, Action::Converted, obj.ty(), None)?;
                Obj::of(self.py.None().bind(self.py))
            }
            Exact::Int => self.number(obj)?,
            _ => obj,
        };
        self.fit(shown)?;
        Ok(Visit::Kept)
    }

    /// Something that Python makes of an object, kept alive until the walk is over.
    fn made(
        &mut self,
        obj: Obj,
        make: impl FnOnce(Python<'_>, &Bound<'_, PyAny>) -> PyResult<Owned>,
    ) -> Result<Obj, Fault> {
        self.pin(obj);
        let shown = self.foreign(|py| make(py, &obj.bind(py)))?;
        Ok(self.keep(shown))
    }

    /// The exact int, float, str or bytes in a subclass, kept alive until the walk is over. A checkpoint where Python
    /// has to build it.
    pub fn base_value(&mut self, obj: Obj, shape: Shape) -> Result<Obj, Fault> {
        let made = if is_built_by_python(obj, shape) {
            self.pin(obj);
            self.foreign(|py| Ok(base_value(py, obj, shape)))??
        } else {
            base_value(self.py, obj, shape)?
        };
        Ok(self.keep(made))
    }

    fn longest(&self) -> Option<usize> {
        self.rules().and_then(|rules| rules.longest)
    }

    fn text(&mut self, text: Obj) -> Result<Obj, Fault> {
        let mut text = text;
        if !self.native() && !has_plain_form(text) {
            self.note(kinds::SCALAR, Action::Converted, text.ty(), None)?;
            text = self.replaced(text)?;
        }
        if let Some(longest) = self.longest().filter(|longest| str_len(text) > *longest) {
            self.note(kinds::SCALAR, Action::Cut, text.ty(), None)?;
            text = self.made(text, |py, text| Bridge::get(py)?.cut_text(text, longest))?;
        }
        Ok(text)
    }

    /// A str with U+FFFD for each lone surrogate.
    pub fn replaced(&mut self, text: Obj) -> Result<Obj, Fault> {
        self.made(text, |py, text| Bridge::get(py)?.replaced(text))
    }

    fn binary(&mut self, data: Obj) -> Result<Obj, Fault> {
        let mut data = data;
        if let Some(longest) = self.longest().filter(|longest| data.bytes().len() > *longest) {
            self.note(kinds::BINARY, Action::Cut, data.ty(), None)?;
            data = self.made(data, |py, data| Bridge::get(py)?.shortened(data, longest))?;
        }
        if self.mode() == Mode::Json { self.made(data, |py, data| Bridge::get(py)?.base64(data)) } else { Ok(data) }
    }

    fn number(&mut self, number: Obj) -> Result<Obj, Fault> {
        if self.native() || matches!(int_value(number), Int::Small(_) | Int::Large(_)) {
            return Ok(number);
        }
        let mode = self.mode().word();
        let shown = self.made(number, |py, number| Bridge::get(py)?.number(number, mode))?;
        if shown != number {
            self.note(kinds::SCALAR, Action::Converted, number.ty(), None)?;
        }
        Ok(shown)
    }

    /// Writes a scalar within its bounds.
    pub fn fit(&mut self, obj: Obj) -> Result<(), Fault> {
        let shown = self.shown(obj)?;
        self.sink.plain(self.py, shown, shown.exact(), &self.budget)
    }

    /// A scalar if it is within its bounds; when cutting, as much of a str or bytes as is.
    pub fn shown(&mut self, obj: Obj) -> Result<Obj, Fault> {
        let mut obj = obj;
        let (exact, most) = (obj.exact(), self.budget.limits.str_bytes);
        if text_size(obj, exact) > most {
            if !self.budget.limits.cut || exact == Exact::Int {
                return Err(Reached::StrBytes.into());
            }
            let kind = if exact == Exact::Str { kinds::SCALAR } else { kinds::BINARY };
            self.note(kind, Action::Cut, obj.ty(), None)?;
            obj = self.made(obj, |py, obj| Bridge::get(py)?.shortened(obj, most))?;
        }
        if self.budget.limits.cut {
            self.spend(plain_size(obj, exact))?;
        }
        Ok(obj)
    }

    /// Charges a plain key, which is never shortened.
    pub fn charge_key(&mut self, key: Obj) -> Result<(), Fault> {
        self.budget.check(key, key.exact())?;
        if self.budget.limits.cut { self.spend(plain_size(key, key.exact())) } else { Ok(()) }
    }

    /// Charges an ext value.
    pub fn spend_ext(&mut self, size: usize) -> Result<(), Fault> {
        if self.budget.limits.cut { self.spend(ext_size(size)) } else { Ok(()) }
    }

    /// Writes a bounded name.
    pub fn write_name(&mut self, name: Owned) -> Result<Visit, Fault> {
        let name = self.keep(name);
        if self.slow {
            self.fit(name)?;
        } else {
            self.sink.plain(self.py, name, Exact::Str, &self.budget)?;
        }
        Ok(Visit::Kept)
    }

    /// Writes a tombstone; its text where there are no ext values.
    pub fn write_tombstone(&mut self, kind: u8, ty: Obj) -> Result<Visit, Fault> {
        self.pin(ty);
        if !self.native() {
            let text = self.foreign(|py| Bridge::get(py)?.tombstone_text(kind, &ty.bind(py)))?;
            return self.write_name(text);
        }
        self.budget.nodes(code::cost(code::TOMBSTONE, 0))?;
        let known = if S::BUILDS { None } else { known_stone(self.py, kind, ty) };
        let (stone, payload) = if let Some(payload) = known {
            (None, payload)
        } else {
            let (stone, payload) = self.foreign(|py| Bridge::get(py)?.tombstone(kind, &ty.bind(py)))?;
            (Some(stone), remember_stone(self.py, kind, ty, payload.as_bytes()))
        };
        self.budget.size(payload.len())?;
        self.spend_ext(payload.len())?;
        self.sink.value(code::TOMBSTONE, &payload, stone, &self.budget)?;
        Ok(Visit::Kept)
    }
}
