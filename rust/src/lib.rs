//! `siftpack._core`: walks any Python object graph, sifts out the machinery, writes MessagePack in one pass.
//!
//! The way of a value: [`api`] takes it, [`walk`] goes through it by the [`plan`] of each type, within what
//! [`guard`] allows, and a [`sink`] writes it. [`decode`] is the way back. [`foreign`] is the only room that calls
//! Python code, [`ffi`] the only one that says `unsafe`.
#![deny(unsafe_code)]

mod api;
mod array;
mod careful;
mod checkpoint;
mod closing;
mod decode;
mod error;
mod extra;
mod ffi;
mod foreign;
mod frame;
mod guard;
mod hooks;
mod instance;
mod keys;
mod kind;
mod levels;
mod listed;
mod lower;
mod memo;
mod moments;
mod name;
mod nested;
mod notes;
mod patterns;
mod plan;
mod policy;
mod rebuild;
mod redact;
mod report;
mod runs;
mod scalars;
mod sets;
mod shown;
mod sink;
mod visit;
mod walk;

/// The extension module.
#[pyo3::pymodule]
mod _core {
    #[pymodule_export]
    use crate::api::{
        dumps, dumps_behind, dumps_with_report, fingerprint, fingerprint_with_report, forget_plans, inspect, loads,
        packb, packb_with_report, sanitize, secret_name, secret_value, unpack_from, unpackb,
    };
    #[pymodule_export]
    use crate::listed::Names;
    #[pymodule_export]
    use crate::policy::Rules;
    #[pymodule_export]
    use crate::report::RawFindings;
}
