//! What a walk needs beyond the action of each kind: most walks need none of it.

use std::collections::{HashMap, HashSet};

use pyo3::prelude::*;

use crate::error::{Fault, Reached};
use crate::ffi::Obj;
use crate::guard::ByAddress;
use crate::kind::Action;
use crate::listed::Names;
use crate::patterns::{NOWHERE, Pattern, Places, State, Stride};
use crate::policy::{Mode, Rules};
use crate::sink::Sink;
use crate::walk::{Settings, Walk};

/// Bytes that a container counts while output is cut: `siftpack.policy.CONTAINER_BYTES`.
const CONTAINER_BYTES: usize = 16;

/// Rules, listed classes, and where the walk stands in them.
#[derive(Debug, Default)]
pub struct Extra {
    rules: Option<Py<Rules>>,
    pub names: Option<Py<Names>>,
    places: Places,
    /// Where the object being visited stands in the patterns.
    pub place: State,
    /// A path says to keep the object being visited.
    pub forced: bool,
    /// Nodes or bytes are used up and the rest is left out.
    pub stopped: bool,
    /// Bytes of output, counted when cutting.
    spent: usize,
    /// Objects in whose place something else is walked now.
    pub hooked: Hooked,
    /// Exception groups inside one another that are looked at ahead.
    pub groups: usize,
    /// What is known of exception groups by their address; each is kept alive by the walk.
    pub heights: HashMap<usize, Height, ByAddress>,
}

/// Whether an exception group comes back as itself, which depends on the groups around it.
#[derive(Clone, Copy, Debug)]
pub enum Height {
    /// It does where so many more groups, itself among them, may still be inside one another.
    Known(usize),
    /// It does not with so many groups around it.
    Fails(usize),
}

/// Objects in whose place a hook gave something that is open now; each is kept alive by the walk.
#[derive(Debug, Default)]
pub struct Hooked {
    open: Vec<usize>,
    known: HashSet<usize, ByAddress>,
}

impl Hooked {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// True if something stands in this object's place already.
    pub fn holds(&self, obj: Obj) -> bool {
        self.known.contains(&obj.id())
    }

    /// One more.
    pub fn push(&mut self, obj: Obj) {
        self.open.push(obj.id());
        self.known.insert(obj.id());
    }

    /// Back to as many as there were.
    pub fn truncate(&mut self, count: usize) {
        while self.open.len() > count {
            if let Some(id) = self.open.pop() {
                self.known.remove(&id);
            }
        }
    }
}

impl Extra {
    /// What a call needs, and whether each part of a container has to be looked at on its own.
    #[inline(always)]
    pub fn of(py: Python<'_>, settings: &Settings) -> (Option<Box<Self>>, bool) {
        if settings.policy.rules.is_none() && settings.names.is_none() && !settings.limits.cut {
            return (None, false);
        }
        Self::needed(py, settings)
    }

    #[cold]
    fn needed(py: Python<'_>, settings: &Settings) -> (Option<Box<Self>>, bool) {
        let rules = settings.policy.rules.as_ref().map(|rules| rules.clone_ref(py));
        let names = settings.names.as_ref().map(|names| names.clone_ref(py));
        let slow = settings.limits.cut || rules.as_ref().is_some_and(|rules| rules.get().are_slow());
        let mut extra = Self { rules, names, ..Self::default() };
        extra.place = extra.rules.as_ref().map_or(NOWHERE, |rules| extra.places.start(&rules.get().patterns));
        (Some(Box::new(extra)), slow)
    }

    fn patterns(rules: Option<&Py<Rules>>) -> &[Pattern] {
        rules.map_or(&[], |rules| &rules.get().patterns)
    }
}

impl<S: Sink> Walk<'_, S> {
    /// The rules of the policy, if it has any.
    pub fn rules(&self) -> Option<&Rules> {
        Some(self.extra.as_ref()?.rules.as_ref()?.get())
    }

    /// What values are written as.
    pub fn mode(&self) -> Mode {
        if self.slow { self.rules().map_or(Mode::Native, |rules| rules.mode) } else { Mode::Native }
    }

    /// True if every type is written as itself.
    pub fn native(&self) -> bool {
        self.mode() == Mode::Native
    }

    /// True if secrets are masked everywhere.
    pub fn redacts(&self) -> bool {
        self.slow && self.rules().is_some_and(|rules| rules.redact)
    }

    /// True if a finding of any kind is an error.
    pub fn is_strict(&self) -> bool {
        self.rules().is_some_and(|rules| rules.strict)
    }

    /// Where a place one step below another one stands.
    pub fn advance(&mut self, from: State, step: Stride) -> State {
        let Some(extra) = self.extra.as_deref_mut().filter(|_| from != NOWHERE) else { return NOWHERE };
        extra.places.advance(self.py, Extra::patterns(extra.rules.as_ref()), from, step)
    }

    /// What a path asks for at a place.
    pub fn asked(&self, place: State) -> Option<Action> {
        let extra = self.extra.as_deref().filter(|_| place != NOWHERE)?;
        extra.places.action(Extra::patterns(extra.rules.as_ref()), place)
    }

    /// Where the object being visited stands.
    pub fn place(&self) -> State {
        self.extra.as_ref().map_or(NOWHERE, |extra| extra.place)
    }

    /// The object about to be visited stands here, and is kept whatever its kind if `forced`.
    pub fn stand(&mut self, place: State, forced: bool) {
        if let Some(extra) = &mut self.extra {
            (extra.place, extra.forced) = (place, forced);
        }
    }

    /// True if a path says to keep the object being visited.
    pub fn forced(&self) -> bool {
        self.slow && self.extra.as_ref().is_some_and(|extra| extra.forced)
    }

    /// True if the rest is left out.
    pub fn stopped(&self) -> bool {
        self.extra.as_ref().is_some_and(|extra| extra.stopped)
    }

    /// From here on the rest is left out.
    pub fn stop(&mut self) {
        self.findings.is_cut = true;
        self.extra.get_or_insert_default().stopped = true;
    }

    /// Spends bytes of output, which are only counted when cutting.
    pub fn spend(&mut self, size: usize) -> Result<(), Fault> {
        if self.budget.limits.cut
            && let Some(extra) = &mut self.extra
        {
            extra.spent = extra.spent.saturating_add(size);
            if extra.spent > self.budget.limits.bytes {
                return Err(Reached::Bytes.into());
            }
        }
        Ok(())
    }

    /// Spends the bytes of so many containers.
    pub fn spend_containers(&mut self, count: usize) -> Result<(), Fault> {
        self.spend(CONTAINER_BYTES * count)
    }

    /// Objects in whose place something else is open.
    pub fn hooks_open(&self) -> usize {
        self.extra.as_ref().map_or(0, |extra| extra.hooked.len())
    }

    /// What stood in the place of the objects hooked since is done.
    pub fn close_hooks(&mut self, count: usize) {
        if let Some(extra) = &mut self.extra {
            extra.hooked.truncate(count);
        }
    }
}
