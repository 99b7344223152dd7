//! Names that are made once: `intern!` as PyO3 has it, but without a lock, for the reason that [`Lasting`] gives.

use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::ffi::Lasting;

/// A place for one name.
pub type Name = Lasting<Py<PyString>>;

/// The name, interned the first time.
#[inline(always)]
pub fn interned<'py>(py: Python<'py>, place: &'static Name, text: &str) -> &'py Bound<'py, PyString> {
    let Ok(name) = place.get_or_try(py, || Ok::<_, core::convert::Infallible>(PyString::intern(py, text).unbind()));
    name.bind(py)
}

/// A str that is made once for this place in the code.
macro_rules! intern {
    ($py:expr, $text:literal) => {{
        static NAME: $crate::name::Name = $crate::name::Name::new();
        $crate::name::interned($py, &NAME, $text)
    }};
}
pub(crate) use intern;
