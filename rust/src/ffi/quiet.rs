//! Between checkpoints the collector is off, so allocation runs nobody's code.

use core::cell::UnsafeCell;

use pyo3::{Python, ffi};

/// While it lives and is not lifted, the cyclic collector does not run.
#[derive(Debug)]
pub struct Quiet {
    was_on: bool,
}

impl Quiet {
    /// Switches the collector off and remembers how it was.
    #[inline(always)]
    pub fn new(_: Python<'_>) -> Self {
        // SAFETY: the GIL is held; the call flips a flag.
        Self { was_on: unsafe { ffi::PyGC_Disable() } != 0 }
    }

    /// Puts the collector back as it was, for the length of a checkpoint.
    pub fn lift(&mut self) {
        if self.was_on {
            // SAFETY: as above.
            unsafe { ffi::PyGC_Enable() };
        }
    }

    /// Switches it off again after a checkpoint, in which someone may have changed the setting for good.
    pub fn resume(&mut self) {
        // SAFETY: as above.
        self.was_on = unsafe { ffi::PyGC_Disable() } != 0;
    }
}

impl Drop for Quiet {
    #[inline(always)]
    fn drop(&mut self) {
        self.lift();
    }
}

/// The room of a vector that was needed a moment ago, for the next one: most calls need no memory of their own.
#[derive(Debug)]
pub struct Spare<T>(GilCell<Vec<T>>);

impl<T> Spare<T> {
    /// None yet.
    pub const fn new() -> Self {
        Self(GilCell::new(Vec::new()))
    }

    /// An empty vector, on the room that was kept if nobody else has it.
    #[inline(always)]
    pub fn take(&self, py: Python<'_>) -> Vec<T> {
        self.0.with(py, core::mem::take)
    }

    /// Keeps the room of an empty vector, if it has any and not for more than `most`.
    #[inline(always)]
    pub fn keep(&self, py: Python<'_>, empty: Vec<T>, most: usize) {
        debug_assert!(empty.is_empty(), "what is kept is room alone");
        if (1..=most).contains(&empty.capacity()) {
            self.0.with(py, |spare| {
                if spare.capacity() == 0 {
                    // Nothing is leaked: what is replaced has no room. Dropping it would ask.
                    core::mem::forget(core::mem::replace(spare, empty));
                }
            });
        }
    }
}

/// A value made once and kept for ever, without a lock: a child that was forked while another thread was making the
/// value makes it again, where it would wait for ever for that thread. Two threads may both make it; the first is kept.
#[derive(Debug)]
pub struct Lasting<T: 'static>(GilCell<Option<&'static T>>);

impl<T> Lasting<T> {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self(GilCell::new(None))
    }

    /// The value, made if there is none.
    pub fn get_or_try<E>(&self, py: Python<'_>, make: impl FnOnce() -> Result<T, E>) -> Result<&'static T, E> {
        if let Some(kept) = self.0.with(py, |kept| *kept) {
            return Ok(kept);
        }
        let fresh = Box::new(make()?);
        Ok(self.0.with(py, |kept| *kept.get_or_insert_with(|| Box::leak(fresh))))
    }
}

/// A global that only whoever holds the GIL touches, and never across a call that could give it away.
#[derive(Debug)]
pub struct GilCell<T>(UnsafeCell<T>);

// SAFETY: `with` demands a GIL token, and the GIL is exclusive.
unsafe impl<T> Sync for GilCell<T> {}

impl<T> GilCell<T> {
    /// A cell holding `value`.
    pub const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// Looks inside. The closure must not run Python code.
    #[inline(always)]
    pub fn with<R>(&self, _: Python<'_>, look: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: the GIL is held and the closure runs no Python code, so there is no second borrow.
        look(unsafe { &mut *self.0.get() })
    }
}
