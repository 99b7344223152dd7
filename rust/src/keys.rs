//! Hash position: dict keys and set elements are lowered to clean hashable values before they are written.
//!
//! The recursion here is bounded by `Limits.key_depth`, at most 32, because hashing what it builds is recursive too.

use pyo3::prelude::*;

use crate::error::{Fault, Reached};
use crate::ffi::{
    Exact, Int, Make, Obj, Out, Owned, Text, Ty, contains, dict_from, int_value, new_set, owned_list, set_add,
    set_from, set_items, text, tuple_from, tuple_get, tuple_len,
};
use crate::foreign::Bridge;
use crate::frame::{Seen, Source};
use crate::guard::Hashes;
use crate::hooks::{Stand, is_contained};
use crate::kind::{Action, Shape, code, kinds};
use crate::listed::Listed;
use crate::patterns::{State, Stride};
use crate::plan::Plan;
use crate::report::Step;
use crate::sink::builtins::base_value;
use crate::sink::msgpack::{write_mark, write_plain, write_record, write_value};
use crate::sink::{Build, Lowered, Sink};
use crate::visit::HOPS;
use crate::walk::{Visit, Walk};

/// Where a key is: containers around it, containers inside the key around it.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    depth: usize,
    inside: usize,
}

/// True for None, bool, float, bytes, an int of 64 bits, a str without lone surrogates.
#[inline(always)]
pub fn has_plain_form(key: Obj) -> bool {
    match key.exact() {
        Exact::Str => match text(key) {
            Text::Utf8(_) | Text::One(_) => true,
            wide => !wide.measure().1,
        },
        Exact::Int => !matches!(int_value(key), Int::Big(_) | Int::NoMemory),
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
    fn map_key(&mut self, key: Obj) -> Result<Option<Lowered>, Fault> {
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
    fn know_keys(&mut self) -> Result<(), Fault> {
        let py = self.py;
        let Some(frame) = self.frames.last_mut() else { return Ok(()) };
        if frame.keys().is_none() {
            let (set, _) = set_from(py, false, frame.earlier_keys())?;
            *frame.keys() = Some(Seen { set, hashes: Hashes::default() });
        }
        Ok(())
    }

    /// Adds a key to those seen unless an equal one is there.
    fn first_of_its_kind(&mut self, lowered: &Lowered, seen: &Seen) -> Result<Option<bool>, Fault> {
        self.add_once(seen.set.obj(), lowered.value.obj())
    }

    /// Adds a value to a set of ours: true if no equal one was there, None if a listed class cannot tell.
    fn add_once(&mut self, set: Obj, value: Obj) -> Result<Option<bool>, Fault> {
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
    fn weigh(&mut self, lowered: &Lowered, hashes: &mut Hashes) -> Result<bool, Fault> {
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
    fn note_unhashable(&mut self, key: Obj) -> Result<(), Fault> {
        let kind = self.plan(key)?.kind;
        self.note(kind, Action::Drop, key.ty(), None)
    }

    /// A key that is plain already, as the mode has it. None if it is a secret.
    fn lower_plain(&mut self, key: Obj) -> Result<Option<Lowered>, Fault> {
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

    fn written(&mut self, key: Obj) -> Result<Lowered, Fault> {
        let mut out = Out::part();
        write_plain(&mut out, key, key.exact(), &self.budget)?;
        Ok(Lowered { value: key.own(), bytes: out.into_bytes(), container: false })
    }

    /// A hashable form of a key, or None: then its entry leaves. The caller owns `key` and is at a checkpoint.
    fn lower_key(&mut self, key: Obj, place: Place) -> Result<Option<Lowered>, Fault> {
        if key.is_plain() {
            return self.lower_plain(key);
        }
        let hooks = self.hooks_open();
        let lowered = self.lower_by_plan(key, place);
        self.close_hooks(hooks);
        lowered
    }

    fn lower_by_plan(&mut self, key: Obj, place: Place) -> Result<Option<Lowered>, Fault> {
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

    fn lower_stored(&mut self, key: Obj, plan: &Plan, place: Place) -> Result<Option<Lowered>, Fault> {
        if matches!(plan.shape, Shape::Int | Shape::Float | Shape::Str | Shape::Bytes) {
            let value = base_value(self.py, key, plan.shape)?;
            let value = self.keep(value);
            return self.lower_plain(value);
        }
        self.inside(key, place, 1, |walk, inside| walk.lower_container(key, plan, inside))
    }

    /// Lowers the parts of a container inside a key, within its bounds and open once.
    fn inside(
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
    fn deeper(&mut self, place: Place, levels: usize) -> Result<Place, Fault> {
        let inside = Place { depth: place.depth + levels, inside: place.inside + 1 };
        self.budget.depth(inside.depth)?;
        self.budget.nodes(levels as u64)?;
        self.spend_containers(levels)?;
        Ok(inside)
    }

    fn lower_listed(&mut self, key: Obj, plan: &Plan, class: &Listed, place: Place) -> Result<Option<Lowered>, Fault> {
        if !is_hashable(plan.shape) && !matches!(plan.shape, Shape::Opaque | Shape::Leaf) {
            return self.drop_key(key, plan.kind);
        }
        self.inside(key, place, 2, |walk, inside| walk.lower_record(key, plan, class, inside))
    }

    /// A listed instance, rebuilt so that it can be hashed.
    fn lower_record(&mut self, key: Obj, plan: &Plan, class: &Listed, place: Place) -> Result<Option<Lowered>, Fault> {
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
        let mut out = Out::part();
        write_record(&mut out, &class.name)?;
        out.short(siftpack_wire::write::map_header(u32::try_from(parts.len()).unwrap_or(u32::MAX)))?;
        for (name, part) in &parts {
            out.slice(&name.bytes)?;
            out.slice(&part.bytes)?;
        }
        let fields = dict_from(self.py, parts.iter().map(|(name, part)| (name.value.obj(), part.value.obj())))?;
        match self.rebuild(class, &fields) {
            Ok(value) => Ok(Some(Lowered { value, bytes: out.into_bytes(), container: true })),
            Err(Fault::Words(_)) => self.drop_key(key, plan.kind),
            Err(fault) => Err(fault),
        }
    }

    /// The base storage of a listed instance.
    fn lower_base(&mut self, key: Obj, plan: &Plan, place: Place) -> Result<Option<Lowered>, Fault> {
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

    fn lower_container(&mut self, key: Obj, plan: &Plan, place: Place) -> Result<Option<Lowered>, Fault> {
        if plan.shape == Shape::FrozenSet {
            let mut items = Vec::new();
            set_items(key, |item| items.push(item.own()));
            let Some(parts) = self.unordered(items, place, None)? else { return Ok(None) };
            let (value, _) = self.foreign(|py| set_from(py, true, parts.iter().map(|part| part.value.obj())))?;
            return Self::joined(value, code::FROZENSET, &parts).map(Some);
        }
        let Some(parts) = (if plan.shape == Shape::Tuple {
            self.tuple_parts(key, place)?
        } else {
            self.field_parts(key, plan, place)?
        }) else {
            return Ok(None);
        };
        let value = tuple_from(self.py, parts.iter().map(|part| part.value.obj()))?;
        Self::joined(value, code::TUPLE, &parts).map(Some)
    }

    fn joined(value: Owned, mark: u8, parts: &[Lowered]) -> Result<Lowered, Fault> {
        let mut out = Out::part();
        write_mark(&mut out, mark, parts.len())?;
        for part in parts {
            out.slice(&part.bytes)?;
        }
        Ok(Lowered { value, bytes: out.into_bytes(), container: true })
    }

    fn tuple_parts(&mut self, key: Obj, place: Place) -> Result<Option<Vec<Lowered>>, Fault> {
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

    fn field_parts(&mut self, key: Obj, plan: &Plan, place: Place) -> Result<Option<Vec<Lowered>>, Fault> {
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
    fn mask(&mut self, name: Obj, value: Obj) -> Result<Option<Lowered>, Fault> {
        let action = self.policy.action(kinds::SECRET);
        self.note_asked_below(kinds::SECRET, action, value.ty(), Some(Step::Key(name.own())))?;
        self.instead(value, kinds::SECRET, action)
    }

    /// What an action leaves of an object in the hash position.
    fn instead(&mut self, value: Obj, kind: u8, action: Action) -> Result<Option<Lowered>, Fault> {
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
    fn fitted(&mut self, name: Owned) -> Result<Lowered, Fault> {
        let name = self.keep(name);
        let shown = self.shown(name)?;
        self.written(shown)
    }

    pub fn as_ext(&mut self, value: Owned, code: i8, payload: &[u8]) -> Result<Lowered, Fault> {
        let mut out = Out::part();
        write_value(&mut out, code, payload, &self.budget)?;
        Ok(Lowered { value, bytes: out.into_bytes(), container: false })
    }

    fn lower_value(&mut self, key: Obj, plan: &Plan) -> Result<Option<Lowered>, Fault> {
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

    /// Writes a set or frozenset in canonical order; where there are no sets, a list of its elements.
    pub fn set(&mut self, set: Obj, frozen: bool) -> Result<Visit, Fault> {
        let depth = self.depth + 1;
        self.budget.depth(depth)?;
        self.budget.nodes(1)?;
        self.spend_containers(1)?;
        let mut items = Vec::new();
        set_items(set, |item| items.push(item.own()));
        self.budget.parts(items.len())?;
        let parts = if !self.slow && items.iter().all(|item| has_plain_form(item.obj())) {
            let mut parts = Vec::new();
            for item in &items {
                self.budget.check(item.obj(), item.obj().exact())?;
                parts.push(self.written(item.obj())?);
            }
            parts.sort_by(|left, right| left.bytes.cmp(&right.bytes));
            parts
        } else {
            self.checkpoint()?;
            self.pin(set);
            let (asked, place) = self.asked_of_elements();
            self.path.enter(set)?;
            let parts = self.unordered(items, Place { depth, inside: 0 }, asked);
            self.path.leave();
            self.stand(place, false);
            parts?.unwrap_or_default()
        };
        if !self.native() {
            return self.set_as_list(set, &parts);
        }
        self.sink.set(self.py, frozen, parts)?;
        Ok(Visit::Kept)
    }

    /// What a path asks for at the elements of the set being visited, and where the set stands.
    fn asked_of_elements(&mut self) -> (Option<Action>, State) {
        let place = self.place();
        let below = self.advance(place, Stride::Other);
        (self.asked(below).filter(|action| *action != Action::Keep), place)
    }

    fn set_as_list(&mut self, set: Obj, parts: &[Lowered]) -> Result<Visit, Fault> {
        let items: Vec<Obj> = parts.iter().map(|part| part.value.obj()).collect();
        let list = owned_list(self.py, &items)?;
        let token = self.sink.open(Build::List, items.len(), 0)?;
        let frame = self.push(set, Source::List(list.obj()), Build::List, items.len(), token)?;
        let rare = frame.rare.get_or_insert_default();
        (rare.holds, rare.lowered) = (Some(list), true);
        Ok(Visit::Opened)
    }

    /// Lowers the elements of a set: canonical order, equal ones once, findings in an order no hash seed changes.
    /// None if one of them cannot be lowered inside a key.
    fn unordered(
        &mut self,
        items: Vec<Owned>,
        place: Place,
        asked: Option<Action>,
    ) -> Result<Option<Vec<Lowered>>, Fault> {
        self.checkpoint()?;
        let start = self.findings.begin_set();
        let parts = self.lower_elements(items, place, asked);
        let py = self.py;
        let mut findings = core::mem::replace(&mut self.findings, crate::report::Findings::new(false));
        let sorted = self.foreign(|_| findings.end_set(py, start));
        self.findings = findings;
        sorted?;
        parts
    }

    fn lower_elements(
        &mut self,
        items: Vec<Owned>,
        place: Place,
        asked: Option<Action>,
    ) -> Result<Option<Vec<Lowered>>, Fault> {
        let mut hashes = Hashes::default();
        let (mut rows, mut lost) = (Vec::new(), false);
        for item in items {
            self.stand_at(&item, place);
            let lowered = match asked {
                Some(action) => self.left_of(item.obj(), action)?,
                None => self.lower_key(item.obj(), place)?,
            };
            match lowered {
                Some(part) if self.weigh(&part, &mut hashes)? => rows.push((part, item)),
                Some(_) => {
                    lost = true;
                    self.note_unhashable(item.obj())?;
                }
                None => lost = true,
            }
        }
        if lost && place.inside > 0 {
            return Ok(None);
        }
        rows.sort_by(|(left, _), (right, _)| left.bytes.cmp(&right.bytes));
        self.break_ties(&mut rows)?;
        let set = new_set(self.py)?;
        let mut kept = Vec::new();
        for (part, item) in rows {
            self.stand_at(&item, place);
            match self.add_once(set.obj(), part.value.obj())? {
                Some(true) => kept.push(part),
                Some(false) => self.note(kinds::KEY_COLLISION, Action::Drop, item.obj().ty(), None)?,
                None => self.note_unhashable(item.obj())?,
            }
        }
        if place.inside == 0 {
            self.element = None;
        }
        Ok(Some(kept))
    }

    /// What a path leaves of an element.
    fn left_of(&mut self, item: Obj, action: Action) -> Result<Option<Lowered>, Fault> {
        let kind = if self.is_secret_value(item) { kinds::SECRET } else { self.kind_of(item)? };
        self.note_asked(kind, action, item.ty())?;
        self.instead(item, kind, action)
    }

    /// Findings name the type of the element they are about.
    fn stand_at(&mut self, item: &Owned, place: Place) {
        if place.inside == 0 {
            self.element = Some(item.obj().ty());
        }
    }

    /// Elements of the same bytes are put in the order of their types' names.
    fn break_ties(&mut self, rows: &mut [(Lowered, Owned)]) -> Result<(), Fault> {
        if !rows.windows(2).any(|pair| pair[0].0.bytes == pair[1].0.bytes) {
            return Ok(());
        }
        let mut names = std::collections::HashMap::new();
        for (_, item) in rows.iter() {
            let ty = item.obj().ty();
            if let std::collections::hash_map::Entry::Vacant(e) = names.entry(ty.id()) {
                let name = self.foreign(|py| Bridge::get(py)?.type_name(&ty.as_obj().bind(py))?.extract::<String>())?;
                e.insert(name);
            }
        }
        rows.sort_by(|(left, a), (right, b)| {
            let by_name = || names[&a.obj().ty().id()].cmp(&names[&b.obj().ty().id()]);
            left.bytes.cmp(&right.bytes).then_with(by_name)
        });
        Ok(())
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
