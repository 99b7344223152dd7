//! What a caller may set, lowered to plain numbers.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use pyo3::{PyTraverseError, PyVisit};

use crate::foreign::Bridge;
use crate::kind::{Action, kinds};
use crate::name::intern;
use crate::patterns::Pattern;

/// What values are written as: `siftpack.policy.MODES`, in its order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Every type as itself.
    Native,
    /// What `json.dumps` takes.
    Json,
    /// Core MessagePack.
    Portable,
}

impl Mode {
    /// The word that Python has for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Json => "json",
            Self::Portable => "portable",
        }
    }
}

/// All of a policy but the actions of kinds.
#[pyclass(frozen, module = "siftpack._core")]
#[derive(Debug)]
pub struct Rules {
    pub patterns: Vec<Pattern>,
    pub default: Option<Py<PyAny>>,
    pub redact: bool,
    pub strict: bool,
    pub mode: Mode,
    /// Characters of a str, bytes of a binary value.
    pub longest: Option<usize>,
    /// What is done with an opaque object of which nothing is left.
    pub emptied: Action,
}

/// The steps of a pattern, each a sort and a value, and the number of its action.
type PatternRow = (Vec<(u8, Py<PyAny>)>, u8);

#[pymethods]
impl Rules {
    #[new]
    fn new(
        py: Python<'_>,
        patterns: Vec<PatternRow>,
        default: Option<Py<PyAny>>,
        flags: (bool, bool, u8),
        longest: Option<usize>,
        emptied: u8,
    ) -> PyResult<Self> {
        let (redact, strict, mode) = flags;
        let mode = *[Mode::Native, Mode::Json, Mode::Portable]
            .get(usize::from(mode))
            .ok_or_else(|| PyValueError::new_err("unknown mode"))?;
        let patterns =
            patterns.into_iter().map(|(steps, action)| Pattern::new(py, steps, action)).collect::<PyResult<_>>()?;
        Ok(Self { patterns, default, redact, strict, mode, longest, emptied: Action::from_number(emptied) })
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.default.as_ref().map_or(Ok(()), |default| PyVisit::call(&visit, default))
    }
}

impl Rules {
    /// True if each part of a container has to be looked at on its own.
    pub fn are_slow(&self) -> bool {
        !self.patterns.is_empty() || self.redact || self.mode != Mode::Native || self.longest.is_some()
    }
}

/// The action of each kind, and whatever else a policy says.
#[derive(Debug)]
pub struct Policy {
    table: [Action; kinds::COUNT],
    pub rules: Option<Py<Rules>>,
}

impl Policy {
    /// Data is kept, machinery dropped, and a secret hidden behind a tombstone.
    pub const DEFAULT: Self = {
        let mut table = [Action::Drop; kinds::COUNT];
        let mut data = 0;
        while data < kinds::SECRET {
            table[data as usize] = Action::Keep;
            data += 1;
        }
        table[kinds::SECRET as usize] = Action::Tombstone;
        Self { table, rules: None }
    };

    /// From a `siftpack.Policy`, or the default for None.
    #[inline(always)]
    pub fn of(policy: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        policy.map_or_else(|| Ok(Self::DEFAULT), Self::lowered)
    }

    fn lowered(policy: &Bound<'_, PyAny>) -> PyResult<Self> {
        let lowered = Bridge::option(policy, "Policy")?;
        let numbers = lowered.cast::<PyBytes>()?.as_bytes();
        let mut table = [Action::Raise; kinds::COUNT];
        for (action, number) in table.iter_mut().zip(numbers) {
            *action = Action::from_number(*number);
        }
        Ok(Self { table, rules: policy.getattr(intern!(policy.py(), "rules"))?.extract()? })
    }

    /// The same once more.
    #[inline(always)]
    pub fn clone_ref(&self, py: Python<'_>) -> Self {
        Self { table: self.table, rules: self.rules.as_ref().map(|rules| rules.clone_ref(py)) }
    }

    /// True if some kind of data is not kept.
    pub fn alters(&self) -> bool {
        self.table[..usize::from(kinds::SECRET)].iter().any(|action| *action != Action::Keep)
    }

    /// What to do with a kind.
    #[inline(always)]
    pub fn action(&self, kind: u8) -> Action {
        self.table[usize::from(kind)]
    }
}

/// Bounds for one walk or one read.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Containers open at once.
    pub depth: usize,
    /// Containers, dear values, losses.
    pub nodes: u64,
    /// Size of the payload, in bytes.
    pub bytes: usize,
    /// Size of one string or binary value, in bytes.
    pub str_bytes: usize,
    /// Keys and set elements that are no plain scalars.
    pub container_keys: u64,
    /// Containers nested in one key.
    pub key_depth: usize,
    /// What does not fit is left out, instead of an error.
    pub cut: bool,
}

impl Limits {
    /// Those of `siftpack.Limits()`.
    pub const DEFAULT: Self = Self {
        depth: 16_384,
        nodes: 1 << 21,
        bytes: 512 << 20,
        str_bytes: 512 << 20,
        container_keys: 1 << 20,
        key_depth: 32,
        cut: false,
    };

    /// From `Limits.lowered`, or the default for None.
    pub fn of(limits: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let Some(limits) = limits else { return Ok(Self::DEFAULT) };
        let (depth, nodes, bytes, str_bytes, container_keys, key_depth, cut) =
            Bridge::option(limits, "Limits")?.extract()?;
        Ok(Self { depth, nodes, bytes, str_bytes, container_keys, key_depth, cut })
    }
}
