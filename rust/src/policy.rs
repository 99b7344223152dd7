//! What a caller may set, lowered to plain numbers.

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::foreign::Bridge;
use crate::kind::{Action, kinds};

/// The action of each kind.
#[derive(Clone, Copy, Debug)]
pub struct Policy([Action; kinds::COUNT]);

impl Default for Policy {
    fn default() -> Self {
        let mut table = [Action::Drop; kinds::COUNT];
        table[..usize::from(kinds::SECRET)].fill(Action::Keep);
        table[usize::from(kinds::SECRET)] = Action::Tombstone;
        Self(table)
    }
}

impl Policy {
    /// From `Policy.lowered`, or the default for None.
    pub fn of(policy: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let Some(policy) = policy else { return Ok(Self::default()) };
        let lowered = Bridge::option(policy, "Policy")?;
        let numbers = lowered.cast::<PyBytes>()?.as_bytes();
        let mut table = [Action::Raise; kinds::COUNT];
        for (action, number) in table.iter_mut().zip(numbers) {
            *action = Action::from_number(*number);
        }
        Ok(Self(table))
    }

    /// What to do with a kind.
    #[inline(always)]
    pub fn action(&self, kind: u8) -> Action {
        self.0[usize::from(kind)]
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
}

impl Default for Limits {
    fn default() -> Self {
        let bytes = 512 << 20;
        Self { depth: 16_384, nodes: 1 << 21, bytes, str_bytes: bytes, container_keys: 1 << 20, key_depth: 32 }
    }
}

impl Limits {
    /// From `Limits.lowered`, or the default for None.
    pub fn of(limits: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let Some(limits) = limits else { return Ok(Self::default()) };
        let (depth, nodes, bytes, str_bytes, container_keys, key_depth) =
            Bridge::option(limits, "Limits")?.extract()?;
        Ok(Self { depth, nodes, bytes, str_bytes, container_keys, key_depth })
    }
}
