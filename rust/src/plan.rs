//! What is known of a type, asked of Python once.
//!
//! Plans in use are held, with their types, until the call ends.

use std::collections::HashMap;
use std::rc::Rc;

use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use crate::ffi::{GilCell, Obj, Owned, Slot, Ty, type_base, type_is_heap, type_tag};
use crate::foreign::Bridge;
use crate::guard::ByAddress;
use crate::kind::Shape;
use crate::memo::Memo;

/// One field of an instance.
#[derive(Debug)]
pub struct Field {
    /// Its name, an exact str.
    pub name: Py<PyAny>,
    /// Its slot; None if it is in the instance dict.
    pub slot: Option<Slot>,
    /// Its name says that its value is a secret.
    pub secret: bool,
}

/// How instances of a type are sifted: `siftpack.classify.Spec`.
#[derive(Debug)]
pub struct Plan {
    /// What it is.
    pub kind: u8,
    /// Where its data is.
    pub shape: Shape,
    /// The type itself, not a subclass.
    pub exact: bool,
    /// Subclasses by `tp_base` share this plan.
    pub sealed: bool,
    /// An exact instance is immutable.
    pub shared: bool,
    /// Declared fields of a record, slots of others.
    pub fields: Vec<Field>,
    /// Slots of a record beside its fields.
    pub rest: Vec<Field>,
    /// A further descriptor: pydantic's extras, a defaultdict's factory, a deque's bound.
    pub extra: Option<Py<PyAny>>,
    /// Names in the instance dict that are the storage itself.
    pub kept: Vec<Py<PyAny>>,
    /// Gives the payload of a value.
    pub lower: Option<Py<PyAny>>,
    /// A registered extractor.
    pub extract: Option<Py<PyAny>>,
}

#[derive(Debug)]
struct Known {
    plans: Memo<Rc<Plan>>,
    /// Some class was registered: sealed plans are no longer inherited without asking.
    registered: bool,
}

static KNOWN: GilCell<Known> = GilCell::new(Known { plans: Memo::new(), registered: false });

/// Forgets all plans, because a class was registered.
pub fn forget(py: Python<'_>) {
    drop(KNOWN.with(py, |known| {
        known.registered = true;
        known.plans.forget()
    }));
}

impl Plan {
    fn read(spec: &Bound<'_, PyTuple>) -> PyResult<Self> {
        let item = |at: usize| spec.get_item(at);
        let shape = Shape::from_number(item(1)?.extract()?)
            .ok_or_else(|| pyo3::exceptions::PyRuntimeError::new_err("unknown shape"))?;
        let optional = |at: usize| item(at).map(|found| (!found.is_none()).then(|| found.unbind()));
        Ok(Self {
            kind: item(0)?.extract()?,
            shape,
            exact: item(2)?.extract()?,
            sealed: item(3)?.extract()?,
            shared: item(4)?.extract()?,
            fields: fields(&item(5)?)?,
            rest: fields(&item(6)?)?,
            extra: optional(7)?,
            lower: optional(8)?,
            kept: item(9)?.extract()?,
            extract: optional(10)?,
        })
    }
}

fn fields(rows: &Bound<'_, PyAny>) -> PyResult<Vec<Field>> {
    let mut found = Vec::new();
    for row in rows.cast::<PyTuple>()?.iter() {
        let (name, slot, secret): (Bound<'_, PyString>, Bound<'_, PyAny>, bool) = row.extract()?;
        let place = if slot.is_none() { None } else { Slot::of(Obj::of(&slot)) };
        if slot.is_none() || place.is_some() {
            found.push(Field { name: name.into_any().unbind(), slot: place, secret });
        }
    }
    Ok(found)
}

/// Types up to which the plans of one call are searched as they lie; beyond, they are looked up by address.
const FEW: usize = 16;

/// The plans of one call, each with the type it is for.
#[derive(Debug, Default)]
pub struct Plans {
    held: Vec<(Owned, Rc<Plan>)>,
    /// All of them, once there are more than a few.
    by_type: HashMap<usize, Rc<Plan>, ByAddress>,
}

impl Plans {
    /// The plan of a type, if it is known without asking Python.
    #[inline(always)]
    pub fn known(&mut self, py: Python<'_>, ty: Ty) -> Option<Rc<Plan>> {
        let found = if self.held.len() > FEW {
            self.by_type.get(&ty.id())
        } else {
            self.held.iter().find(|(held, _)| held.obj() == ty.as_obj()).map(|(_, plan)| plan)
        };
        match found {
            Some(plan) => Some(Rc::clone(plan)),
            None => self.remembered(py, ty),
        }
    }

    #[inline(never)]
    fn remembered(&mut self, py: Python<'_>, ty: Ty) -> Option<Rc<Plan>> {
        let plan = KNOWN.with(py, |known| known.find(ty).or_else(|| known.inherited(ty)))?;
        self.hold(ty, &plan);
        Some(plan)
    }

    fn hold(&mut self, ty: Ty, plan: &Rc<Plan>) {
        self.held.push((ty.as_obj().own(), Rc::clone(plan)));
        if self.held.len() > FEW {
            let known = if self.by_type.is_empty() { 0 } else { self.held.len() - 1 };
            self.by_type.extend(self.held[known..].iter().map(|(held, plan)| (held.obj().id(), Rc::clone(plan))));
        }
    }

    /// Asks Python for the plan of a type. A checkpoint.
    pub fn ask(&mut self, py: Python<'_>, ty: Ty) -> PyResult<Rc<Plan>> {
        let bridge = Bridge::get(py)?;
        let cls = ty.as_obj().bind(py);
        let plan = Rc::new(Plan::read(&bridge.plan(&cls)?)?);
        let probe = Obj::of(bridge.probe.bind(py).as_any());
        self.remember(py, ty, &plan, probe);
        // A sealed plan is what the base has too: so the next class made from that base is known without asking.
        if plan.sealed
            && type_is_heap(ty)
            && let Some(base) = type_base(ty)
        {
            let base_cls = base.as_obj().bind(py);
            let base_plan = Rc::new(Plan::read(&bridge.plan(&base_cls)?)?);
            if base_plan.sealed {
                self.remember(py, base, &base_plan, probe);
            }
        }
        Ok(plan)
    }

    fn remember(&mut self, py: Python<'_>, ty: Ty, plan: &Rc<Plan>, probe: Obj) {
        self.hold(ty, plan);
        let Some(tag) = type_tag(ty, Some(probe)) else { return };
        drop(KNOWN.with(py, |known| known.plans.keep(tag, Rc::clone(plan))));
    }
}

impl Known {
    fn find(&self, ty: Ty) -> Option<Rc<Plan>> {
        self.plans.find(ty).map(Rc::clone)
    }

    /// The sealed plan of the nearest base that has one.
    fn inherited(&self, ty: Ty) -> Option<Rc<Plan>> {
        if self.registered {
            return None;
        }
        let mut base = type_base(ty);
        while let Some(each) = base {
            if let Some(plan) = self.find(each) {
                return plan.sealed.then_some(plan);
            }
            base = type_base(each);
        }
        None
    }
}
