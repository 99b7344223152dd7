//! The walk when each part of a container has to be looked at on its own: paths, redaction, other modes, cutting.
//!
//! Here is decided what the hot loops of `runs.rs` never ask. A part that does not fit is undone as a whole when output
//! is cut: the sink, the findings and the frames go back to where they stood before it.

use crate::error::{Fault, Reached};
use crate::ffi::{Exact, Obj, Owned, Ty, dict_len, dict_next, list_get, list_len, tuple_get, tuple_len};
use crate::foreign::Bridge;
use crate::frame::{Frame, Source};
use crate::keys::has_plain_form;
use crate::kind::{Action, code, kinds};
use crate::name::intern;
use crate::patterns::{NOWHERE, State, Stride};
use crate::redact;
use crate::report::Mark;
use crate::sink::{Build, Sink};
use crate::walk::{Visit, Walk};

/// One part of a container.
#[derive(Clone, Copy, Debug)]
struct Part {
    key: Option<Obj>,
    value: Obj,
    /// Where it stands in the patterns.
    place: State,
    sort: Sort,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sort {
    Element,
    Entry,
    /// A field, and whether it is masked.
    Field {
        masked: bool,
    },
    /// The base storage of a listed instance.
    Base,
}

/// Where everything stood before a part.
struct Before {
    /// The part itself, which foreign code may take out of its container meanwhile.
    value: Owned,
    frames: usize,
    fields: usize,
    position: usize,
    hooks: usize,
    findings: Mark,
}

impl<S: Sink> Walk<'_, S> {
    /// Visits the top object.
    #[inline(never)]
    pub fn careful_top(&mut self, top: Obj) -> Result<Visit, Fault> {
        let (before, place) = (self.before(top), self.place());
        match self.careful(top, place, false) {
            Err(fault) => self.cut_off(before, fault),
            visit => visit,
        }
    }

    /// Visits the next part of the top frame, or ends the frame.
    #[inline(never)]
    pub fn careful_step(&mut self) -> Result<(), Fault> {
        let top = self.frames.len() - 1;
        if self.stopped() {
            return self.close_early(top);
        }
        let Some(part) = self.next_part(top)? else { return self.close() };
        let before = self.before(part.value);
        let visit = match self.part(top, part) {
            Err(fault) => self.cut_off(before, fault)?,
            Ok(visit) => visit,
        };
        match visit {
            Visit::Kept => self.frames[top].kept += 1,
            Visit::Gone => self.gone()?,
            Visit::Opened => {}
        }
        Ok(())
    }

    /// Ends a frame with parts still to come; what has a fixed number of them is filled with nil.
    fn close_early(&mut self, top: usize) -> Result<(), Fault> {
        while self.frames[top].build == Build::Tagged(code::SLICE) && self.frames[top].kept < 3 {
            self.nil()?;
            self.frames[top].kept += 1;
        }
        self.close()
    }

    fn next_part(&mut self, top: usize) -> Result<Option<Part>, Fault> {
        let frame = &mut self.frames[top];
        let around = frame.rare.as_ref().map_or(NOWHERE, |rare| rare.place);
        let at = frame.at;
        let found = match &mut frame.source {
            Source::List(list) => list_get(*list, at).map(|value| (None, value, Sort::Element)),
            Source::Tuple(tuple) => tuple_get(*tuple, at).map(|value| (None, value, Sort::Element)),
            Source::Fields(start, end) => self.arena[*start..*end].get(at).map(|field| {
                let sort = if field.base { Sort::Base } else { Sort::Field { masked: field.masked } };
                (Some(field.name), field.value, sort)
            }),
            Source::Dict(dict, position) => {
                dict_next(*dict, position).map(|(key, value)| (Some(key), value, Sort::Entry))
            }
            Source::Items(items) => items.get(at).map(|(key, value)| (Some(key.obj()), value.obj(), Sort::Entry)),
        };
        let Some((key, value, sort)) = found else { return Ok(None) };
        frame.at += 1;
        if key.is_some() {
            (frame.key, frame.entry) = (key, self.sink.entry()?);
        }
        let place = match sort {
            Sort::Base => around,
            _ => self.advance(around, key.map_or(Stride::Index(at), Stride::of_key)),
        };
        Ok(Some(Part { key, value, place, sort }))
    }

    fn part(&mut self, top: usize, part: Part) -> Result<Visit, Fault> {
        let Some(key) = part.key else { return self.careful(part.value, part.place, false) };
        if part.sort != Sort::Entry {
            self.careful_key(key)?;
            if let Sort::Field { masked } = part.sort {
                return self.careful(part.value, part.place, masked);
            }
            self.stand(part.place, false);
            let visit = self.base_of(part.value)?;
            self.settle(visit, part.place);
            return Ok(visit);
        }
        let masked = if self.frames[top].knows_keys() || !has_plain_form(key) || !(self.native() || key.is_str()) {
            let Some(written) = self.strange_key(key)? else { return Ok(Visit::Gone) };
            self.is_secret_name(written.obj())
        } else {
            if self.is_secret_value(key) {
                self.note(kinds::SECRET, Action::Drop, key.ty(), None)?;
                return Ok(Visit::Gone);
            }
            self.careful_key(key)?;
            self.is_secret_name(key)
        };
        let masked = masked && !Bridge::get(self.py)?.hides_nothing(self.py, part.value);
        self.careful(part.value, part.place, masked)
    }

    /// Writes a plain key, which is never shortened.
    fn careful_key(&mut self, key: Obj) -> Result<(), Fault> {
        self.charge_key(key)?;
        self.sink.plain(self.py, key, key.exact(), &self.budget)
    }

    /// Visits an object: does what a path asks for, else what its kind is due.
    fn careful(&mut self, obj: Obj, place: State, masked: bool) -> Result<Visit, Fault> {
        let asked = self.asked(place);
        if masked && asked != Some(Action::Keep) {
            let action = asked.unwrap_or_else(|| self.policy.action(kinds::SECRET));
            return self.leave(obj, kinds::SECRET, action);
        }
        if let Some(action) = asked.filter(|action| *action != Action::Keep) {
            let kind = if self.is_secret_value(obj) { kinds::SECRET } else { self.kind_of(obj)? };
            return self.leave(obj, kind, action);
        }
        self.stand(place, asked == Some(Action::Keep));
        let visit = self.go_on(obj)?;
        self.settle(visit, place);
        Ok(visit)
    }

    /// The frame just opened stands where its object does.
    fn settle(&mut self, visit: Visit, place: State) {
        if visit != Visit::Opened || place == NOWHERE {
            return;
        }
        if self.frames.last().is_some_and(Frame::is_lowered) {
            return;
        }
        let chained = self.frames.last().is_some_and(Frame::is_chain);
        let maps = intern!(self.py, "maps");
        let place = if chained { self.advance(place, Stride::Name(Obj::of(maps.as_any()))) } else { place };
        if let Some(frame) = self.frames.last_mut() {
            frame.rare.get_or_insert_default().place = place;
        }
    }

    /// Visits an object that nothing but its kind decides about any more.
    pub fn go_on(&mut self, obj: Obj) -> Result<Visit, Fault> {
        if !self.slow {
            return self.visit(obj);
        }
        match obj.exact() {
            Exact::Other => self.other(obj),
            Exact::List => self.open_carefully(obj, Source::List(obj), Build::List),
            Exact::Dict => self.open_carefully(obj, Source::Dict(obj, 0), Build::Map),
            Exact::Tuple => self.open_carefully(obj, Source::Tuple(obj), self.tuple_build()),
            exact => self.careful_scalar(obj, exact),
        }
    }

    /// What a tuple becomes.
    pub fn tuple_build(&self) -> Build {
        if self.native() { Build::TUPLE } else { Build::Row }
    }

    fn open_carefully(&mut self, obj: Obj, source: Source, build: Build) -> Result<Visit, Fault> {
        if self.path.holds(obj) {
            return self.back_edge(obj);
        }
        let length = || match build {
            Build::List => list_len(obj),
            Build::Map => dict_len(obj),
            _ => tuple_len(obj),
        };
        self.charge(obj, build, length())?;
        self.spend_containers(1)?;
        let count = length();
        let token = self.sink.open(build, count, 0)?;
        self.push(obj, source, build, count, token)?;
        Ok(Visit::Opened)
    }

    /// What an object is, whatever is done with it.
    pub fn kind_of(&mut self, obj: Obj) -> Result<u8, Fault> {
        Ok(match obj.exact() {
            Exact::Other => self.plan(obj)?.kind,
            Exact::List | Exact::Dict | Exact::Tuple => kinds::CONTAINER,
            Exact::Bytes => kinds::BINARY,
            _ => kinds::SCALAR,
        })
    }

    /// True for a str or bytes in which a secret is, where the policy redacts.
    pub fn is_secret_value(&self, obj: Obj) -> bool {
        self.redacts() && redact::holds_secret_obj(obj)
    }

    /// True for a key whose value is a secret by its name alone, where the policy redacts.
    pub fn is_secret_name(&self, key: Obj) -> bool {
        self.redacts() && redact::secret_key(key)
    }

    // Cutting.

    fn before(&self, value: Obj) -> Option<Before> {
        self.budget.limits.cut.then(|| Before {
            value: value.own(),
            frames: self.frames.len(),
            fields: self.arena.len(),
            position: self.sink.position(),
            hooks: self.hooks_open(),
            findings: self.findings.mark(),
        })
    }

    /// Leaves out a part that does not fit, if output is cut.
    fn cut_off(&mut self, before: Option<Before>, fault: Fault) -> Result<Visit, Fault> {
        let Some(before) = before else { return Err(fault) };
        let Fault::Limit(bound) = fault else { return Err(fault) };
        while self.frames.len() > before.frames {
            let build = self.frames[self.frames.len() - 1].build;
            self.close_frame(build);
        }
        self.drop_fields(before.fields);
        self.sink.truncate(before.position);
        self.close_hooks(before.hooks);
        self.findings.roll_back(&before.findings);
        self.element = None;
        let kind = self.kind_of(before.value.obj())?;
        self.note_cut(bound, kind, before.value.obj().ty())?;
        Ok(Visit::Gone)
    }

    /// Notes a part that does not fit, and ends the walk if nothing else will either.
    pub fn note_cut(&mut self, bound: Reached, kind: u8, ty: Ty) -> Result<(), Fault> {
        if matches!(bound, Reached::Nodes | Reached::Bytes) {
            self.stop();
        }
        self.note(kind, Action::Cut, ty, None)
    }

    /// Nothing but the end of what is open fits any more.
    #[cold]
    pub fn end_at(&mut self, bound: Reached) -> Result<(), Fault> {
        if !self.budget.limits.cut {
            return Err(bound.into());
        }
        self.stop();
        Ok(())
    }
}
