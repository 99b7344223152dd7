//! Arrays and tables: one value each, or parts that are walked.

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::error::Fault;
use crate::ffi::{Exact, Int, Obj, Strided, int_value, list_len, tuple_get, tuple_len};
use crate::foreign::{Array, Bridge};
use crate::frame::Source;
use crate::kind::{Action, code};
use crate::plan::Plan;
use crate::report::Step;
use crate::sink::{Build, Lowered, Sink};
use crate::walk::{Visit, Walk};

impl<'py, S: Sink> Walk<'py, S> {
    /// Writes an array as one value, or opens a frame over its parts. Its storage may be that of a subclass.
    pub fn array(&mut self, obj: Obj, plan: &Plan) -> Result<Visit, Fault> {
        let Some(found) = self.lower_array(obj, plan)? else {
            self.note(plan.kind, Action::Drop, obj.ty(), None)?;
            return Ok(Visit::Gone);
        };
        self.attributes(obj, plan)?;
        match found {
            Array::Leaf { head, items, losses } => {
                self.losses(&losses)?;
                self.leaf(head.as_bytes(), &items)
            }
            Array::Parts { parts, names, losses } => {
                self.losses(&losses)?;
                let list = Obj::of(parts.as_any());
                let build = if self.native() { Build::Tagged(code::PARTS) } else { Build::Row };
                self.open_with(obj, Source::List(list), (build, 0), list_len(list), Some(list.own()))?;
                if let Some(frame) = self.frames.last_mut() {
                    let rare = frame.rare.get_or_insert_default();
                    (rare.names, rare.lowered) = (Some(Obj::of(names.as_any()).own()), true);
                }
                Ok(Visit::Opened)
            }
        }
    }

    fn lower_array(&mut self, obj: Obj, plan: &Plan) -> Result<Option<Array<'py>>, Fault> {
        let Some(lower) = &plan.lower else { return Ok(None) };
        self.pin(obj);
        self.foreign(|py| Bridge::array(lower.bind(py), &obj.bind(py)))
    }

    fn leaf(&mut self, head: &[u8], items: &Bound<'py, PyAny>) -> Result<Visit, Fault> {
        let buffer = Strided::of(items)?;
        let size = head.len() + buffer.len();
        self.budget.size(size)?;
        self.budget.nodes(code::cost(code::NDARRAY, size))?;
        if !self.native() {
            let mut payload = head.to_vec();
            buffer.append_to(&mut payload)?;
            drop(buffer);
            return self.portable(code::NDARRAY, &payload);
        }
        self.spend_ext(size)?;
        if S::BUILDS {
            let copy = buffer.bytearray()?;
            drop(buffer);
            let made = self.foreign(|py| Bridge::get(py)?.restore_array(py, head, copy))?;
            self.sink.value(code::NDARRAY, &[], Some(made), &self.budget)?;
        } else {
            self.sink.array(head, &buffer, &self.budget)?;
        }
        Ok(Visit::Kept)
    }

    /// Notes what an array does not keep.
    fn losses(&mut self, losses: &Bound<'py, PyTuple>) -> Result<(), Fault> {
        for row in losses.iter() {
            let (step, kind, cls, action): (Bound<'py, PyAny>, u8, Bound<'py, PyAny>, u8) = row.extract()?;
            self.note(kind, Action::from_number(action), Obj::of(&cls).as_type(), step_of(Obj::of(&step)))?;
        }
        Ok(())
    }

    /// What stands for a scalar whose library is not imported, as a key; no array is one.
    pub fn array_key(&mut self, key: Obj, plan: &Plan) -> Result<Option<Lowered>, Fault> {
        if plan.exact
            && let Some(Array::Leaf { head, items, .. }) = self.lower_array(key, plan)?
            && code::is_hashable(head.as_bytes())
        {
            let mut payload = head.as_bytes().to_vec();
            Strided::of(&items)?.append_to(&mut payload)?;
            self.budget.size(payload.len())?;
            self.budget.nodes(code::cost(code::NDARRAY, payload.len()))?;
            self.spend_ext(payload.len())?;
            let value = self.foreign(|py| Bridge::get(py)?.build(py, code::NDARRAY, &payload))?;
            return self.as_ext(value, code::NDARRAY, &payload).map(Some);
        }
        self.drop_key(key, plan.kind)
    }
}

/// What a path shows for a part of an array, as `siftpack.report.Segment` says it; None for nothing.
pub fn step_of(name: Obj) -> Option<Step> {
    match name.exact() {
        Exact::Nil => None,
        Exact::Str => Some(Step::Key(name.own())),
        Exact::Int => match int_value(name) {
            Int::Small(at) => usize::try_from(at).ok().map(Step::Index),
            _ => None,
        },
        Exact::Tuple if tuple_len(name) == 1 => tuple_get(name, 0).map(Step::of_key),
        _ => Some(Step::Type(name.own())),
    }
}

/// Bytes of a payload that stand before the items, whatever they say.
pub fn head_size(payload: &[u8]) -> usize {
    let text = payload.get(1..3).map_or(0, |size| usize::from(size[0]) << 8 | usize::from(size[1]));
    let at = 3 + text;
    (at + 1 + 8 * usize::from(payload.get(at).copied().unwrap_or(0))).min(payload.len())
}
