//! The walk: one loop over a heap stack of frames. It knows objects and plans, and nothing of what is written.
//!
//! Between two checkpoints everything is borrowed. [`Walk::checkpoint`] comes before any step that can let foreign
//! code in: every open frame then owns what it walks, dicts and instances as a snapshot of their items. What is
//! given up on the way goes to the graveyard, which is emptied when the walk is over.

use pyo3::prelude::*;

use crate::error::Fault;
use crate::extra::Extra;
use crate::ffi::{Entries, Exact, Obj, Owned, Quiet, Room, Spare, dict_next, forget_last, list_get, tuple_get};
use crate::frame::{FieldValue, Frame, Rare, Source};
use crate::guard::{Budget, Path};
use crate::keys::has_plain_form;
use crate::kind::{Action, kinds};
use crate::listed::Names;
use crate::plan::Plans;
use crate::policy::{Limits, Policy};
use crate::report::{Findings, Node};
use crate::runs::Run;
use crate::sink::{Build, Sink};

/// Elements between two looks at pending signals.
pub const SIGNALS_EVERY: usize = 1 << 16;
/// A node that has not been made yet.
pub const NO_NODE: Node = Node::MAX;

/// The frames of the last walk, all closed.
static SPARE: Spare<Frame> = Spare::new();
/// Frames that are kept for the next walk.
const SPARE_FRAMES: usize = 256;

/// What became of an object that was visited.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Visit {
    /// Written whole.
    Kept,
    /// Left out, and reported.
    Gone,
    /// A frame was opened for it; the loop goes on inside.
    Opened,
}

/// The options of a walk, lowered.
#[derive(Debug)]
pub struct Settings {
    pub policy: Policy,
    pub limits: Limits,
    /// Classes that are written by name.
    pub names: Option<Py<Names>>,
}

impl Settings {
    /// Those of a call without options.
    pub const DEFAULT: &Self = &Self { policy: Policy::DEFAULT, limits: Limits::DEFAULT, names: None };
}

/// The state of one walk.
pub struct Walk<'py, S: Sink> {
    pub py: Python<'py>,
    pub sink: S,
    pub policy: Policy,
    pub budget: Budget,
    pub findings: Findings,
    pub plans: Plans,
    pub path: Path,
    pub arena: Vec<FieldValue>,
    /// Room for the attributes of one instance.
    pub own: Vec<(Obj, Obj)>,
    pub frames: Vec<Frame>,
    pub depth: usize,
    /// Fields below this one are owned.
    pub fields_owned: usize,
    /// Objects kept alive until the walk is over.
    pub pins: Vec<Owned>,
    /// The type of the set element being lowered.
    pub element: Option<Owned>,
    /// Where the policy said raise.
    pub refused_at: Option<Node>,
    pub ticks: usize,
    pub quiet: Quiet,
    bytes_kept: bool,
    /// Rules and listed classes, if there are any.
    pub extra: Option<Box<Extra>>,
    /// Each part of a container is looked at on its own.
    pub slow: bool,
}

impl<'py, S: Sink> Walk<'py, S> {
    /// A walk that has not begun. Findings are only counted unless `report`.
    #[inline(always)]
    pub fn new(py: Python<'py>, sink: S, settings: &Settings, report: bool) -> Self {
        let (extra, slow) = Extra::of(py, settings);
        Self {
            py,
            sink,
            budget: Budget::new(settings.limits),
            findings: Findings::new(report),
            plans: Plans::default(),
            path: Path::new(py),
            arena: Vec::new(),
            own: Vec::new(),
            frames: SPARE.take(py),
            depth: 0,
            fields_owned: 0,
            pins: Vec::new(),
            element: None,
            refused_at: None,
            ticks: 0,
            quiet: Quiet::new(py),
            bytes_kept: settings.policy.action(kinds::BINARY) == Action::Keep,
            policy: settings.policy.clone_ref(py),
            extra,
            slow,
        }
    }

    /// Walks `top`; machinery at the top is nil. The error names the path where it happened.
    pub fn run(&mut self, top: Obj) -> PyResult<()> {
        self.walk(top).map_err(|fault| {
            self.quiet.lift();
            let node = self.refused_at.unwrap_or_else(|| self.here());
            let path = self.findings.render(self.py, node).ok();
            let error = fault.into_error(self.py, path.as_deref().unwrap_or("$"), &self.budget.limits);
            self.quiet.resume();
            error
        })
    }

    /// The findings, for a report.
    pub fn take_findings(&mut self) -> Findings {
        core::mem::replace(&mut self.findings, Findings::new(false))
    }

    fn walk(&mut self, top: Obj) -> Result<(), Fault> {
        let visit = if self.slow { self.careful_top(top)? } else { self.visit(top)? };
        if visit == Visit::Gone {
            self.nil()?;
        }
        while let Some(frame) = self.frames.last() {
            if self.slow {
                self.careful_step()?;
            } else if frame.build.is_map() {
                self.entries()?;
            } else {
                self.elements()?;
            }
        }
        Ok(())
    }

    pub fn nil(&mut self) -> Result<(), Fault> {
        let none = self.py.None();
        self.sink.plain(self.py, Obj::of(none.bind(self.py)), Exact::Nil, &self.budget)
    }

    /// Writes an object, or opens a frame for it.
    #[inline(always)]
    pub fn visit(&mut self, obj: Obj) -> Result<Visit, Fault> {
        self.visit_as(obj, obj.exact())
    }

    /// Writes an object whose exact type was looked at already, or opens a frame for it.
    #[inline(always)]
    fn visit_as(&mut self, obj: Obj, exact: Exact) -> Result<Visit, Fault> {
        match exact {
            Exact::List | Exact::Dict | Exact::Tuple => self.container(obj, exact),
            Exact::Other => self.other(obj),
            Exact::Bytes if !self.bytes_kept => self.other(obj),
            _ => {
                self.sink.plain(self.py, obj, exact, &self.budget)?;
                Ok(Visit::Kept)
            }
        }
    }

    /// Reports an object that is already open.
    #[cold]
    pub fn back_edge(&mut self, obj: Obj) -> Result<Visit, Fault> {
        self.note(kinds::CYCLE, Action::Drop, obj.ty(), None)?;
        Ok(Visit::Gone)
    }

    /// Opens a frame.
    pub fn open(&mut self, obj: Obj, source: Source, build: Build, count: usize) -> Result<(), Fault> {
        self.open_with(obj, source, (build, 0), count, None)
    }

    /// Opens a frame. `holds` keeps a temporary alive that only the frame knows; a deque has its bound beside it.
    pub fn open_with(
        &mut self,
        obj: Obj,
        source: Source,
        (build, bound): (Build, u64),
        count: usize,
        holds: Option<Owned>,
    ) -> Result<(), Fault> {
        self.charge(obj, build, count)?;
        self.spend_containers(build.levels())?;
        let token = self.sink.open(build, count, bound)?;
        let frame = self.push(obj, source, build, count, token)?;
        if holds.is_some() {
            frame.rare.get_or_insert_default().holds = holds;
        }
        frame.entry = usize::try_from(bound).unwrap_or(usize::MAX);
        Ok(())
    }

    /// Charges a container before it is opened.
    #[inline(always)]
    pub fn charge(&mut self, obj: Obj, build: Build, count: usize) -> Result<(), Fault> {
        self.budget.depth(self.depth + build.levels())?;
        self.budget.nodes(build.levels() as u64)?;
        self.ticks += count;
        if self.ticks >= SIGNALS_EVERY { self.look_for_signals(obj) } else { Ok(()) }
    }

    #[inline(always)]
    pub fn push(
        &mut self,
        obj: Obj,
        source: Source,
        build: Build,
        count: usize,
        token: usize,
    ) -> Result<&mut Frame, Fault> {
        self.enter(obj, build)?;
        self.frame(source, build, count, token)
    }

    /// Puts a container on the path.
    #[inline(always)]
    pub fn enter(&mut self, obj: Obj, build: Build) -> Result<(), Fault> {
        self.path.enter(obj)?;
        self.depth += build.levels();
        Ok(())
    }

    /// A frame at the start of a container that is on the path.
    #[inline(always)]
    pub fn frame(&mut self, source: Source, build: Build, count: usize, token: usize) -> Result<&mut Frame, Fault> {
        let room = Room::in_(&mut self.frames).ok_or(Fault::NoMemory)?;
        Ok(room.put(Frame {
            source,
            build,
            at: 0,
            announced: count,
            kept: 0,
            token,
            entry: 0,
            key: None,
            node: NO_NODE,
            rare: None,
        }))
    }

    /// Goes through lists and tuples, from one to the next inside or around it, until a mapping is on top.
    fn elements(&mut self) -> Result<(), Fault> {
        while let Some(frame) = self.frames.last().filter(|frame| !frame.build.is_map()) {
            let (top, start) = (self.frames.len() - 1, frame.at);
            let run = match frame.source {
                Source::List(list) => self.scalars(start, |at| list_get(list, at)),
                Source::Tuple(tuple) => self.scalars(start, |at| tuple_get(tuple, at)),
                _ => Run::ENDED,
            };
            let frame = &mut self.frames[top];
            frame.kept += run.count;
            frame.at += run.count + usize::from(!matches!(run.next, Ok(None)));
            let Some((item, exact)) = run.next? else {
                self.close()?;
                continue;
            };
            match self.visit_as(item, exact)? {
                Visit::Kept => self.frames[top].kept += 1,
                Visit::Gone => self.gone()?,
                Visit::Opened => {}
            }
        }
        Ok(())
    }

    /// Goes through mappings and instances, from one to the next inside or around it, until a sequence is on top.
    fn entries(&mut self) -> Result<(), Fault> {
        while self.frames.last().is_some_and(|frame| frame.build.is_map()) {
            let top = self.frames.len() - 1;
            let Some((key, value)) = self.next_entry(top)? else {
                self.close()?;
                continue;
            };
            let frame = &mut self.frames[top];
            frame.at += 1;
            frame.key = Some(key);
            frame.entry = self.sink.entry()?;
            match self.entry(top, key, value)? {
                Visit::Kept => self.frames[top].kept += 1,
                Visit::Gone => self.gone()?,
                Visit::Opened => {}
            }
        }
        Ok(())
    }

    /// The next entry of the top frame that is not written yet: scalars of an exact dict and of fields are, on the
    /// way to it.
    #[inline(always)]
    fn next_entry(&mut self, top: usize) -> Result<Option<(Obj, Obj)>, Fault> {
        let frame = &mut self.frames[top];
        let knows_keys = frame.knows_keys();
        Ok(match &mut frame.source {
            Source::Dict(dict, position) if !knows_keys => {
                let mut entries = Entries::from(*dict, *position);
                let run = self.pairs(&mut entries);
                let frame = &mut self.frames[top];
                frame.key = run.key;
                frame.at += run.count;
                frame.kept += run.count;
                if let Source::Dict(_, position) = &mut frame.source {
                    *position = entries.position();
                }
                run.next?.map(|entry| (entry.key, entry.value))
            }
            Source::Dict(dict, position) => dict_next(*dict, position),
            Source::Items(items) => items.get(frame.at).map(|(key, value)| (key.obj(), value.obj())),
            Source::Fields(start, end) => {
                let (at, end) = (*start + frame.at, *end);
                let (count, written) = if knows_keys { (0, Ok(())) } else { self.fields(at, end) };
                let frame = &mut self.frames[top];
                frame.kept += count;
                frame.at += count + usize::from(written.is_err());
                written?;
                self.arena[at + count..end].first().map(|field| (field.name, field.value))
            }
            _ => None,
        })
    }

    /// Writes one key and its value, or opens a frame for the value. Gone also if the key already was not written.
    #[inline(always)]
    fn entry(&mut self, top: usize, key: Obj, value: Obj) -> Result<Visit, Fault> {
        let frame = &self.frames[top];
        if frame.knows_keys() || !has_plain_form(key) {
            // The entry is owned from here on, so the borrowed value stays what it was.
            return if self.strange_key(key)?.is_some() { self.visit(value) } else { Ok(Visit::Gone) };
        }
        let (masked, base) = match frame.source {
            Source::Fields(start, _) => {
                let field = self.arena[start + frame.at - 1];
                (field.masked, field.base)
            }
            _ => (false, false),
        };
        self.sink.plain(self.py, key, key.exact(), &self.budget)?;
        if masked {
            return self.leave(value, kinds::SECRET, self.policy.action(kinds::SECRET));
        }
        if base { self.base_of(value) } else { self.visit(value) }
    }

    /// The present part of the top frame left nothing.
    #[cold]
    pub fn gone(&mut self) -> Result<(), Fault> {
        let Some(frame) = self.frames.last_mut() else { return self.nil() };
        if let (Some(Rare { listed: Some(rebuilt), .. }), Source::Fields(start, _)) =
            (frame.rare.as_deref_mut(), &frame.source)
        {
            rebuilt.note_gone(self.arena[start + frame.at - 1]);
        }
        if frame.build.keeps_positions() {
            if let Err(Fault::Limit(bound)) = self.spend(1) {
                return self.end_at(bound);
            }
            if let Some(frame) = self.frames.last_mut() {
                frame.kept += 1;
            }
            return self.nil();
        }
        if frame.build.is_map() {
            let entry = frame.entry;
            self.sink.truncate(entry);
        }
        Ok(())
    }

    /// Ends the top frame and tells the one below.
    #[inline(always)]
    pub fn close(&mut self) -> Result<(), Fault> {
        let Some(frame) = self.frames.last() else { return Ok(()) };
        let (build, parts, asks) = (frame.build, frame.parts(), S::BUILDS && frame.knows_keys());
        if frame.is_special() {
            return self.close_special();
        }
        self.close_frame(build);
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

    #[inline(always)]
    pub fn close_frame(&mut self, build: Build) {
        let top = self.frames.len() - 1;
        if self.frames[top].owns_something() {
            self.forget_hooks(top);
            self.frames.truncate(top);
        } else {
            forget_last(&mut self.frames);
        }
        self.path.leave();
        self.depth -= build.levels();
    }
}

impl<S: Sink> Drop for Walk<'_, S> {
    fn drop(&mut self) {
        self.drop_fields(0);
        self.path.end(self.py);
        self.frames.clear();
        SPARE.keep(self.py, core::mem::take(&mut self.frames), SPARE_FRAMES);
    }
}
