//! Keys and set elements as hashable values: of each its clean value and its bytes.
//!
//! The recursion here is bounded by `Limits.key_depth`, at most 32, because hashing what it builds is recursive too.

use pyo3::prelude::*;

use crate::error::{Fault, Reached};
use crate::ffi::{Make, Obj, Out, Owned, Ty, dict_from, set_from, set_items, tuple_from, tuple_get, tuple_len};
use crate::foreign::Bridge;
use crate::hooks::Stand;
use crate::keys::Place;
use crate::kind::{Action, Shape, code, kinds};
use crate::listed::Listed;
use crate::plan::Plan;
use crate::report::Step;
use crate::sink::msgpack::{write_mark, write_record, write_value};
use crate::sink::{Lowered, Sink};
use crate::visit::HOPS;
use crate::walk::Walk;

impl<S: Sink> Walk<'_, S> {
    /// A hashable form of a key, or None: then its entry leaves. The caller owns `key` and is at a checkpoint.
    pub fn lower_key(&mut self, key: Obj, place: Place) -> Result<Option<Lowered>, Fault> {
        if key.is_plain() {
            return self.lower_plain(key);
        }
        let hooks = self.hooks_open();
        let lowered = self.lower_by_plan(key, place);
        self.close_hooks(hooks);
        lowered
    }

    pub fn lower_by_plan(&mut self, key: Obj, place: Place) -> Result<Option<Lowered>, Fault> {
        let mut key = key;
        for hop in 0.. {
            if key.is_plain() {
                return self.lower_plain(key);
            }
            let plan = self.plan(key)?;
            if let Some(class) = self.listed(key.ty())
                && self.rebuilds(key, &plan, &class)?
            {
                return self.lower_listed(key, &plan, &class, place);
            }
            match self.hooked_as(key, &plan)? {
                Stand::Declined => {}
                Stand::Gone => return Ok(None),
                Stand::For(_) if hop == HOPS => return self.back_edge(key).map(|_| None),
                Stand::For(made) => {
                    self.note(plan.kind, Action::Converted, key.ty(), None)?;
                    self.open_hook(key);
                    key = made;
                    continue;
                }
            }
            if self.policy.action(plan.kind) != Action::Keep || !is_hashable(plan.shape) {
                return self.drop_key(key, plan.kind);
            }
            if plan.shape == Shape::Value {
                return self.lower_value(key, &plan);
            }
            if plan.shape == Shape::Parts {
                return self.array_key(key, &plan);
            }
            if !plan.exact {
                self.note(plan.kind, Action::Converted, key.ty(), None)?;
            }
            if !matches!(plan.shape, Shape::Enum | Shape::Wrapper) {
                return self.lower_stored(key, &plan, place);
            }
            match self.stand_in(key, &plan).filter(|_| hop < HOPS) {
                Some(value) => key = value,
                None => return self.drop_key(key, plan.kind),
            }
            self.pin(key);
        }
        Ok(None)
    }

    pub fn drop_key(&mut self, key: Obj, kind: u8) -> Result<Option<Lowered>, Fault> {
        self.note(kind, Action::Drop, key.ty(), None)?;
        Ok(None)
    }

    pub fn lower_stored(&mut self, key: Obj, plan: &Plan, place: Place) -> Result<Option<Lowered>, Fault> {
        if matches!(plan.shape, Shape::Int | Shape::Float | Shape::Str | Shape::Bytes) {
            let value = self.base_value(key, plan.shape)?;
            return self.lower_plain(value);
        }
        self.inside(key, place, 1, |walk, inside| walk.lower_container(key, plan, inside))
    }

    /// Lowers the parts of a container inside a key, within its bounds and open once.
    pub fn inside(
        &mut self,
        key: Obj,
        place: Place,
        levels: usize,
        lower: impl FnOnce(&mut Self, Place) -> Result<Option<Lowered>, Fault>,
    ) -> Result<Option<Lowered>, Fault> {
        if place.inside >= self.budget.limits.key_depth {
            return Err(Reached::KeyDepth.into());
        }
        if self.path.holds(key) {
            return self.back_edge(key).map(|_| None);
        }
        let inside = self.deeper(place, levels)?;
        self.path.enter(key)?;
        let lowered = lower(self, inside);
        self.path.leave();
        lowered
    }

    /// Charges a container inside a key.
    pub fn deeper(&mut self, place: Place, levels: usize) -> Result<Place, Fault> {
        let inside = Place { depth: place.depth + levels, inside: place.inside + 1 };
        self.budget.depth(inside.depth)?;
        self.budget.nodes(levels as u64)?;
        self.spend_containers(levels)?;
        Ok(inside)
    }

    pub fn lower_listed(
        &mut self,
        key: Obj,
        plan: &Plan,
        class: &Listed,
        place: Place,
    ) -> Result<Option<Lowered>, Fault> {
        if !is_hashable(plan.shape) && !matches!(plan.shape, Shape::Opaque | Shape::Leaf) {
            return self.drop_key(key, plan.kind);
        }
        self.inside(key, place, 2, |walk, inside| walk.lower_record(key, plan, class, inside))
    }

    /// A listed instance, rebuilt so that it can be hashed.
    pub fn lower_record(
        &mut self,
        key: Obj,
        plan: &Plan,
        class: &Listed,
        place: Place,
    ) -> Result<Option<Lowered>, Fault> {
        self.spend_name(class)?;
        let start = self.arena.len();
        self.listed_fields(key, plan, class)?;
        self.checkpoint()?;
        let mut parts = Vec::new();
        for at in start..self.arena.len() {
            let field = self.arena[at];
            self.charge_key(field.name)?;
            let name = self.written(field.name)?;
            let part =
                if field.base { self.lower_base(key, plan, place)? } else { self.lower_key(field.value, place)? };
            let Some(part) = part else {
                self.drop_fields(start);
                return Ok(None);
            };
            parts.push((name, part));
        }
        self.drop_fields(start);
        let mut out = Out::part(self.py);
        write_record(&mut out, &class.name)?;
        out.short(siftpack_wire::write::map_header(u32::try_from(parts.len()).unwrap_or(u32::MAX)))?;
        for (name, part) in &parts {
            out.slice(&name.bytes)?;
            out.slice(&part.bytes)?;
        }
        let fields = dict_from(self.py, parts.iter().map(|(name, part)| (name.value.obj(), part.value.obj())))?;
        match self.rebuild(class, &fields) {
            Ok(value) => Ok(Some(Lowered { value, bytes: out.into_bytes()?, container: true })),
            Err(Fault::Words(_)) => self.drop_key(key, plan.kind),
            Err(fault) => Err(fault),
        }
    }

    /// The base storage of a listed instance.
    pub fn lower_base(&mut self, key: Obj, plan: &Plan, place: Place) -> Result<Option<Lowered>, Fault> {
        if plan.shape == Shape::Enum {
            return match self.stand_in(key, plan) {
                Some(value) => {
                    self.pin(value);
                    self.lower_key(value, place)
                }
                None => self.drop_key(key, plan.kind),
            };
        }
        if !matches!(plan.shape, Shape::Tuple | Shape::FrozenSet) {
            return self.lower_stored(key, plan, place);
        }
        if place.inside >= self.budget.limits.key_depth {
            return Err(Reached::KeyDepth.into());
        }
        let inside = self.deeper(place, 1)?;
        self.lower_container(key, plan, inside)
    }

    pub fn lower_container(&mut self, key: Obj, plan: &Plan, place: Place) -> Result<Option<Lowered>, Fault> {
        if plan.shape == Shape::FrozenSet {
            let mut items = Vec::new();
            set_items(key, |item| items.push(item.own()));
            let Some(parts) = self.unordered(items, place, None)? else { return Ok(None) };
            let (value, _) = self.foreign(|py| set_from(py, true, parts.iter().map(|part| part.value.obj())))?;
            return self.joined(value, code::FROZENSET, &parts).map(Some);
        }
        let Some(parts) = (if plan.shape == Shape::Tuple {
            self.tuple_parts(key, place)?
        } else {
            self.field_parts(key, plan, place)?
        }) else {
            return Ok(None);
        };
        let value = tuple_from(self.py, parts.iter().map(|part| part.value.obj()))?;
        self.joined(value, code::TUPLE, &parts).map(Some)
    }

    pub fn joined(&self, value: Owned, mark: u8, parts: &[Lowered]) -> Result<Lowered, Fault> {
        let mut out = Out::part(self.py);
        write_mark(&mut out, mark, parts.len())?;
        for part in parts {
            out.slice(&part.bytes)?;
        }
        Ok(Lowered { value, bytes: out.into_bytes()?, container: true })
    }

    pub fn tuple_parts(&mut self, key: Obj, place: Place) -> Result<Option<Vec<Lowered>>, Fault> {
        let mut parts = Vec::new();
        for at in 0..tuple_len(key) {
            let Some(item) = tuple_get(key, at) else { continue };
            match self.lower_key(item, place)? {
                Some(part) => parts.push(part),
                None => return Ok(None),
            }
        }
        Ok(Some(parts))
    }

    pub fn field_parts(&mut self, key: Obj, plan: &Plan, place: Place) -> Result<Option<Vec<Lowered>>, Fault> {
        let start = self.arena.len();
        self.declared(key, plan)?;
        self.checkpoint()?;
        let mut parts = Some(Vec::new());
        for at in start..self.arena.len() {
            let field = self.arena[at];
            let part =
                if field.masked { self.mask(field.name, field.value)? } else { self.lower_key(field.value, place)? };
            if let (Some(part), Some(found)) = (part, &mut parts) {
                found.push(part);
            } else {
                parts = None;
                break;
            }
        }
        self.drop_fields(start);
        Ok(parts)
    }

    /// What stands for a secret field of a record that is a key.
    pub fn mask(&mut self, name: Obj, value: Obj) -> Result<Option<Lowered>, Fault> {
        let action = self.policy.action(kinds::SECRET);
        self.note_asked_below(kinds::SECRET, action, value.ty(), Some(Step::Key(name.own())))?;
        self.instead(value, kinds::SECRET, action)
    }

    /// What an action leaves of an object in the hash position.
    pub fn instead(&mut self, value: Obj, kind: u8, action: Action) -> Result<Option<Lowered>, Fault> {
        match action {
            Action::Tombstone if self.native() => {
                self.budget.nodes(code::cost(code::TOMBSTONE, 0))?;
                let ty = value.ty().as_obj();
                let (stone, payload) = self.foreign(|py| Bridge::get(py)?.tombstone(kind, &ty.bind(py)))?;
                self.budget.size(payload.as_bytes().len())?;
                self.spend_ext(payload.as_bytes().len())?;
                self.as_ext(stone, code::TOMBSTONE, payload.as_bytes()).map(Some)
            }
            Action::Tombstone => {
                let ty = value.ty().as_obj();
                let text = self.foreign(|py| Bridge::get(py)?.tombstone_text(kind, &ty.bind(py)))?;
                self.fitted(text).map(Some)
            }
            Action::Name => {
                let name = self.foreign(|py| Bridge::get(py)?.named(&value.bind(py), kind))?;
                self.fitted(name).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// A name as it is written within its bounds.
    pub fn fitted(&mut self, name: Owned) -> Result<Lowered, Fault> {
        let name = self.keep(name);
        let shown = self.shown(name)?;
        self.written(shown)
    }

    pub fn as_ext(&mut self, value: Owned, code: i8, payload: &[u8]) -> Result<Lowered, Fault> {
        let mut out = Out::part(self.py);
        write_value(&mut out, code, payload, &self.budget)?;
        Ok(Lowered { value, bytes: out.into_bytes()?, container: false })
    }

    pub fn lower_value(&mut self, key: Obj, plan: &Plan) -> Result<Option<Lowered>, Fault> {
        let Some((code, payload, foreign)) = self.lower(key, plan)? else { return self.drop_key(key, plan.kind) };
        if matches!(code, code::BYTEARRAY | code::ARRAY) {
            return self.drop_key(key, plan.kind);
        }
        let payload = payload.as_bytes();
        self.budget.size(payload.len())?;
        self.budget.nodes(code::cost(code, payload.len()))?;
        if code == code::MEMORYVIEW {
            self.note(plan.kind, Action::Converted, key.ty(), None)?;
            let start = 2 + 8 * usize::from(payload.get(1).copied().unwrap_or(0));
            let raw = Make::bytes(self.py, payload.get(start..).unwrap_or_default())?;
            let raw = self.keep(raw);
            return self.lower_plain(raw);
        }
        self.spend_ext(payload.len())?;
        if plan.exact && foreign.is_none() {
            return self.as_ext(key.own(), code, payload).map(Some);
        }
        let ty: Ty = foreign.as_ref().map_or_else(|| key.ty(), |ty| Obj::of(ty).as_type());
        self.note(plan.kind, Action::Converted, ty, None)?;
        let value = self.foreign(|py| Bridge::get(py)?.build(py, code, payload))?;
        self.as_ext(value, code, payload).map(Some)
    }
}

fn is_hashable(shape: Shape) -> bool {
    matches!(
        shape,
        Shape::Value
            | Shape::Int
            | Shape::Float
            | Shape::Str
            | Shape::Bytes
            | Shape::Tuple
            | Shape::FrozenSet
            | Shape::Enum
            | Shape::Wrapper
            | Shape::Record
            | Shape::NamedTuple
            | Shape::Parts
    )
}
