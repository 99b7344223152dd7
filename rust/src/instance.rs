//! Instances with fields: records, opaque objects, exceptions, and what subclasses of data carry beside it.

use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::error::Fault;
use crate::ffi::{
    Exact, Obj, Owned, Room, Slot, dict_next, exception, instance_items, list_get, same_name, slot_value, tuple_get,
    tuple_len,
};
use crate::foreign::Bridge;
use crate::frame::{FieldValue, Opaque, Source};
use crate::kind::{Action, Shape, kinds};
use crate::name::intern;
use crate::plan::{Field, Plan};
use crate::redact::{self, secret_name};
use crate::report::Step;
use crate::sink::{Build, Sink};
use crate::walk::{Visit, Walk};

impl<S: Sink> Walk<'_, S> {
    /// Writes the declared fields of a record, or opens a frame over them.
    pub fn record(&mut self, obj: Obj, plan: &Plan) -> Result<Visit, Fault> {
        let start = self.arena.len();
        self.declared(obj, plan)?;
        if self.slow { self.open_fields(obj, start) } else { self.record_of(obj, start) }
    }

    pub fn open_fields(&mut self, obj: Obj, start: usize) -> Result<Visit, Fault> {
        let end = self.arena.len();
        self.open(obj, Source::Fields(start, end), Build::Map, end - start)?;
        Ok(Visit::Opened)
    }

    #[inline(always)]
    pub fn push_field(&mut self, name: Obj, value: Obj, secret: bool) -> Result<(), Fault> {
        let speaks = matches!(value.exact(), Exact::Str | Exact::Bytes);
        let masked = (secret && self.hides_more(value)?) || (speaks && redact::is_secret_obj(value));
        let room = Room::in_(&mut self.arena).ok_or(Fault::NoMemory)?;
        room.put(FieldValue { name, value, masked, base: false, required: false });
        Ok(())
    }

    /// True if the value of a field with the name of a secret is more than nothing.
    #[cold]
    fn hides_more(&self, value: Obj) -> Result<bool, Fault> {
        Ok(!Bridge::get(self.py)?.hides_nothing(self.py, value))
    }

    /// The slots and attributes of an instance of no declared fields.
    pub fn stored(&mut self, obj: Obj, slots: &[Field]) -> Result<(), Fault> {
        for field in slots {
            if let Some(value) = field.slot.and_then(|slot| slot_value(obj, slot)) {
                self.push_field(Obj::of(field.name.bind(self.py)), value, field.secret)?;
            }
        }
        let mut own = Vec::new();
        instance_items(obj, |name, value| own.push((name, value)));
        for (name, value) in own {
            let slotted = |field: &Field| same_name(Obj::of(field.name.bind(self.py)), name);
            if !name.is_str() {
                self.note(kinds::ATTRIBUTE, Action::Drop, value.ty(), Some(Step::Type(name.ty().as_obj().own())))?;
            } else if slots.iter().any(slotted) {
                self.note(kinds::ATTRIBUTE, Action::Drop, value.ty(), Some(Step::Key(name.own())))?;
            } else {
                self.push_field(name, value, secret_name(name))?;
            }
        }
        Ok(())
    }

    /// Puts the declared fields that are set on the arena, then declared extras; reports whatever else is there.
    pub fn declared(&mut self, obj: Obj, plan: &Plan) -> Result<(), Fault> {
        if plan.shape == Shape::NamedTuple {
            return self.named_tuple(obj, plan);
        }
        let mut own = core::mem::take(&mut self.own);
        own.clear();
        instance_items(obj, |name, value| own.push((name, value)));
        let mut in_place = 0;
        for (at, field) in plan.fields.iter().enumerate() {
            let name = Obj::of(field.name.bind(self.py));
            let value = match field.slot {
                Some(slot) => slot_value(obj, slot),
                None if own.get(at).is_some_and(|(first, _)| *first == name) => {
                    in_place += 1;
                    Some(own[at].1)
                }
                None => find(&own, name),
            };
            if let Some(value) = value {
                self.push_field(name, value, field.secret)?;
            }
        }
        if let Some(extra) = &plan.extra
            && let Some(slot) = Slot::of(Obj::of(extra.bind(self.py)))
            && let Some(extras) = slot_value(obj, slot)
            && extras.exact() == Exact::Dict
        {
            self.extras(extras, plan)?;
        }
        self.beside(obj, &plan.rest)?;
        // As a rule every attribute is a field and stands where that is declared.
        if in_place < own.len() {
            self.undeclared(&own, plan)?;
        }
        self.own = own;
        Ok(())
    }

    /// Reports attributes that are no fields.
    fn undeclared(&mut self, own: &[(Obj, Obj)], plan: &Plan) -> Result<(), Fault> {
        for (name, value) in own {
            let kept = |field: &Field| field.slot.is_none() && same_name(Obj::of(field.name.bind(self.py)), *name);
            if !plan.fields.iter().any(kept) {
                self.note_attribute(*name, *value)?;
            }
        }
        Ok(())
    }

    fn named_tuple(&mut self, obj: Obj, plan: &Plan) -> Result<(), Fault> {
        self.attributes_but(obj, &[], &[])?;
        for (at, field) in plan.fields.iter().enumerate() {
            if let Some(value) = tuple_get(obj, at) {
                self.push_field(Obj::of(field.name.bind(self.py)), value, field.secret)?;
            }
        }
        for at in plan.fields.len()..tuple_len(obj) {
            if let Some(item) = tuple_get(obj, at) {
                self.note(kinds::ATTRIBUTE, Action::Drop, item.ty(), Some(Step::Index(at)))?;
            }
        }
        Ok(())
    }

    fn extras(&mut self, extras: Obj, plan: &Plan) -> Result<(), Fault> {
        let mut position = 0;
        while let Some((name, value)) = dict_next(extras, &mut position) {
            let declared = |field: &Field| same_name(Obj::of(field.name.bind(self.py)), name);
            if name.is_str() && !plan.fields.iter().any(declared) {
                self.push_field(name, value, secret_name(name))?;
            } else {
                self.note(kinds::ATTRIBUTE, Action::Drop, value.ty(), Some(Step::of_key(name)))?;
            }
        }
        Ok(())
    }

    /// Opens a frame over the public fields of an instance nobody knows; if nothing is left of it, it is undone.
    pub fn opaque(&mut self, obj: Obj, plan: &Plan) -> Result<Visit, Fault> {
        let (start, mark) = (self.arena.len(), self.findings.mark());
        self.stored(obj, &plan.fields)?;
        let mut kept = start;
        for at in start..self.arena.len() {
            let field = self.arena[at];
            if is_private(field.name) {
                self.note(kinds::PRIVATE, Action::Drop, field.value.ty(), Some(Step::Key(field.name.own())))?;
            } else {
                self.arena[kept] = field;
                kept += 1;
            }
        }
        self.arena.truncate(kept);
        let visit = self.open_fields(obj, start)?;
        if let Some(frame) = self.frames.last_mut() {
            frame.rare.get_or_insert_default().opaque = Some(Opaque { ty: obj.ty().as_obj().own(), mark });
        }
        Ok(visit)
    }

    /// Opens a frame over what an exception says: its type, message, args, notes and cause.
    pub fn exception(&mut self, obj: Obj, plan: &Plan) -> Result<Visit, Fault> {
        self.pin(obj);
        let name = self.foreign(|py| Ok(Bridge::get(py)?.type_name(&obj.ty().as_obj().bind(py))?.unbind()))?;
        let (py, own) = (self.py, exception(obj));
        let notes_name = Obj::of(intern!(py, "__notes__").as_any());
        let (mut notes, start) = (None, self.arena.len());
        let name = self.keep(Owned::from_py(name));
        instance_items(obj, |each, value| {
            if same_name(each, notes_name) {
                notes = Some(value);
            }
        });
        let masks = !self.redacts();
        let add = |walk: &mut Self, name: &Bound<'_, PyString>, value: Obj| {
            walk.push_field(Obj::of(name.as_any()), value, masks && speaks(value))
        };
        add(self, intern!(py, "type"), name)?;
        if let Some(args) = own.args {
            if let Some(message) = tuple_get(args, 0).filter(|first| first.is_str()) {
                add(self, intern!(py, "message"), message)?;
            }
            add(self, intern!(py, "args"), args)?;
        }
        if let Some(notes) = notes {
            add(self, intern!(py, "notes"), notes)?;
        }
        if let Some(cause) = own.cause {
            add(self, intern!(py, "cause"), cause)?;
        } else if let Some(context) = own.context {
            add(self, intern!(py, "context"), context)?;
        }
        self.attributes(obj, plan)?;
        self.open_fields(obj, start)
    }

    /// Reports what an instance of data carries beside it.
    pub fn attributes(&mut self, obj: Obj, plan: &Plan) -> Result<(), Fault> {
        if plan.exact && plan.shape == Shape::Value {
            return Ok(());
        }
        let kept: Vec<Obj> = plan.kept.iter().map(|name| Obj::of(name.bind(self.py))).collect();
        self.attributes_but(obj, &plan.fields, &kept)
    }

    fn attributes_but(&mut self, obj: Obj, slots: &[Field], kept: &[Obj]) -> Result<(), Fault> {
        self.beside(obj, slots)?;
        let mut own = Vec::new();
        instance_items(obj, |name, value| own.push((name, value)));
        for (name, value) in own {
            if !kept.iter().any(|kept| same_name(*kept, name)) {
                self.note_attribute(name, value)?;
            }
        }
        Ok(())
    }

    /// Reports slots that hold something.
    fn beside(&mut self, obj: Obj, slots: &[Field]) -> Result<(), Fault> {
        for field in slots {
            let value = field.slot.and_then(|slot| slot_value(obj, slot)).filter(|value| !value.is_none());
            if let Some(value) = value {
                self.note_attribute(Obj::of(field.name.bind(self.py)), value)?;
            }
        }
        Ok(())
    }

    fn note_attribute(&mut self, name: Obj, value: Obj) -> Result<(), Fault> {
        if !name.is_str() {
            let step = Step::Type(name.ty().as_obj().own());
            return self.note(kinds::ATTRIBUTE, Action::Drop, value.ty(), Some(step));
        }
        let kind = if is_private(name) { kinds::PRIVATE } else { kinds::ATTRIBUTE };
        self.note(kind, Action::Drop, value.ty(), Some(Step::Key(name.own())))
    }
}

/// True if a text, or one of the texts in a row, holds a secret.
fn speaks(value: Obj) -> bool {
    let mut at = 0;
    let get: fn(Obj, usize) -> Option<Obj> = match value.exact() {
        Exact::Tuple => tuple_get,
        Exact::List => list_get,
        _ => return redact::holds_secret_obj(value),
    };
    while let Some(part) = get(value, at) {
        if redact::holds_secret_obj(part) {
            return true;
        }
        at += 1;
    }
    false
}

/// The value under a name.
pub fn find(own: &[(Obj, Obj)], name: Obj) -> Option<Obj> {
    own.iter().find(|(each, _)| same_name(*each, name)).map(|(_, value)| *value)
}

/// True if a name begins with an underscore.
fn is_private(name: Obj) -> bool {
    match crate::ffi::text(name) {
        crate::ffi::Text::Utf8(bytes) | crate::ffi::Text::One(bytes) => bytes.first() == Some(&b'_'),
        crate::ffi::Text::Two(units) => units.first() == Some(&u16::from(b'_')),
        crate::ffi::Text::Four(points) => points.first() == Some(&u32::from(b'_')),
    }
}
