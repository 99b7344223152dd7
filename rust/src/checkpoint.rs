//! Checkpoints: the steps of a walk that can let foreign code in, and what has to be owned before each of them.
//!
//! Foreign code can run wherever Python is called, signals are looked at, or a finalizer runs. Before that, every open
//! frame takes ownership of what it walks; afterwards lists are read by their live length, and all the rest from the
//! snapshot.

use std::rc::Rc;

use pyo3::prelude::*;

use crate::error::Fault;
use crate::ffi::Obj;
use crate::frame::{Source, snapshot};
use crate::hooks::is_contained;
use crate::plan::Plan;
use crate::sink::{Build, Parts, Sink};
use crate::walk::Walk;

impl<'py, S: Sink> Walk<'py, S> {
    /// Runs something that can let foreign code in.
    pub fn foreign<R>(&mut self, run: impl FnOnce(Python<'py>) -> PyResult<R>) -> Result<R, Fault> {
        self.checkpoint()?;
        self.quiet.lift();
        let result = run(self.py);
        self.quiet.resume();
        Ok(result?)
    }

    /// Every open frame now owns what it walks.
    pub fn checkpoint(&mut self) -> Result<(), Fault> {
        self.sink.settle(self.py)?;
        let owned = self.path.owned().min(self.frames.len());
        self.path.own();
        for frame in &mut self.frames[owned..] {
            if let Source::Dict(dict, _) = frame.source {
                frame.source = Source::Items(Box::new(snapshot(dict)?));
            }
        }
        for field in &self.arena[self.fields_owned..] {
            core::mem::forget(field.name.own());
            core::mem::forget(field.value.own());
        }
        self.fields_owned = self.arena.len();
        Ok(())
    }

    /// Ends a container that is built as an object. A checkpoint: Python makes some of them, and what is hashed may be an
    /// instance of a listed class, which has a hash and an equality of its own.
    pub fn built(&mut self, build: Build, parts: Parts) -> Result<(), Fault> {
        self.checkpoint()?;
        self.quiet.lift();
        let closed = self.sink.close(self.py, build, parts);
        self.quiet.resume();
        closed.map_err(|fault| if build.is_map() { self.unhashed(fault) } else { fault })
    }

    /// The error of a key that had a hash before and has none now, because its class changed its mind.
    pub fn unhashed(&self, fault: Fault) -> Fault {
        match fault {
            Fault::Python(error) if is_contained(self.py, &error) => {
                Fault::words("key or set element that cannot be hashed".to_owned())
            }
            fault => fault,
        }
    }

    /// The plan of an object's type. A checkpoint if Python has to be asked.
    #[inline(always)]
    pub fn plan(&mut self, obj: Obj) -> Result<Rc<Plan>, Fault> {
        match self.plans.known(self.py, obj.ty()) {
            Some(plan) => Ok(plan),
            None => self.ask(obj),
        }
    }

    #[cold]
    fn ask(&mut self, obj: Obj) -> Result<Rc<Plan>, Fault> {
        self.pin(obj);
        let mut plans = core::mem::take(&mut self.plans);
        let asked = self.foreign(|py| plans.ask(py, obj.ty()));
        self.plans = plans;
        asked
    }

    #[cold]
    pub fn look_for_signals(&mut self, obj: Obj) -> Result<(), Fault> {
        self.budget.parts(self.ticks)?;
        self.ticks = 0;
        self.pin(obj);
        self.foreign(pyo3::Python::check_signals)?;
        Ok(())
    }

    /// Gives up the fields from `start` on.
    pub fn drop_fields(&mut self, start: usize) {
        for at in start..self.arena.len().min(self.fields_owned) {
            drop((self.arena[at].name.adopt(), self.arena[at].value.adopt()));
        }
        self.arena.truncate(start);
        self.fields_owned = self.fields_owned.min(start);
    }

    /// Keeps an object alive until the walk is over.
    pub fn pin(&mut self, obj: Obj) {
        self.pins.push(obj.own());
    }
}
