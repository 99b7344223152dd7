//! What is remembered of types between calls.
//!
//! The key is the type's address and version tag, so a freed or edited type never answers for another one, and nothing
//! is pinned.

use std::collections::HashMap;

use crate::ffi::{Tag, Ty, type_tag};
use crate::guard::ByAddress;

/// Types remembered. Beyond, it starts anew.
const REMEMBERED: usize = 4096;

/// One thing of each type as it is now.
#[derive(Debug)]
pub struct Memo<T>(Option<HashMap<Tag, T, ByAddress>>);

impl<T> Memo<T> {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self(None)
    }

    /// What is known of a type.
    pub fn find(&self, ty: Ty) -> Option<&T> {
        self.0.as_ref()?.get(&type_tag(ty, None)?)
    }

    /// Remembers something. What it gives back is to be dropped where Python code may run.
    #[must_use]
    pub fn keep(&mut self, tag: Tag, known: T) -> Option<HashMap<Tag, T, ByAddress>> {
        let full = self.0.as_ref().is_some_and(|known| known.len() >= REMEMBERED);
        let old = if full { self.0.take() } else { None };
        self.0.get_or_insert_default().insert(tag, known);
        old
    }

    /// Forgets everything, and gives it back as [`Self::keep`] does.
    #[must_use]
    pub fn forget(&mut self) -> Option<HashMap<Tag, T, ByAddress>> {
        self.0.take()
    }
}
