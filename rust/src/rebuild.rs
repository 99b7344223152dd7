//! Listed classes: what is written of an instance so that it comes back as itself.

use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::error::Fault;
use crate::extra::Height;
use crate::ffi::{
    Exact, Obj, Owned, Slot, Ty, dict_next, exception, instance_items, list_get, same_name, slot_value, tuple_get,
    tuple_len,
};
use crate::foreign::Bridge;
use crate::frame::{FieldValue, Rebuilt, Source};
use crate::instance::find;
use crate::kind::{Action, Shape, kinds};
use crate::listed::Listed;
use crate::name::intern;
use crate::plan::Plan;
use crate::report::Step;
use crate::sink::{Build, Sink};
use crate::walk::{Visit, Walk};

/// Exception groups inside one another that may all come back.
const GROUPS: usize = 32;

impl<S: Sink> Walk<'_, S> {
    /// The class among those that come back as themselves. Only the native mode has a form for it.
    #[inline(always)]
    pub fn listed(&self, ty: Ty) -> Option<Arc<Listed>> {
        let names = self.extra.as_ref()?.names.as_ref()?;
        if self.native() { names.get().find(ty).map(Arc::clone) } else { None }
    }

    /// True if an instance is written so that it comes back as itself.
    pub fn rebuilds(&mut self, obj: Obj, plan: &Plan, class: &Listed) -> Result<bool, Fault> {
        let kept = !kinds::is_data(plan.kind) || self.policy.action(plan.kind) == Action::Keep;
        if !kept || !self.is_whole(obj, plan, class) || self.hides(obj, plan)? {
            return Ok(false);
        }
        if class.group {
            return self.members_come_back(obj);
        }
        if plan.shape != Shape::Enum {
            return Ok(true);
        }
        let python = &class.python;
        self.foreign(|py| Bridge::get(py)?.readable(python.bind(py), &obj.bind(py)))
    }

    /// What an exception is made from again, kept alive until the walk is over.
    fn constructor_args(&mut self, obj: Obj) -> Result<Obj, Fault> {
        self.pin(obj);
        let args = self.foreign(|py| Bridge::get(py)?.constructor_args(&obj.bind(py)))?;
        Ok(self.keep(args))
    }

    /// True if each exception of a group comes back as itself: a group takes nothing else.
    fn members_come_back(&mut self, obj: Obj) -> Result<bool, Fault> {
        let extra = self.extra.get_or_insert_default();
        let around = extra.groups;
        match extra.heights.get(&obj.id()) {
            Some(Height::Known(height)) => return Ok(around + height <= GROUPS),
            Some(Height::Fails(level)) if around >= *level => return Ok(false),
            _ => {}
        }
        let height = self.height_of(obj)?;
        let known = height.map_or(Height::Fails(around), Height::Known);
        self.extra.get_or_insert_default().heights.insert(obj.id(), known);
        Ok(height.is_some())
    }

    /// Groups inside one another in a group, itself among them; None if one of its exceptions does not come back.
    fn height_of(&mut self, obj: Obj) -> Result<Option<usize>, Fault> {
        let args = self.constructor_args(obj)?;
        let Some(members) = tuple_get(args, 1).filter(|_| !self.budget.limits.cut) else { return Ok(None) };
        let get: fn(Obj, usize) -> Option<Obj> = match members.exact() {
            Exact::List => list_get,
            Exact::Tuple => tuple_get,
            _ => return Ok(None),
        };
        let groups = self.extra.get_or_insert_default();
        groups.groups += 1;
        let within = groups.groups <= GROUPS;
        let (mut at, mut height) = (0, Ok(within.then_some(1)));
        while let Some(member) = get(members, at)
            && let Ok(Some(highest)) = height
        {
            height = self.height_of_member(member).map(|found| found.map(|inside| highest.max(inside + 1)));
            at += 1;
        }
        self.extra.get_or_insert_default().groups -= 1;
        height
    }

    /// The height of a group, 0 for any other exception; None if it does not come back.
    fn height_of_member(&mut self, member: Obj) -> Result<Option<usize>, Fault> {
        let owned = member.own();
        if !self.comes_back(member)? {
            return Ok(None);
        }
        let known = self.extra.as_ref().and_then(|extra| extra.heights.get(&owned.obj().id()));
        Ok(Some(if let Some(Height::Known(height)) = known { *height } else { 0 }))
    }

    /// True if an exception comes back as itself.
    fn comes_back(&mut self, obj: Obj) -> Result<bool, Fault> {
        let Some(class) = self.listed(obj.ty()) else { return Ok(false) };
        self.pin(obj);
        let plan = self.plan(obj)?;
        self.rebuilds(obj, &plan, &class)
    }

    /// True if every field is there without which the class cannot be rebuilt.
    fn is_whole(&self, obj: Obj, plan: &Plan, class: &Listed) -> bool {
        if plan.shape == Shape::NamedTuple {
            return tuple_len(obj) == plan.fields.len();
        }
        if plan.shape != Shape::Record {
            return true;
        }
        let mut own = Vec::new();
        instance_items(obj, |name, value| own.push((name, value)));
        let held = |name: Obj, slot: Option<Slot>| match slot {
            Some(slot) => slot_value(obj, slot).is_some(),
            None => find(&own, name).is_some(),
        };
        class.required.iter().all(|required| {
            let required = Obj::of(required.bind(self.py));
            plan.fields.iter().any(|field| {
                let name = Obj::of(field.name.bind(self.py));
                same_name(name, required) && held(name, field.slot)
            })
        })
    }

    /// True if an instance holds a secret that will be masked: then it is not rebuilt.
    fn hides(&mut self, obj: Obj, plan: &Plan) -> Result<bool, Fault> {
        self.pin(obj);
        let mut all: Vec<(Option<Obj>, Obj)> = Vec::new();
        if matches!(plan.shape, Shape::Str | Shape::Bytes) {
            let base = self.base_value(obj, plan.shape)?;
            all.push((None, base));
        }
        for (at, field) in plan.fields.iter().enumerate() {
            let value = match field.slot {
                _ if plan.shape == Shape::NamedTuple => tuple_get(obj, at),
                Some(slot) => slot_value(obj, slot),
                None => None,
            };
            all.extend(value.map(|value| (Some(Obj::of(field.name.bind(self.py))), value)));
        }
        instance_items(obj, |name, value| all.push((Some(name), value)));
        let mut position = 0;
        while let Some((name, value)) = self.extras_of(obj, plan).and_then(|extras| dict_next(extras, &mut position)) {
            all.push((Some(name), value));
        }
        if plan.shape == Shape::Exception
            && let Some(args) = exception(obj).args
        {
            all.extend((0..tuple_len(args)).filter_map(|at| Some((None, tuple_get(args, at)?))));
        }
        self.is_any_hidden(&all)
    }

    /// Asking for a plan lets foreign code in, so all of them are owned meanwhile.
    fn is_any_hidden(&mut self, all: &[(Option<Obj>, Obj)]) -> Result<bool, Fault> {
        let owned: Vec<(Option<Owned>, Owned)> =
            all.iter().map(|(name, value)| (name.map(Obj::own), value.own())).collect();
        for (name, value) in &owned {
            if self.is_hidden(name.as_ref().map(Owned::obj), value.obj())? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn is_hidden(&mut self, name: Option<Obj>, value: Obj) -> Result<bool, Fault> {
        let named = name.is_some_and(|name| self.is_secret_name(name));
        Ok(match value.exact() {
            _ if Bridge::get(self.py)?.hides_nothing(self.py, value) => false,
            Exact::Str | Exact::Bytes => named || self.is_secret_value(value),
            Exact::Other => named || self.plan(value)?.kind == kinds::SECRET,
            _ => named,
        })
    }

    /// The dict in a record's slot of further fields.
    pub fn extras_of(&self, obj: Obj, plan: &Plan) -> Option<Obj> {
        let extra = plan.extra.as_ref().filter(|_| plan.shape == Shape::Record)?;
        let slot = Slot::of(Obj::of(extra.bind(self.py)))?;
        slot_value(obj, slot).filter(|extras| extras.exact() == Exact::Dict)
    }

    /// Opens a frame over what a listed instance is rebuilt from.
    pub fn instance(&mut self, obj: Obj, plan: &Plan, class: Arc<Listed>) -> Result<Visit, Fault> {
        if self.path.holds(obj) {
            return self.back_edge(obj);
        }
        let start = self.arena.len();
        self.listed_fields(obj, plan, &class)?;
        let (end, count) = (self.arena.len(), self.arena.len() - start);
        self.charge(obj, Build::Record, count)?;
        self.spend_containers(2)?;
        self.spend_name(&class)?;
        let position = self.sink.position();
        self.sink.name(&class.name)?;
        let token = self.sink.open(Build::Record, count, 0)?;
        let frame = self.push(obj, Source::Fields(start, end), Build::Record, count, token)?;
        let rebuilt = Rebuilt { class, start: position, broken: false, lost: false };
        frame.rare.get_or_insert_default().listed = Some(rebuilt);
        Ok(Visit::Opened)
    }

    /// Spends the bytes of the name of a listed class, which is a string like any other.
    pub fn spend_name(&mut self, class: &Listed) -> Result<(), Fault> {
        let size = class.name.len();
        self.budget.size(size)?;
        self.spend(size + if size < 32 { 1 } else { 2 })
    }

    /// Puts on the arena what a listed instance is rebuilt from, each value as it is: what is listed is the caller's own.
    pub fn listed_fields(&mut self, obj: Obj, plan: &Plan, class: &Listed) -> Result<(), Fault> {
        let start = self.arena.len();
        match plan.shape {
            Shape::Record | Shape::NamedTuple => self.declared(obj, plan)?,
            Shape::Opaque | Shape::Wrapper | Shape::Leaf => self.stored(obj, &plan.fields)?,
            Shape::Exception => self.exception_fields(obj, plan, start)?,
            _ => self.base_fields(obj, plan, start)?,
        }
        for at in start..self.arena.len() {
            let (name, base) = (self.arena[at].name, self.arena[at].base);
            let args = plan.shape == Shape::Exception && at == start;
            self.arena[at].masked = false;
            self.arena[at].required = !base && (args || class.requires(self.py, name));
        }
        Ok(())
    }

    /// The base storage under the empty name, then whatever else the instance holds.
    fn base_fields(&mut self, obj: Obj, plan: &Plan, start: usize) -> Result<(), Fault> {
        let empty = Obj::of(intern!(self.py, "").as_any());
        self.arena.try_reserve(1).map_err(|_| Fault::NoMemory)?;
        self.arena.push(FieldValue { name: empty, value: obj, masked: false, base: true, required: false });
        if plan.shape == Shape::Enum {
            return Ok(());
        }
        self.stored(obj, &plan.fields)?;
        let kept: Vec<Obj> = plan.kept.iter().map(|name| Obj::of(name.bind(self.py))).collect();
        self.without(start + 1, &[empty], &kept)
    }

    /// The arguments, then attributes and notes, then the cause or context if that comes back too.
    fn exception_fields(&mut self, obj: Obj, plan: &Plan, start: usize) -> Result<(), Fault> {
        let py = self.py;
        let name = |name: &Bound<'_, PyString>| Obj::of(name.as_any());
        let names = [intern!(py, "args"), intern!(py, "__cause__"), intern!(py, "__context__")].map(name);
        let args = self.constructor_args(obj)?;
        self.push_field(names[0], args, false)?;
        self.stored(obj, &plan.fields)?;
        self.without(start + 1, &names, &[])?;
        let own = exception(obj);
        let (name, value) = match (own.cause, own.context) {
            (Some(cause), _) => (names[1], cause),
            (None, Some(context)) => (names[2], context),
            (None, None) => return Ok(()),
        };
        if self.comes_back(value)? {
            return self.push_field(name, value, false);
        }
        self.note(kinds::EXCEPTION, Action::Drop, value.ty(), Some(Step::Key(name.own())))
    }

    /// Takes off the arena, from `start` on, what has a name that is taken (reported) or is storage of another kind.
    fn without(&mut self, start: usize, taken: &[Obj], kept: &[Obj]) -> Result<(), Fault> {
        let mut end = start;
        for at in start..self.arena.len() {
            let field = self.arena[at];
            if taken.iter().any(|taken| same_name(*taken, field.name)) {
                self.note(kinds::ATTRIBUTE, Action::Drop, field.value.ty(), Some(Step::Key(field.name.own())))?;
            } else if !kept.iter().any(|kept| same_name(*kept, field.name)) {
                self.arena[end] = field;
                end += 1;
            }
        }
        self.arena.truncate(end);
        Ok(())
    }

    /// The instance that a listed class makes of its fields. A checkpoint.
    pub fn rebuild(&mut self, class: &Listed, fields: &Owned) -> Result<Owned, Fault> {
        let python = &class.python;
        let made = self.foreign(|py| match Bridge::get(py)?.restore(python.bind(py), &fields.obj().bind(py)) {
            Err(error) if error.is_instance_of::<PyValueError>(py) => Ok(Err(error.value(py).to_string())),
            made => made.map(Ok),
        })?;
        made.map_err(Fault::words)
    }
}
