//! Where a frame ends that has fields, may vanish, or is built by Python.

use crate::error::Fault;
use crate::ffi::Obj;
use crate::foreign::Bridge;
use crate::frame::{Opaque, Rare, Rebuilt, Source};
use crate::kind::{Action, kinds};
use crate::sink::{Build, Parts, Sink};
use crate::walk::{Visit, Walk};

impl<S: Sink> Walk<'_, S> {
    /// The objects in whose place this container stood are free again.
    #[cold]
    pub fn forget_hooks(&mut self, at: usize) {
        let hooks = self.frames[at].rare.as_ref().map_or(0, |rare| rare.hooks);
        if hooks > 0 {
            self.close_hooks(self.hooks_open().saturating_sub(hooks));
        }
    }

    /// Ends a frame that has fields on the arena, may vanish, or is built by Python.
    #[inline(never)]
    pub fn close_special(&mut self) -> Result<(), Fault> {
        self.forget_hooks(self.frames.len() - 1);
        let Some(frame) = self.frames.last_mut() else { return Ok(()) };
        let (build, parts) = (frame.build, frame.parts());
        let asks = S::BUILDS && (frame.knows_keys() || !matches!(build, Build::List | Build::Map | Build::TUPLE));
        let rare = frame.rare.take();
        if let Some(Rare { listed: Some(rebuilt), .. }) = rare.as_deref()
            && let Source::Fields(start, end) = frame.source
        {
            let fields = self.arena[start + frame.at..end].iter();
            let rebuilt = rebuilt.without(fields);
            return self.close_record(parts, &rebuilt, start);
        }
        let undo = rare.and_then(|rare| rare.opaque).filter(|_| parts.kept == 0);
        if let Source::Fields(start, _) = frame.source {
            self.drop_fields(start);
        }
        self.close_frame(build);
        if let Some(undo) = undo {
            self.sink.truncate(parts.token);
            self.findings.roll_back(&undo.mark);
            return self.emptied(&undo);
        }
        if asks {
            self.built(build, parts)?;
        } else {
            self.sink.close(self.py, build, parts)?;
        }
        if let Some(below) = self.frames.last_mut() {
            below.kept += 1;
        }
        Ok(())
    }

    /// Does with an opaque object of which nothing is left what the policy says. When cutting, even that may not fit.
    #[cold]
    pub fn emptied(&mut self, undo: &Opaque) -> Result<(), Fault> {
        let position = self.sink.position();
        match self.left_of_emptied(undo.ty.obj()) {
            Ok(Visit::Gone) => return self.gone(),
            Err(Fault::Limit(bound)) if self.budget.limits.cut => {
                self.sink.truncate(position);
                self.findings.roll_back(&undo.mark);
                self.note_cut(bound, kinds::OPAQUE, undo.ty.obj().as_type())?;
                return self.gone();
            }
            left => left?,
        };
        if let Some(below) = self.frames.last_mut() {
            below.kept += 1;
        }
        Ok(())
    }

    pub fn left_of_emptied(&mut self, ty: Obj) -> Result<Visit, Fault> {
        let action =
            self.rules().map_or(Action::Drop, |rules| if rules.strict { Action::Raise } else { rules.emptied });
        self.note_asked(kinds::OPAQUE, action, ty.as_type())?;
        match action {
            Action::Tombstone => self.write_tombstone(kinds::OPAQUE, ty),
            Action::Name => {
                let name = self.foreign(|py| Bridge::get(py)?.named_type(kinds::OPAQUE, &ty.bind(py)))?;
                self.write_name(name)
            }
            _ => Ok(Visit::Gone),
        }
    }

    /// Ends the fields of a listed instance: it is rebuilt, or left as what it holds.
    pub fn close_record(&mut self, parts: Parts, rebuilt: &Rebuilt, start: usize) -> Result<(), Fault> {
        self.drop_fields(start);
        self.close_frame(Build::Record);
        if rebuilt.lost {
            self.sink.truncate(rebuilt.start);
            return self.gone();
        }
        self.built(Build::Record, parts)?;
        if rebuilt.broken {
            self.sink.unname(rebuilt.start, parts.token)?;
        } else if let Some(fields) = self.sink.take() {
            let made = self.rebuild(&rebuilt.class, &fields)?;
            self.sink.put(made)?;
        }
        if let Some(below) = self.frames.last_mut() {
            below.kept += 1;
        }
        Ok(())
    }
}
