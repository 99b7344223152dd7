//! Where a place stands in the patterns of a policy: `siftpack.patterns`, one step at a time.
//!
//! A state is a set of positions in patterns. States are numbered as they turn up; number 0 is the empty one, from
//! which no pattern can be reached any more.

use std::collections::HashMap;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::ffi::{Exact, Int, Obj, int_value, same_name};
use crate::kind::Action;

/// One step of a pattern.
#[derive(Debug)]
pub enum Want {
    /// A field, or an entry under this str.
    Name(Py<PyAny>),
    /// A position.
    Index(usize),
    /// An entry under this int, float, bool or None.
    Key(Py<PyAny>),
    /// Any name.
    AnyName,
    /// Any position.
    AnyIndex,
    /// Any number of steps.
    Deep,
}

/// A pattern and the action it asks for.
#[derive(Debug)]
pub struct Pattern {
    steps: Vec<Want>,
    action: Action,
}

/// One step of a place.
#[derive(Clone, Copy, Debug)]
pub enum Stride {
    /// A name.
    Name(Obj),
    /// A position.
    Index(usize),
    /// A plain key that is no str.
    Key(Obj),
    /// A set element, or an entry under any other key.
    Other,
}

impl Stride {
    /// The step to the entry under a key.
    pub fn of_key(key: Obj) -> Self {
        match key.exact() {
            Exact::Str => Self::Name(key),
            _ if key.is_plain() => Self::Key(key),
            _ => Self::Other,
        }
    }
}

impl Pattern {
    /// From the rows that `siftpack.policy` gives.
    pub fn new(py: Python<'_>, steps: Vec<(u8, Py<PyAny>)>, action: u8) -> PyResult<Self> {
        let mut wants = Vec::with_capacity(steps.len());
        for (sort, value) in steps {
            wants.push(match sort {
                0 => Want::Name(value),
                1 => Want::Index(value.extract(py)?),
                2 => Want::Key(value),
                3 => Want::AnyName,
                4 => Want::AnyIndex,
                5 => Want::Deep,
                _ => return Err(PyValueError::new_err("unknown step of a path")),
            });
        }
        Ok(Self { steps: wants, action: Action::from_number(action) })
    }
}

impl Want {
    fn matches(&self, py: Python<'_>, step: Stride) -> bool {
        match (self, step) {
            (Self::AnyName, Stride::Name(_)) | (Self::AnyIndex, Stride::Index(_)) => true,
            (Self::Name(want), Stride::Name(name)) => same_name(Obj::of(want.bind(py)), name),
            (Self::Index(want), Stride::Index(at)) => *want == at,
            (Self::Key(want), Stride::Key(key)) => same_key(Obj::of(want.bind(py)), key),
            _ => false,
        }
    }
}

/// Two plain keys of one type that are equal, or both NaN.
fn same_key(want: Obj, key: Obj) -> bool {
    match (want.exact(), key.exact()) {
        (Exact::Int, Exact::Int) => match (int_value(want), int_value(key)) {
            (Int::Small(a), Int::Small(b)) => a == b,
            (Int::Large(a), Int::Large(b)) => a == b,
            (Int::Big(a), Int::Big(b)) => a == b,
            _ => false,
        },
        (Exact::Float, Exact::Float) => {
            let (a, b) = (want.float(), key.float());
            a.partial_cmp(&b).map_or(a.is_nan() && b.is_nan(), core::cmp::Ordering::is_eq)
        }
        _ => want == key,
    }
}

/// The number of a state.
pub type State = u32;
/// No pattern can be reached from here.
pub const NOWHERE: State = 0;

type Positions = Vec<(u32, u32)>;

/// The states met so far.
#[derive(Debug, Default)]
pub struct Places {
    states: Vec<Positions>,
    known: HashMap<Positions, State>,
}

impl Places {
    /// Where `$` stands.
    pub fn start(&mut self, patterns: &[Pattern]) -> State {
        let first = (0..).zip(patterns).map(|(number, _)| (number, 0)).collect();
        self.settled(patterns, first)
    }

    /// Where a place one step further stands.
    pub fn advance(&mut self, py: Python<'_>, patterns: &[Pattern], state: State, step: Stride) -> State {
        if state == NOWHERE {
            return NOWHERE;
        }
        let mut found = Positions::new();
        for &(number, at) in self.states.get(state as usize).into_iter().flatten() {
            let Some(steps) = patterns.get(number as usize).map(|pattern| &pattern.steps) else { continue };
            match steps.get(at as usize) {
                Some(Want::Deep) => {
                    found.push((number, at));
                    if at as usize + 1 == steps.len() {
                        found.push((number, at + 1));
                    }
                }
                Some(want) if want.matches(py, step) => found.push((number, at + 1)),
                _ => {}
            }
        }
        self.settled(patterns, found)
    }

    /// What the most specific pattern that ends here asks for.
    pub fn action(&self, patterns: &[Pattern], state: State) -> Option<Action> {
        self.states.get(state as usize)?.iter().find_map(|&(number, at)| {
            let pattern = patterns.get(number as usize)?;
            (at as usize == pattern.steps.len()).then_some(pattern.action)
        })
    }

    /// The number of a state: beyond each `**` in the middle, which may also be no step at all; without what a keep
    /// has overruled.
    fn settled(&mut self, patterns: &[Pattern], mut found: Positions) -> State {
        for at in 0..found.len() {
            let (number, mut position) = found[at];
            let Some(steps) = patterns.get(number as usize).map(|pattern| &pattern.steps) else { continue };
            while position as usize + 1 < steps.len() && matches!(steps[position as usize], Want::Deep) {
                position += 1;
                found.push((number, position));
            }
        }
        found.sort_unstable();
        found.dedup();
        let ends = |position: &&(u32, u32)| {
            patterns.get(position.0 as usize).is_some_and(|pattern| pattern.steps.len() == position.1 as usize)
        };
        if let Some(&(kept, _)) = found.iter().find(ends)
            && patterns.get(kept as usize).is_some_and(|pattern| pattern.action == Action::Keep)
        {
            found.retain(|position| position.0 <= kept);
        }
        if self.states.is_empty() {
            self.states.push(Positions::new());
            self.known.insert(Positions::new(), NOWHERE);
        }
        if let Some(state) = self.known.get(&found) {
            return *state;
        }
        let state = State::try_from(self.states.len()).unwrap_or(NOWHERE);
        self.states.push(found.clone());
        self.known.insert(found, state);
        state
    }
}
