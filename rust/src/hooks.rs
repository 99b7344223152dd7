//! Hooks of the caller's: registered extractors and `Policy(default=...)`. Each call is a checkpoint.

use pyo3::exceptions::{PyException, PyMemoryError};
use pyo3::prelude::*;

use crate::error::Fault;
use crate::ffi::{Obj, Owned};
use crate::foreign::Bridge;
use crate::kind::{Action, kinds};
use crate::plan::Plan;
use crate::sink::Sink;
use crate::walk::Walk;

/// What the hooks say of an object.
#[derive(Debug)]
pub enum Stand {
    /// Nothing: it is treated as without them.
    Declined,
    /// It already stands in its own place.
    Gone,
    /// This stands in its place, alive until the walk is over.
    For(Obj),
}

impl<S: Sink> Walk<'_, S> {
    /// What stands in an object's place, by the first hook that does not decline.
    #[inline(always)]
    pub fn hooked_as(&mut self, obj: Obj, plan: &Plan) -> Result<Stand, Fault> {
        if plan.extract.is_none() && self.extra.is_none() {
            return Ok(Stand::Declined);
        }
        self.ask_hooks(obj, plan)
    }

    #[inline(never)]
    fn ask_hooks(&mut self, obj: Obj, plan: &Plan) -> Result<Stand, Fault> {
        let unknown = plan.kind == kinds::OPAQUE || kinds::is_machinery(plan.kind);
        let default = self.rules().and_then(|rules| rules.default.as_ref()).filter(|_| unknown);
        let calls = [plan.extract.as_ref(), default].map(|call| call.map(|call| call.clone_ref(self.py)));
        for call in calls.into_iter().flatten() {
            if self.extra.get_or_insert_default().hooked.holds(obj) {
                self.note(kinds::CYCLE, Action::Drop, obj.ty(), None)?;
                return Ok(Stand::Gone);
            }
            if let Some(made) = self.hook(&call, obj)? {
                return Ok(Stand::For(made));
            }
        }
        Ok(Stand::Declined)
    }

    /// What one hook gives, or None if it declines or raises.
    fn hook(&mut self, call: &Py<PyAny>, obj: Obj) -> Result<Option<Obj>, Fault> {
        self.pin(obj);
        let made = match self.foreign(|py| Bridge::hook(call.bind(py), &obj.bind(py))) {
            Ok(made) => made,
            Err(Fault::Python(error)) if is_contained(self.py, &error) => {
                let cls = Obj::of(error.get_type(self.py).as_any()).own();
                self.note(kinds::HOOK, Action::Drop, cls.obj().as_type(), None)?;
                return Ok(None);
            }
            Err(fault) => return Err(fault),
        };
        if made.obj() == obj || made.obj() == Obj::of(self.py.NotImplemented().bind(self.py)) {
            return Ok(None);
        }
        Ok(Some(self.keep(made)))
    }

    /// Something stands in the place of this object until `close_hooks`.
    pub fn open_hook(&mut self, obj: Obj) {
        self.extra.get_or_insert_default().hooked.push(obj);
    }

    /// Keeps an object of ours alive until the walk is over.
    pub fn keep(&mut self, owned: Owned) -> Obj {
        let obj = owned.obj();
        self.pins.push(owned);
        obj
    }
}

/// True for an exception that costs no more than the leaf it came from.
pub fn is_contained(py: Python<'_>, error: &PyErr) -> bool {
    error.is_instance_of::<PyException>(py) && !error.is_instance_of::<PyMemoryError>(py)
}
