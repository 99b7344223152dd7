//! Sets: their elements lowered, in canonical order, equal ones once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use pyo3::prelude::*;

use crate::error::Fault;
use crate::ffi::{Obj, Owned, new_set, owned_list, set_items};
use crate::foreign::Bridge;
use crate::frame::Source;
use crate::guard::Hashes;
use crate::keys::{Place, has_plain_form};
use crate::kind::{Action, kinds};
use crate::patterns::{State, Stride};
use crate::sink::{Build, Lowered, Sink};
use crate::walk::{Visit, Walk};

impl<S: Sink> Walk<'_, S> {
    /// Writes a set or frozenset in canonical order; where there are no sets, a list of its elements.
    pub fn set(&mut self, set: Obj, frozen: bool) -> Result<Visit, Fault> {
        let depth = self.depth + 1;
        self.budget.depth(depth)?;
        self.budget.nodes(1)?;
        self.spend_containers(1)?;
        let mut items = Vec::new();
        set_items(set, |item| items.push(item.own()));
        self.budget.parts(items.len())?;
        let parts = if !self.slow && items.iter().all(|item| has_plain_form(item.obj())) {
            let mut parts = Vec::new();
            for item in &items {
                self.budget.check(item.obj(), item.obj().exact())?;
                parts.push(self.written(item.obj())?);
            }
            parts.sort_by(|left, right| left.bytes.cmp(&right.bytes));
            parts
        } else {
            self.checkpoint()?;
            self.pin(set);
            let (asked, place) = self.asked_of_elements();
            self.path.enter(set)?;
            let parts = self.unordered(items, Place { depth, inside: 0 }, asked);
            self.path.leave();
            self.stand(place, false);
            parts?.unwrap_or_default()
        };
        if !self.native() {
            return self.set_as_list(set, &parts);
        }
        if !S::BUILDS || parts.iter().all(|part| has_plain_form(part.value.obj())) {
            self.sink.set(self.py, frozen, parts)?;
            return Ok(Visit::Kept);
        }
        // What is hashed may have a hash of its own.
        self.checkpoint()?;
        self.quiet.lift();
        let built = self.sink.set(self.py, frozen, parts);
        self.quiet.resume();
        built.map(|()| Visit::Kept).map_err(|fault| self.unhashed(fault))
    }

    /// What a path asks for at the elements of the set being visited, and where the set stands.
    pub fn asked_of_elements(&mut self) -> (Option<Action>, State) {
        let place = self.place();
        let below = self.advance(place, Stride::Other);
        (self.asked(below).filter(|action| *action != Action::Keep), place)
    }

    pub fn set_as_list(&mut self, set: Obj, parts: &[Lowered]) -> Result<Visit, Fault> {
        let items: Vec<Obj> = parts.iter().map(|part| part.value.obj()).collect();
        let list = owned_list(self.py, &items)?;
        let token = self.sink.open(Build::List, items.len(), 0)?;
        let frame = self.push(set, Source::List(list.obj()), Build::List, items.len(), token)?;
        let rare = frame.rare.get_or_insert_default();
        (rare.holds, rare.lowered) = (Some(list), true);
        Ok(Visit::Opened)
    }

    /// Lowers the elements of a set: canonical order, equal ones once, findings in an order no hash seed changes.
    /// None if one of them cannot be lowered inside a key.
    pub fn unordered(
        &mut self,
        items: Vec<Owned>,
        place: Place,
        asked: Option<Action>,
    ) -> Result<Option<Vec<Lowered>>, Fault> {
        self.checkpoint()?;
        let start = self.findings.begin_set();
        let parts = self.lower_elements(items, place, asked);
        let py = self.py;
        let mut findings = core::mem::replace(&mut self.findings, crate::report::Findings::new(false));
        let sorted = self.foreign(|_| findings.end_set(py, start));
        self.findings = findings;
        sorted?;
        parts
    }

    pub fn lower_elements(
        &mut self,
        items: Vec<Owned>,
        place: Place,
        asked: Option<Action>,
    ) -> Result<Option<Vec<Lowered>>, Fault> {
        let mut hashes = Hashes::default();
        let (mut rows, mut lost) = (Vec::new(), false);
        for item in items {
            self.stand_at(&item, place);
            let lowered = match asked {
                Some(action) => self.left_of(item.obj(), action)?,
                None => self.lower_key(item.obj(), place)?,
            };
            match lowered {
                Some(part) if self.weigh(&part, &mut hashes)? => rows.push((part, item)),
                Some(_) => {
                    lost = true;
                    self.note_unhashable(item.obj())?;
                }
                None => lost = true,
            }
        }
        if lost && place.inside > 0 {
            return Ok(None);
        }
        rows.sort_by(|(left, _), (right, _)| left.bytes.cmp(&right.bytes));
        self.break_ties(&mut rows)?;
        let set = new_set(self.py)?;
        let mut kept = Vec::new();
        for (part, item) in rows {
            self.stand_at(&item, place);
            match self.add_once(set.obj(), part.value.obj())? {
                Some(true) => kept.push(part),
                Some(false) => self.note(kinds::KEY_COLLISION, Action::Drop, item.obj().ty(), None)?,
                None => self.note_unhashable(item.obj())?,
            }
        }
        if place.inside == 0 {
            self.element = None;
        }
        Ok(Some(kept))
    }

    /// What a path leaves of an element.
    pub fn left_of(&mut self, item: Obj, action: Action) -> Result<Option<Lowered>, Fault> {
        let kind = if self.is_secret_value(item) { kinds::SECRET } else { self.kind_of(item)? };
        self.note_asked(kind, action, item.ty())?;
        self.instead(item, kind, action)
    }

    /// Findings name the type of the element they are about.
    pub fn stand_at(&mut self, item: &Owned, place: Place) {
        if place.inside == 0 {
            self.element = Some(item.obj().ty().as_obj().own());
        }
    }

    /// Elements of the same bytes are put in the order of their types' names.
    pub fn break_ties(&mut self, rows: &mut Vec<(Lowered, Owned)>) -> Result<(), Fault> {
        if !rows.windows(2).any(|pair| pair[0].0.bytes == pair[1].0.bytes) {
            return Ok(());
        }
        // Each type is looked at once and owned: asking for its name may give its instances another one.
        let types: Vec<Owned> = rows.iter().map(|(_, item)| item.obj().ty().as_obj().own()).collect();
        let mut names: HashMap<usize, String> = HashMap::new();
        for ty in &types {
            if let Entry::Vacant(place) = names.entry(ty.obj().id()) {
                place.insert(self.foreign(|py| Bridge::get(py)?.type_name(&ty.obj().bind(py))?.extract::<String>())?);
            }
        }
        let mut order: Vec<usize> = (0..rows.len()).collect();
        let name_of = |at: usize| types.get(at).and_then(|ty| names.get(&ty.obj().id()));
        order.sort_by(|a, b| {
            let bytes = |at: usize| rows.get(at).map(|(part, _)| &part.bytes);
            bytes(*a).cmp(&bytes(*b)).then_with(|| name_of(*a).cmp(&name_of(*b)))
        });
        let mut taken: Vec<Option<(Lowered, Owned)>> = core::mem::take(rows).into_iter().map(Some).collect();
        rows.extend(order.into_iter().filter_map(|at| taken.get_mut(at)?.take()));
        Ok(())
    }
}
