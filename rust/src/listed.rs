//! The classes of one call that come back as themselves: `siftpack.listed.Types`, lowered.

use std::collections::HashMap;
use std::sync::Arc;

use pyo3::prelude::*;

use crate::ffi::{Obj, Ty, same_name};
use crate::guard::ByAddress;

/// One listed class.
#[derive(Debug)]
pub struct Listed {
    /// The name it is written under, in UTF-8.
    pub name: String,
    /// Fields without which it cannot be rebuilt.
    pub required: Vec<Py<PyAny>>,
    /// A group of exceptions, whose members have to come back too.
    pub group: bool,
    /// What Python knows it as.
    pub python: Py<PyAny>,
    /// Keeps the class, and so its address, alive.
    _class: Py<PyAny>,
}

impl Listed {
    /// True if the class cannot be rebuilt without a field of that name.
    pub fn requires(&self, py: Python<'_>, name: Obj) -> bool {
        self.required.iter().any(|each| same_name(Obj::of(each.bind(py)), name))
    }
}

/// Listed classes by their address.
#[pyclass(frozen, module = "siftpack._core")]
#[derive(Debug)]
pub struct Names(HashMap<usize, Arc<Listed>, ByAddress>);

/// Class, name, required fields, whether it is a group, and the row of `siftpack.listed` itself.
type Row = (Py<PyAny>, String, Vec<Py<PyAny>>, bool, Py<PyAny>);

#[pymethods]
impl Names {
    #[new]
    fn new(py: Python<'_>, rows: Vec<Row>) -> Self {
        let entry = |(class, name, required, group, python): Row| {
            let id = Obj::of(class.bind(py)).id();
            (id, Arc::new(Listed { name, required, group, python, _class: class }))
        };
        Self(rows.into_iter().map(entry).collect())
    }
}

impl Names {
    /// The class of instances of exactly this type, if it is listed.
    pub fn find(&self, ty: Ty) -> Option<&Arc<Listed>> {
        self.0.get(&ty.id())
    }
}
