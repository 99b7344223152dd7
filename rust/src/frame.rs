//! One open container of the walk: where its parts come from, and what is known of it so far.

use std::sync::Arc;

use crate::array::step_of;
use crate::error::Fault;
use crate::ffi::{Obj, Owned, Ty, dict_len, dict_next, tuple_get};
use crate::guard::Hashes;
use crate::listed::Listed;
use crate::patterns::State;
use crate::report::{Mark, Node, Step};
use crate::sink::{Build, Parts};

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
    Items(Box<Rows>),
    /// Fields of an instance: where they begin and end in the arena.
    Fields(usize, usize),
}

/// Owned keys and values.
pub type Rows = Vec<(Owned, Owned)>;

/// One open container. It is written and read for each one, so it is kept small.
#[derive(Debug)]
pub struct Frame {
    pub source: Source,
    /// Parts already taken.
    pub at: usize,
    pub kept: usize,
    pub announced: usize,
    /// What the sink gave at the start.
    pub token: usize,
    /// Where the sink stood before the present entry of a mapping; the bound of a deque.
    pub entry: usize,
    /// The present key.
    pub key: Option<Obj>,
    pub rare: Option<Box<Rare>>,
    /// The path node of this container.
    pub node: Node,
    pub build: Build,
}

/// Keys of one mapping, from the first one on that is not plain.
#[derive(Debug)]
pub struct Seen {
    /// The clean keys themselves.
    pub set: Owned,
    /// How often each hash came.
    pub hashes: Hashes,
}

/// What few frames have.
#[derive(Debug, Default)]
pub struct Rare {
    /// Leave nothing and you were never there: the rule of opaque instances.
    pub opaque: Option<Opaque>,
    /// Keys already written, once one of them was not plain.
    pub keys: Option<Seen>,
    /// Keeps a temporary alive that only this frame knows.
    pub holds: Option<Owned>,
    /// Where the container stands in the patterns of the policy.
    pub place: State,
    /// Objects in whose place this container stands.
    pub hooks: usize,
    /// Elements of a set, which no path addresses any more.
    pub lowered: bool,
    /// The maps of a ChainMap, which are one step further.
    pub chain: bool,
    /// What the path adds for each part of an array: a tuple.
    pub names: Option<Owned>,
    /// The class this is rebuilt as.
    pub listed: Option<Rebuilt>,
}

/// What it takes to rebuild a listed instance, or to write it as what it holds.
#[derive(Debug)]
pub struct Rebuilt {
    pub class: Arc<Listed>,
    /// Where the sink stood before its name.
    pub start: usize,
    /// A field is gone that it cannot be rebuilt without.
    pub broken: bool,
    /// Its base storage is gone.
    pub lost: bool,
}

impl Rebuilt {
    /// A field is gone.
    pub fn note_gone(&mut self, field: FieldValue) {
        self.broken |= field.required;
        self.lost |= field.base;
    }

    /// The same, with these fields never reached.
    pub fn without<'a>(&self, fields: impl Iterator<Item = &'a FieldValue>) -> Self {
        let mut rest = Self { class: Arc::clone(&self.class), ..*self };
        fields.for_each(|field| rest.note_gone(*field));
        rest
    }
}

/// What it takes to undo an opaque instance.
#[derive(Debug)]
pub struct Opaque {
    pub ty: Ty,
    pub mark: Mark,
}

/// One field of an instance.
#[derive(Clone, Copy, Debug)]
pub struct FieldValue {
    pub name: Obj,
    pub value: Obj,
    /// A secret by its name or its shape, hidden behind a tombstone.
    pub masked: bool,
    /// The value is the instance itself, and its base storage is meant.
    pub base: bool,
    /// A listed class cannot be rebuilt without it.
    pub required: bool,
}

impl Frame {
    /// False for most frames: they can be forgotten where they lie.
    #[inline(always)]
    pub fn owns_something(&self) -> bool {
        self.rare.is_some() || matches!(self.source, Source::Items(_))
    }

    #[inline(always)]
    pub fn parts(&self) -> Parts {
        let bound = if self.build == Build::Deque { self.entry as u64 } else { 0 };
        Parts { token: self.token, announced: self.announced, kept: self.kept, bound }
    }

    #[inline(always)]
    pub fn knows_keys(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.keys.is_some())
    }

    /// True for the elements of a set written as a list.
    pub fn is_lowered(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.lowered)
    }

    /// True for the maps of a ChainMap.
    pub fn is_chain(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.chain)
    }

    /// True if the present part is the base storage of the same object.
    pub fn is_at_base(&self, arena: &[FieldValue]) -> bool {
        matches!(self.source, Source::Fields(start, _)
            if arena.get(start + self.at.saturating_sub(1)).is_some_and(|field| field.base))
    }

    /// Keys already written, once one of them was not plain.
    pub fn keys(&mut self) -> &mut Option<Seen> {
        &mut self.rare.get_or_insert_default().keys
    }

    #[inline(always)]
    pub fn is_special(&self) -> bool {
        matches!(self.source, Source::Fields(..)) || !matches!(self.build, Build::List | Build::Map | Build::TUPLE)
    }

    /// The keys of a mapping taken so far, before the present one. Only of a frame that owns its items.
    pub fn earlier_keys(&self) -> impl Iterator<Item = Obj> {
        let items: &[(Owned, Owned)] = if let Source::Items(items) = &self.source { items } else { &[] };
        items[..self.at.saturating_sub(1).min(items.len())].iter().map(|(key, _)| key.obj())
    }

    /// What the path adds for the present part; None for nothing.
    pub fn step(&self, arena: &[FieldValue]) -> Option<Step> {
        let at = self.at.saturating_sub(1);
        if let Some(names) = self.rare.as_ref().and_then(|rare| rare.names.as_ref()) {
            return tuple_get(names.obj(), at).and_then(step_of);
        }
        Some(match self.source {
            Source::List(_) | Source::Tuple(_) => Step::Index(at),
            Source::Fields(start, _) => Step::Key(arena[start + at].name.own()),
            _ => self.key.map_or(Step::Index(0), Step::of_key),
        })
    }
}

/// All items of a dict, owned.
pub fn snapshot(dict: Obj) -> Result<Vec<(Owned, Owned)>, Fault> {
    let mut items = Vec::new();
    items.try_reserve_exact(dict_len(dict)).map_err(|_| Fault::NoMemory)?;
    let mut position = 0;
    while let Some((key, value)) = dict_next(dict, &mut position) {
        items.push((key.own(), value.own()));
    }
    Ok(items)
}
