//! Objects that are no exact builtin: what their plan says is done here, container by container.

use std::collections::HashMap;

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::Fault;
use crate::ffi::{
    Exact, Obj, Owned, Slot, deque_items, descriptor_get, dict_len, dict_next, instance_items, list_len, ordered_keys,
    owned_list, owned_pair, proxy_target, same_name, slice_parts, slot_value, tuple_len,
};
use crate::foreign::Bridge;
use crate::frame::Source;
use crate::hooks::Stand;
use crate::kind::{Action, Shape, code, kinds};
use crate::moments;
use crate::name::intern;
use crate::plan::Plan;
use crate::report::Step;
use crate::sink::builtins::is_built_by_python;
use crate::sink::{Build, Sink};
use crate::walk::{Visit, Walk};

/// What an ext value holds.
pub enum Payload<'py> {
    /// Made here.
    Short(moments::Short),
    /// Made by an adapter.
    Made(Bound<'py, PyBytes>),
}

impl Payload<'_> {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Short(payload) => payload.as_bytes(),
            Self::Made(payload) => payload.as_bytes(),
        }
    }
}

/// Ext code, payload, and the type of a tzinfo that was left out.
pub type Lowered<'py> = (i8, Payload<'py>, Option<Bound<'py, PyAny>>);

/// Enum values and proxies that may stand for one another in a row.
pub const HOPS: usize = 32;

impl<'py, S: Sink> Walk<'py, S> {
    /// Writes an object by its plan, or opens a frame for it.
    #[inline(always)]
    pub fn other(&mut self, obj: Obj) -> Result<Visit, Fault> {
        // The first hook that is asked may be what makes `extra`: whether there is one says nothing before the visit.
        let (hooks, own) = (self.hooks_open(), self.frames.len());
        let visit = self.by_plan(obj)?;
        let opened = self.hooks_open() - hooks;
        if opened > 0 {
            match self.frames.get_mut(own) {
                Some(frame) => frame.rare.get_or_insert_default().hooks = opened,
                None => self.close_hooks(hooks),
            }
        }
        Ok(visit)
    }

    #[inline(never)]
    fn by_plan(&mut self, mut obj: Obj) -> Result<Visit, Fault> {
        for hop in 0.. {
            let plan = self.plan(obj)?;
            if let Some(class) = self.listed(obj.ty())
                && self.rebuilds(obj, &plan, &class)?
            {
                return self.instance(obj, &plan, class);
            }
            match self.hooked_as(obj, &plan)? {
                Stand::Declined => {}
                Stand::Gone => return Ok(Visit::Gone),
                Stand::For(_) if hop == HOPS => return self.back_edge(obj),
                Stand::For(made) => {
                    self.open_hook(obj);
                    obj = made;
                    if obj.exact() == Exact::Other {
                        continue;
                    }
                    return self.go_on(obj);
                }
            }
            let action = self.policy.action(plan.kind);
            if action != Action::Keep && !(self.forced() && kinds::is_data(plan.kind)) {
                return self.leave(obj, plan.kind, action);
            }
            let stands_for = match plan.shape {
                Shape::Enum | Shape::Wrapper => self.stand_in(obj, &plan),
                Shape::MappingProxy => proxy_target(obj),
                _ => return self.shaped(obj, &plan),
            };
            let Some(stands_for) = stands_for else { return self.drop_it(obj, plan.kind) };
            if hop == HOPS {
                return self.back_edge(obj);
            }
            if plan.shape == Shape::Wrapper {
                self.attributes(obj, &plan)?;
            }
            obj = stands_for;
            if obj.exact() != Exact::Other {
                return self.go_on(obj);
            }
        }
        Ok(Visit::Gone)
    }

    /// Does with an object that is not kept what the policy says.
    pub fn leave(&mut self, obj: Obj, kind: u8, action: Action) -> Result<Visit, Fault> {
        self.note_asked(kind, action, obj.ty())?;
        match action {
            Action::Tombstone => self.write_tombstone(kind, obj.ty().as_obj()),
            Action::Name => {
                self.pin(obj);
                let name = self.foreign(|py| Bridge::get(py)?.named(&obj.bind(py), kind))?;
                self.write_name(name)
            }
            _ => Ok(Visit::Gone),
        }
    }

    fn drop_it(&mut self, obj: Obj, kind: u8) -> Result<Visit, Fault> {
        self.note(kind, Action::Drop, obj.ty(), None)?;
        Ok(Visit::Gone)
    }

    /// The value of an enum member, or what a wrapper such as UserDict wraps: in the object's own dict.
    pub fn stand_in(&self, obj: Obj, plan: &Plan) -> Option<Obj> {
        let name = Obj::of(plan.kept.first()?.bind(self.py));
        let mut found = None;
        instance_items(obj, |each, value| {
            if same_name(each, name) {
                found = Some(value);
            }
        });
        found
    }

    fn shaped(&mut self, obj: Obj, plan: &Plan) -> Result<Visit, Fault> {
        match plan.shape {
            Shape::Value => return self.value(obj, plan),
            Shape::Int | Shape::Float | Shape::Str | Shape::Bytes => {
                self.attributes(obj, plan)?;
                return self.base(obj, plan);
            }
            _ => {}
        }
        if self.path.holds(obj) {
            return self.back_edge(obj);
        }
        match plan.shape {
            Shape::Record | Shape::NamedTuple => return self.record(obj, plan),
            Shape::Opaque => return self.opaque(obj, plan),
            Shape::Exception => return self.exception(obj, plan),
            Shape::Parts => return self.array(obj, plan),
            _ => {}
        }
        self.attributes(obj, plan)?;
        self.base(obj, plan)
    }

    /// Writes the base storage of a listed instance.
    pub fn base_of(&mut self, obj: Obj) -> Result<Visit, Fault> {
        let plan = self.plan(obj)?;
        if plan.shape != Shape::Enum {
            return self.base(obj, &plan);
        }
        match self.stand_in(obj, &plan) {
            Some(value) => self.go_on(value),
            None => self.drop_it(obj, plan.kind),
        }
    }

    /// A map of the standard library, which is a plain one where there are no marks.
    fn tagged_map(&self, mark: u8) -> Build {
        if self.native() { Build::TaggedMap(mark) } else { Build::Map }
    }

    /// Writes the storage of a builtin, or of a subclass as that of its base.
    pub fn base(&mut self, obj: Obj, plan: &Plan) -> Result<Visit, Fault> {
        match plan.shape {
            Shape::Int | Shape::Float | Shape::Str | Shape::Bytes if self.slow => {
                let value = self.base_value(obj, plan.shape)?;
                let place = self.place();
                self.stand(place, true);
                return self.careful_scalar(value, value.exact());
            }
            Shape::Int | Shape::Str if S::BUILDS && is_built_by_python(obj, plan.shape) => {
                self.budget.check(obj, plan.shape.as_exact())?;
                let value = self.base_value(obj, plan.shape)?;
                self.sink.put(value.own())?;
                return Ok(Visit::Kept);
            }
            Shape::Int | Shape::Float | Shape::Str | Shape::Bytes => {
                self.sink.base(self.py, obj, plan.shape, &self.budget)?;
                return Ok(Visit::Kept);
            }
            Shape::List => self.open(obj, Source::List(obj), Build::List, list_len(obj))?,
            Shape::Tuple => self.open(obj, Source::Tuple(obj), self.tuple_build(), tuple_len(obj))?,
            Shape::Dict => self.open(obj, Source::Dict(obj, 0), Build::Map, dict_len(obj))?,
            Shape::Counter => self.open(obj, Source::Dict(obj, 0), self.tagged_map(code::COUNTER), dict_len(obj))?,
            Shape::Set | Shape::FrozenSet => return self.set(obj, plan.shape == Shape::FrozenSet),
            Shape::DefaultDict => return self.default_dict(obj, plan),
            Shape::OrderedDict => return self.ordered_dict(obj),
            Shape::Deque => return self.deque(obj, plan),
            Shape::ChainMap => return self.chain_map(obj),
            Shape::Slice => {
                let parts: Vec<Obj> = slice_parts(obj).into_iter().flatten().collect();
                let build = if self.native() { Build::Tagged(code::SLICE) } else { Build::Row };
                return self.parts(obj, &parts, (build, 0));
            }
            Shape::Keys | Shape::Values | Shape::Items => return self.view(obj, plan.shape),
            // No storage of a builtin: the object became one of another class after it was asked for its plan.
            _ => return self.drop_it(obj, plan.kind),
        }
        Ok(Visit::Opened)
    }

    /// Opens a frame over a temporary list of an object's elements.
    pub fn parts(&mut self, obj: Obj, items: &[Obj], build: (Build, u64)) -> Result<Visit, Fault> {
        let list = owned_list(self.py, items)?;
        let source = Source::List(list.obj());
        self.open_with(obj, source, build, items.len(), Some(list))?;
        Ok(Visit::Opened)
    }

    fn deque(&mut self, obj: Obj, plan: &Plan) -> Result<Visit, Fault> {
        let bridge = Bridge::get(self.py)?;
        let mut items = Vec::new();
        if !deque_items(obj, Obj::of(bridge.deque.bind(self.py)).as_type(), |item| items.push(item)) {
            return Err(Fault::NoMemory);
        }
        let bound = plan.extra.as_ref().and_then(|slot| descriptor_get(Obj::of(slot.bind(self.py)), obj));
        let mut maxlen = code::UNBOUNDED;
        if let Some(bound) = bound
            && let crate::ffi::Int::Small(value) = int_of(bound.obj())
        {
            maxlen = u64::try_from(value).unwrap_or(code::UNBOUNDED);
        }
        let build = if self.native() { Build::Deque } else { Build::List };
        self.parts(obj, &items, (build, maxlen))
    }

    fn default_dict(&mut self, obj: Obj, plan: &Plan) -> Result<Visit, Fault> {
        let slot = plan.extra.as_ref().and_then(|slot| Slot::of(Obj::of(slot.bind(self.py))));
        if let Some(factory) = slot.and_then(|slot| slot_value(obj, slot))
            && !factory.is_none()
        {
            self.pin(obj);
            self.pin(factory);
            let kind = self.plan(factory)?.kind;
            let name = Obj::of(intern!(self.py, "default_factory").as_any());
            self.note(kind, Action::Drop, factory.ty(), Some(Step::Key(name.own())))?;
        }
        self.open(obj, Source::Dict(obj, 0), self.tagged_map(code::DEFAULT_DICT), dict_len(obj))?;
        Ok(Visit::Opened)
    }

    fn ordered_dict(&mut self, obj: Obj) -> Result<Visit, Fault> {
        let items = ordered_items(obj)?;
        let count = items.len();
        let items = Box::new(items.into_iter().map(|(key, value)| (key.own(), value.own())).collect());
        self.open(obj, Source::Items(items), self.tagged_map(code::ORDERED_DICT), count)?;
        Ok(Visit::Opened)
    }

    fn chain_map(&mut self, obj: Obj) -> Result<Visit, Fault> {
        let name = Obj::of(intern!(self.py, "maps").as_any());
        let mut maps = Vec::new();
        instance_items(obj, |each, value| {
            if same_name(each, name) && value.exact() == Exact::List {
                let mut at = 0;
                while let Some(map) = crate::ffi::list_get(value, at) {
                    maps.push(map);
                    at += 1;
                }
            }
        });
        let here = self.here();
        let node = self.findings.node(here, Step::Key(name.own()));
        let build = if self.native() { Build::Tagged(code::CHAIN_MAP) } else { Build::List };
        self.parts(obj, &maps, (build, 0))?;
        self.set_node(node);
        if let Some(frame) = self.frames.last_mut() {
            frame.rare.get_or_insert_default().chain = true;
        }
        Ok(Visit::Opened)
    }

    /// The items of a mapping in its own order.
    fn mapping_items(&mut self, mapping: Obj) -> Result<Vec<(Obj, Obj)>, Fault> {
        if mapping.exact() == Exact::Other {
            self.pin(mapping);
            if self.plan(mapping)?.shape == Shape::OrderedDict {
                return ordered_items(mapping);
            }
        }
        let (mut items, mut position) = (Vec::new(), 0);
        while let Some(item) = dict_next(mapping, &mut position) {
            items.push(item);
        }
        Ok(items)
    }

    fn view(&mut self, obj: Obj, shape: Shape) -> Result<Visit, Fault> {
        let Some(mapping) = proxy_target(obj) else { return self.drop_it(obj, kinds::OPAQUE) };
        self.pin(obj);
        let items = self.mapping_items(mapping)?;
        let parts: Vec<Obj> = match shape {
            Shape::Keys => items.into_iter().map(|(key, _)| key).collect(),
            Shape::Values => items.into_iter().map(|(_, value)| value).collect(),
            _ => {
                let mut pairs = Vec::new();
                for (key, value) in items {
                    pairs.push(owned_pair(self.py, key, value)?);
                }
                let parts: Vec<Obj> = pairs.iter().map(Owned::obj).collect();
                return self.parts(obj, &parts, (Build::List, 0));
            }
        };
        self.parts(obj, &parts, (Build::List, 0))
    }

    fn value(&mut self, obj: Obj, plan: &Plan) -> Result<Visit, Fault> {
        let Some((code, payload, foreign)) = self.lower(obj, plan)? else { return self.drop_it(obj, plan.kind) };
        self.budget.size(payload.as_bytes().len())?;
        self.attributes(obj, plan)?;
        if let Some(foreign) = &foreign {
            let name = Obj::of(intern!(self.py, "tzinfo").as_any());
            let ty = Obj::of(foreign).as_type();
            self.note(kinds::VALUE, Action::Converted, ty, Some(Step::Key(name.own())))?;
        }
        let payload = payload.as_bytes();
        self.budget.nodes(code::cost(code, payload.len()))?;
        if !self.native() {
            return self.portable(code, payload);
        }
        self.spend_ext(payload.len())?;
        let built = match (S::BUILDS, plan.exact && plan.shared && foreign.is_none()) {
            (false, _) => None,
            (true, true) => Some(obj.own()),
            (true, false) => Some(self.foreign(|py| Bridge::get(py)?.build(py, code, payload))?),
        };
        self.sink.value(code, payload, built, &self.budget)?;
        Ok(Visit::Kept)
    }

    /// Writes what stands for the value of an ext where there are no ext values.
    pub fn portable(&mut self, code: i8, payload: &[u8]) -> Result<Visit, Fault> {
        let shown = self.foreign(|py| Bridge::get(py)?.portable(py, code, payload))?;
        let (shown, place) = (self.keep(shown), self.place());
        self.stand(place, true);
        self.go_on(shown)
    }

    /// The payload of a value. A checkpoint, if it comes from the adapter its plan names.
    pub fn lower(&mut self, obj: Obj, plan: &Plan) -> Result<Option<Lowered<'py>>, Fault> {
        let Some(lower) = &plan.lower else { return Ok(None) };
        if plan.exact
            && let Some((code, payload)) = moments::lower(obj)
        {
            return Ok(Some((code, Payload::Short(payload), None)));
        }
        self.pin(obj);
        let lowered = self.foreign(|py| Bridge::lower(lower.bind(py), &obj.bind(py)))?;
        Ok(lowered.map(|(code, payload, foreign)| (code, Payload::Made(payload), foreign)))
    }
}

fn int_of(obj: Obj) -> crate::ffi::Int {
    if obj.exact() == Exact::Int { crate::ffi::int_value(obj) } else { crate::ffi::Int::NoMemory }
}

/// The items of an OrderedDict in its own order, keys paired with values by identity.
fn ordered_items(ordered: Obj) -> Result<Vec<(Obj, Obj)>, Fault> {
    let mut by_key: HashMap<usize, Obj, crate::guard::ByAddress> = HashMap::default();
    by_key.try_reserve(dict_len(ordered)).map_err(|_| Fault::NoMemory)?;
    let mut position = 0;
    while let Some((key, value)) = dict_next(ordered, &mut position) {
        by_key.insert(key.id(), value);
    }
    let mut items = Vec::new();
    items.try_reserve(by_key.len()).map_err(|_| Fault::NoMemory)?;
    ordered_keys(ordered, |key| {
        if let Some(value) = by_key.get(&key.id()) {
            items.push((key, *value));
        }
    });
    Ok(items)
}
