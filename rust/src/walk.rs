//! The walk: one loop over a heap stack of frames. It knows objects and plans, and nothing of what is written.
//!
//! Between two checkpoints everything is borrowed. [`Walk::checkpoint`] comes before any step that can let foreign
//! code in: every open frame then owns what it walks, dicts and instances as a snapshot of their items. What is
//! given up on the way goes to the graveyard, which is emptied when the walk is over.

use std::rc::Rc;

use pyo3::prelude::*;

use crate::error::Fault;
use crate::ffi::{
    Exact, GilCell, Obj, Owned, Quiet, Ty, dict_len, dict_next, list_get, list_len, tuple_get, tuple_len,
};
use crate::guard::{Budget, Path};
use crate::keys::{Seen, has_plain_form};
use crate::kind::{Action, kind};
use crate::plan::{Plan, Plans};
use crate::policy::{Limits, Policy};
use crate::report::{Findings, Mark, Node, ROOT, Step};
use crate::sink::{Build, Parts, Sink};

/// Elements between two looks at pending signals.
const SIGNALS_EVERY: usize = 1 << 16;
/// A node that has not been made yet.
const NO_NODE: Node = Node::MAX;

/// The frames of the last walk, all closed: most walks need no memory of their own.
static SPARE: GilCell<Option<Vec<Frame>>> = GilCell::new(None);
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

/// Where a frame's parts come from.
#[derive(Debug)]
pub enum Source {
    /// A list by its live length.
    List(Obj),
    /// A tuple.
    Tuple(Obj),
    /// A dict and the position in it; until the next checkpoint.
    Dict(Obj, isize),
    /// Owned items of a mapping.
    Items(Box<Vec<(Owned, Owned)>>),
    /// Fields of an instance: where they begin and end in the arena.
    Fields(usize, usize),
}

/// One open container. It is written and read for each one, so it is kept small.
#[derive(Debug)]
pub struct Frame {
    source: Source,
    /// Parts already taken.
    at: usize,
    kept: usize,
    announced: usize,
    /// What the sink gave at the start.
    token: usize,
    /// Where the sink stood before the present entry of a mapping; the bound of a deque.
    entry: usize,
    /// The present key.
    key: Option<Obj>,
    /// Keeps the container alive, from the first checkpoint on.
    holds: Option<Owned>,
    rare: Option<Box<Rare>>,
    /// The path node of this container.
    node: Node,
    build: Build,
}

/// What few frames have.
#[derive(Debug, Default)]
struct Rare {
    /// Leave nothing and you were never there: the rule of opaque instances.
    opaque: Option<Opaque>,
    /// Keys already written, once one of them was not plain.
    keys: Option<Seen>,
}

/// What it takes to undo an opaque instance.
#[derive(Debug)]
pub struct Opaque {
    pub ty: Ty,
    pub mark: Mark,
    pub holds: Option<Owned>,
}

/// A stretch of scalars that was written.
struct Run<T> {
    count: usize,
    /// Where a dict goes on.
    position: isize,
    /// The key at which it failed.
    key: Option<Obj>,
    /// The first part that is no scalar, or None at the end.
    next: Result<Option<T>, Fault>,
}

/// One field of an instance: name, value, and whether it is masked.
#[derive(Clone, Copy, Debug)]
pub struct FieldValue {
    pub name: Obj,
    pub value: Obj,
    pub secret: bool,
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
    frames: Vec<Frame>,
    depth: usize,
    /// Frames below this one own what they walk; fields below this one are owned.
    owned: usize,
    fields_owned: usize,
    /// Objects kept alive until the walk is over.
    pins: Vec<Owned>,
    /// The type of the set element being lowered.
    pub element: Option<Ty>,
    /// Where the policy said raise.
    refused_at: Option<Node>,
    ticks: usize,
    quiet: Quiet,
    bytes_kept: bool,
}

impl<'py, S: Sink> Walk<'py, S> {
    /// A walk that has not begun. Findings are only counted unless `report`.
    pub fn new(py: Python<'py>, sink: S, policy: Policy, limits: Limits, report: bool) -> Self {
        Self {
            py,
            sink,
            budget: Budget::new(limits),
            findings: Findings::new(report),
            plans: Plans::default(),
            path: Path::default(),
            arena: Vec::new(),
            frames: SPARE.with(py, Option::take).unwrap_or_default(),
            depth: 0,
            owned: 0,
            fields_owned: 0,
            pins: Vec::new(),
            element: None,
            refused_at: None,
            ticks: 0,
            quiet: Quiet::new(py),
            bytes_kept: policy.action(kind::BINARY) == Action::Keep,
            policy,
        }
    }

    /// Walks `top`; machinery at the top is nil. The error names the path where it happened.
    pub fn run(&mut self, top: Obj) -> PyResult<()> {
        self.walk(top).map_err(|fault| {
            self.quiet.lift();
            let node = self.refused_at.map_or_else(|| self.here(), Ok);
            let path = node.ok().and_then(|node| self.findings.render(self.py, node).ok());
            let error = fault.into_error(self.py, path.as_deref().unwrap_or("$"), &self.budget.limits);
            self.quiet.resume();
            error
        })
    }

    /// The sink and the findings; everything else is given up.
    pub fn finish(mut self) -> (S, Findings) {
        self.drop_fields(0);
        self.frames.clear();
        if self.frames.capacity() <= SPARE_FRAMES {
            let frames = core::mem::take(&mut self.frames);
            SPARE.with(self.py, |spare| *spare = Some(frames));
        }
        (self.sink, self.findings)
    }

    fn walk(&mut self, top: Obj) -> Result<(), Fault> {
        if self.visit(top)? == Visit::Gone {
            self.nil()?;
        }
        while let Some(frame) = self.frames.last() {
            match frame.build {
                Build::Map | Build::TaggedMap(_) => self.entries()?,
                _ => self.elements()?,
            }
        }
        Ok(())
    }

    fn nil(&mut self) -> Result<(), Fault> {
        let none = self.py.None();
        self.sink.plain(self.py, Obj::of(none.bind(self.py)), Exact::Nil, &self.budget)
    }

    /// Writes an object, or opens a frame for it.
    #[inline(always)]
    pub fn visit(&mut self, obj: Obj) -> Result<Visit, Fault> {
        let exact = obj.exact();
        match exact {
            Exact::List => self.open_sequence(obj, Build::List),
            Exact::Dict => self.open_dict(obj),
            Exact::Tuple => self.open_sequence(obj, Build::TUPLE),
            Exact::Other => self.other(obj),
            Exact::Bytes if !self.bytes_kept => self.other(obj),
            _ => {
                self.sink.plain(self.py, obj, exact, &self.budget)?;
                Ok(Visit::Kept)
            }
        }
    }

    /// Writes a dict, if it holds scalars only; else opens a frame at the first entry that is none.
    #[inline(always)]
    fn open_dict(&mut self, dict: Obj) -> Result<Visit, Fault> {
        if self.path.holds(dict.id()) {
            return self.back_edge(dict);
        }
        self.charge(dict, Build::Map, dict_len(dict))?;
        let count = dict_len(dict);
        let token = self.sink.open(Build::Map, count, 0)?;
        let run = self.pairs(dict, 0);
        if matches!(run.next, Ok(None)) {
            let parts = Parts { token, announced: count, kept: run.count, bound: 0 };
            self.sink.close(self.py, Build::Map, parts)?;
            return Ok(Visit::Kept);
        }
        let frame = self.push(dict, Source::Dict(dict, run.position), Build::Map, count, token)?;
        (frame.at, frame.kept, frame.key) = (run.count, run.count, run.key);
        run.next.map(|_| Visit::Opened)
    }

    /// Writes a list or tuple, if it holds scalars only; else opens a frame at the first element that is none.
    #[inline(always)]
    fn open_sequence(&mut self, obj: Obj, build: Build) -> Result<Visit, Fault> {
        if self.path.holds(obj.id()) {
            return self.back_edge(obj);
        }
        let length = |obj| if build == Build::List { list_len(obj) } else { tuple_len(obj) };
        self.charge(obj, build, length(obj))?;
        let count = length(obj);
        let token = self.sink.open(build, count, 0)?;
        let (run, source) = match build {
            Build::List => (self.scalars(0, |at| list_get(obj, at)), Source::List(obj)),
            _ => (self.scalars(0, |at| tuple_get(obj, at)), Source::Tuple(obj)),
        };
        if matches!(run.next, Ok(None)) {
            let parts = Parts { token, announced: count, kept: run.count, bound: 0 };
            self.sink.close(self.py, build, parts)?;
            return Ok(Visit::Kept);
        }
        let failed = usize::from(run.next.is_err());
        let frame = self.push(obj, source, build, count, token)?;
        (frame.at, frame.kept) = (run.count + failed, run.count);
        run.next.map(|_| Visit::Opened)
    }

    /// Reports an object that is already open.
    #[cold]
    pub fn back_edge(&mut self, obj: Obj) -> Result<Visit, Fault> {
        self.note(kind::CYCLE, Action::Drop, obj.ty(), None)?;
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
        let token = self.sink.open(build, count, bound)?;
        let frame = self.push(obj, source, build, count, token)?;
        frame.holds = holds;
        frame.entry = usize::try_from(bound).unwrap_or(usize::MAX);
        Ok(())
    }

    /// Charges a container before it is opened.
    #[inline(always)]
    fn charge(&mut self, obj: Obj, build: Build, count: usize) -> Result<(), Fault> {
        self.budget.depth(self.depth + build.levels())?;
        self.budget.nodes(build.levels() as u64)?;
        self.budget.parts(count)?;
        self.ticks += count;
        if self.ticks >= SIGNALS_EVERY { self.look_for_signals(obj) } else { Ok(()) }
    }

    #[inline(always)]
    fn push(
        &mut self,
        obj: Obj,
        source: Source,
        build: Build,
        count: usize,
        token: usize,
    ) -> Result<&mut Frame, Fault> {
        self.path.enter(obj.id())?;
        self.depth += build.levels();
        if self.frames.len() == self.frames.capacity() {
            self.frames.try_reserve(self.frames.len().max(16)).map_err(|_| Fault::NoMemory)?;
        }
        self.frames.push(Frame {
            source,
            build,
            at: 0,
            announced: count,
            kept: 0,
            token,
            entry: 0,
            key: None,
            node: NO_NODE,
            holds: None,
            rare: None,
        });
        let top = self.frames.len() - 1;
        Ok(&mut self.frames[top])
    }

    #[cold]
    fn look_for_signals(&mut self, obj: Obj) -> Result<(), Fault> {
        self.ticks = 0;
        self.pin(obj);
        self.foreign(|py| py.check_signals())?;
        Ok(())
    }

    /// Goes through a list or tuple until it ends or a child is opened.
    fn elements(&mut self) -> Result<(), Fault> {
        let top = self.frames.len() - 1;
        loop {
            let start = self.frames[top].at;
            let run = match self.frames[top].source {
                Source::List(list) => self.scalars(start, |at| list_get(list, at)),
                Source::Tuple(tuple) => self.scalars(start, |at| tuple_get(tuple, at)),
                _ => return self.close(),
            };
            let frame = &mut self.frames[top];
            frame.kept += run.count;
            frame.at += run.count + usize::from(!matches!(run.next, Ok(None)));
            let Some(item) = run.next? else { return self.close() };
            match self.visit(item)? {
                Visit::Kept => self.frames[top].kept += 1,
                Visit::Gone => self.gone()?,
                Visit::Opened => return Ok(()),
            }
        }
    }

    /// Writes elements as long as they are scalars.
    #[inline(always)]
    fn scalars(&mut self, start: usize, get: impl Fn(usize) -> Option<Obj>) -> Run<Obj> {
        let mut at = start;
        let next = loop {
            let Some(item) = get(at) else { break Ok(None) };
            let exact = item.exact();
            if !exact.is_scalar() {
                break Ok(Some(item));
            }
            if let Err(fault) = self.sink.plain(self.py, item, exact, &self.budget) {
                break Err(fault);
            }
            at += 1;
        };
        Run { count: at - start, position: 0, key: None, next }
    }

    /// Goes through the entries of a mapping or the fields of an instance until they end or a child is opened.
    fn entries(&mut self) -> Result<(), Fault> {
        let top = self.frames.len() - 1;
        loop {
            let frame = &mut self.frames[top];
            let knows_keys = frame.knows_keys();
            let next = match &mut frame.source {
                Source::Dict(dict, position) if !knows_keys => {
                    let (dict, position) = (*dict, *position);
                    let run = self.pairs(dict, position);
                    let frame = &mut self.frames[top];
                    (frame.source, frame.key) = (Source::Dict(dict, run.position), run.key);
                    frame.at += run.count;
                    frame.kept += run.count;
                    if run.next?.is_none() {
                        return self.close();
                    }
                    let Source::Dict(dict, position) = &mut self.frames[top].source else { continue };
                    dict_next(*dict, position)
                }
                Source::Dict(dict, position) => dict_next(*dict, position),
                Source::Items(items) => items.get(frame.at).map(|(key, value)| (key.obj(), value.obj())),
                Source::Fields(start, end) => {
                    let at = *start + frame.at;
                    (at < *end).then(|| (self.arena[at].name, self.arena[at].value))
                }
                _ => None,
            };
            let Some((key, value)) = next else { return self.close() };
            let frame = &mut self.frames[top];
            frame.at += 1;
            frame.key = Some(key);
            frame.entry = self.sink.position();
            match self.entry(top, key, value)? {
                Visit::Kept => self.frames[top].kept += 1,
                Visit::Gone => self.gone()?,
                Visit::Opened => return Ok(()),
            }
        }
    }

    /// Writes entries of a dict as long as keys and values are scalars; stops before the first that is not.
    #[inline(always)]
    fn pairs(&mut self, dict: Obj, start: isize) -> Run<()> {
        let (mut count, mut position) = (0, start);
        let mut before = position;
        let (mut last, next) = (None, loop {
            let Some((key, value)) = dict_next(dict, &mut position) else { break Ok(None) };
            let exact = value.exact();
            if !exact.is_scalar() || !has_plain_form(key) {
                break Ok(Some(()));
            }
            let written = self.sink.plain(self.py, key, key.exact(), &self.budget);
            if let Err(fault) = written.and_then(|()| self.sink.plain(self.py, value, exact, &self.budget)) {
                break Err((fault, key));
            }
            count += 1;
            before = position;
        });
        let next = next.map_err(|(fault, key)| {
            last = Some(key);
            fault
        });
        Run { count, position: before, key: last, next }
    }

    /// Writes one key and its value, or opens a frame for the value. Gone also if the key already was not written.
    #[inline(always)]
    fn entry(&mut self, top: usize, key: Obj, value: Obj) -> Result<Visit, Fault> {
        let frame = &self.frames[top];
        if frame.knows_keys() || !has_plain_form(key) {
            // The entry is owned from here on, so the borrowed value stays what it was.
            return if self.strange_key(key)? { self.visit(value) } else { Ok(Visit::Gone) };
        }
        let masked = match frame.source {
            Source::Fields(start, _) => self.arena[start + frame.at - 1].is_masked(),
            _ => false,
        };
        self.sink.plain(self.py, key, key.exact(), &self.budget)?;
        if masked { self.leave(value, kind::SECRET, self.policy.action(kind::SECRET)) } else { self.visit(value) }
    }

    /// The present part of the top frame left nothing.
    #[cold]
    fn gone(&mut self) -> Result<(), Fault> {
        let Some(frame) = self.frames.last_mut() else { return self.nil() };
        if frame.build.keeps_positions() {
            frame.kept += 1;
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
    fn close(&mut self) -> Result<(), Fault> {
        let Some(frame) = self.frames.last() else { return Ok(()) };
        let (build, parts) = (frame.build, frame.parts());
        if frame.is_special() {
            return self.close_special();
        }
        self.close_frame(build);
        self.sink.close(self.py, build, parts)?;
        if let Some(below) = self.frames.last_mut() {
            below.kept += 1;
        }
        Ok(())
    }

    #[inline(always)]
    fn close_frame(&mut self, build: Build) {
        let top = self.frames.len() - 1;
        self.frames.truncate(top);
        self.path.leave();
        self.depth -= build.levels();
        self.owned = self.owned.min(top);
    }

    /// Ends a frame that has fields on the arena, may vanish, or is built by Python.
    #[inline(never)]
    fn close_special(&mut self) -> Result<(), Fault> {
        let Some(frame) = self.frames.last_mut() else { return Ok(()) };
        let (build, parts) = (frame.build, frame.parts());
        let undo = frame.rare.take().and_then(|rare| rare.opaque).filter(|_| parts.kept == 0);
        if let Source::Fields(start, _) = frame.source {
            self.drop_fields(start);
        }
        self.close_frame(build);
        if let Some(undo) = undo {
            self.sink.truncate(parts.token);
            self.findings.roll_back(&undo.mark);
            self.note(kind::OPAQUE, Action::Drop, undo.ty, None)?;
            return self.gone();
        }
        if S::BUILDS && !matches!(build, Build::List | Build::Map | Build::TUPLE) {
            self.checkpoint()?;
        }
        self.sink.close(self.py, build, parts)?;
        if let Some(below) = self.frames.last_mut() {
            below.kept += 1;
        }
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

    // Checkpoints.

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
        for frame in &mut self.frames[self.owned..] {
            match frame.source {
                Source::List(obj) | Source::Tuple(obj) if frame.holds.is_none() => frame.holds = Some(obj.own()),
                Source::Dict(dict, _) => {
                    frame.source = Source::Items(Box::new(snapshot(dict)?));
                    if let (Some(_), Source::Items(items)) = (frame.key, &frame.source) {
                        frame.key = items.get(frame.at.wrapping_sub(1)).map(|(key, _)| key.obj());
                    }
                    frame.holds.get_or_insert_with(|| dict.own());
                }
                _ => {}
            }
            if let Some(opaque) = frame.rare.as_mut().and_then(|rare| rare.opaque.as_mut()) {
                opaque.holds.get_or_insert_with(|| opaque.ty.as_obj().own());
            }
        }
        self.owned = self.frames.len();
        for field in &self.arena[self.fields_owned..] {
            core::mem::forget(field.name.own());
            core::mem::forget(field.value.own());
        }
        self.fields_owned = self.arena.len();
        Ok(())
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

    // Findings.

    /// Notes a finding at the object being visited, or at a step below it.
    pub fn note(&mut self, kind: u8, action: Action, ty: Ty, below: Option<Step>) -> Result<(), Fault> {
        let raises = action != Action::Converted && self.policy.action(kind) == Action::Raise;
        let mut node = None;
        if self.findings.wants_place() || raises {
            let here = self.here()?;
            node = Some(match below {
                Some(step) => self.findings.node(here, step),
                None => here,
            });
        }
        self.note_at(node, kind, action, ty)
    }

    /// Notes a finding at a node.
    pub fn note_at(&mut self, node: Option<Node>, kind: u8, action: Action, ty: Ty) -> Result<(), Fault> {
        if action != Action::Converted && self.policy.action(kind) == Action::Raise {
            self.refused_at = node;
            return Err(Fault::Refused(Box::new((kind, ty.as_obj().own().into_py(self.py)))));
        }
        self.findings.add(node.filter(|_| self.findings.wants_place()), kind, action, ty);
        Ok(self.budget.nodes(1)?)
    }

    /// The path node of the object being visited.
    pub fn here(&mut self) -> Result<Node, Fault> {
        let Some(top) = self.frames.len().checked_sub(1) else {
            return Ok(match self.element {
                Some(ty) => self.findings.node(ROOT, Step::Type(ty.as_obj().own())),
                None => ROOT,
            });
        };
        let mut from = top;
        while from > 0 && self.frames[from].node == NO_NODE {
            from -= 1;
        }
        if self.frames[0].node == NO_NODE {
            self.frames[0].node = ROOT;
        }
        for at in from + 1..=top {
            let step = self.frames[at - 1].step(&self.arena);
            self.frames[at].node = self.findings.node(self.frames[at - 1].node, step);
        }
        let step = self.frames[top].step(&self.arena);
        let place = self.findings.node(self.frames[top].node, step);
        Ok(match self.element {
            Some(ty) => self.findings.node(place, Step::Type(ty.as_obj().own())),
            None => place,
        })
    }

    /// Gives the frame just opened a path node of its own.
    pub fn set_node(&mut self, node: Node) {
        if let Some(frame) = self.frames.last_mut() {
            frame.node = node;
        }
    }

    /// The frame on top.
    pub fn top(&mut self) -> Option<&mut Frame> {
        self.frames.last_mut()
    }

    /// Containers open now.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Sets what undoes the opaque frame just opened.
    pub fn make_opaque(&mut self, opaque: Opaque) {
        if let Some(frame) = self.frames.last_mut() {
            frame.rare.get_or_insert_default().opaque = Some(opaque);
        }
    }
}

impl FieldValue {
    /// True if the value is hidden behind a tombstone; None and bools hide nothing.
    pub fn is_masked(&self) -> bool {
        self.secret && !matches!(self.value.exact(), Exact::Nil | Exact::Bool)
    }
}

impl Frame {
    #[inline(always)]
    fn parts(&self) -> Parts {
        let bound = if self.build == Build::Deque { self.entry as u64 } else { 0 };
        Parts { token: self.token, announced: self.announced, kept: self.kept, bound }
    }

    #[inline(always)]
    fn knows_keys(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.keys.is_some())
    }

    /// Keys already written, once one of them was not plain.
    pub fn keys(&mut self) -> &mut Option<Seen> {
        &mut self.rare.get_or_insert_default().keys
    }

    #[inline(always)]
    fn is_special(&self) -> bool {
        matches!(self.source, Source::Fields(..)) || !matches!(self.build, Build::List | Build::Map | Build::TUPLE)
    }

    /// The keys of a mapping taken so far, before the present one. Only of a frame that owns its items.
    pub fn earlier_keys(&self) -> impl Iterator<Item = Obj> {
        let items: &[(Owned, Owned)] = if let Source::Items(items) = &self.source { items } else { &[] };
        items[..self.at.saturating_sub(1).min(items.len())].iter().map(|(key, _)| key.obj())
    }

    fn step(&self, arena: &[FieldValue]) -> Step {
        match self.source {
            Source::List(_) | Source::Tuple(_) => Step::Index(self.at.saturating_sub(1)),
            Source::Fields(start, _) => Step::Key(arena[start + self.at.saturating_sub(1)].name.own()),
            _ => self.key.map_or(Step::Index(0), Step::of_key),
        }
    }
}

/// All items of a dict, owned.
fn snapshot(dict: Obj) -> Result<Vec<(Owned, Owned)>, Fault> {
    let mut items = Vec::new();
    items.try_reserve_exact(dict_len(dict)).map_err(|_| Fault::NoMemory)?;
    let mut position = 0;
    while let Some((key, value)) = dict_next(dict, &mut position) {
        items.push((key.own(), value.own()));
    }
    Ok(items)
}
