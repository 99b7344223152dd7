//! The door: each function takes its arguments, makes one walk or one read, and maps the error.

use pyo3::exceptions::PyMemoryError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};

use crate::decode::decode;
use crate::error::Fault;
use crate::ffi::{Input, Obj, Out, Spot, empty_graveyard, text};
use crate::foreign::Bridge;
use crate::name::intern;
use crate::policy::{Limits, Policy};
use crate::redact;
use crate::report::{Findings, RawFindings};
use crate::sink::builtins::Builtins;
use crate::sink::digest::Digest;
use crate::sink::msgpack::MsgPack;
use crate::sink::nothing::Nothing;
use crate::walk::{Settings, Walk};

/// First byte of a frame, version, flags, key id.
const FRAME: [u8; 4] = [0xc1, 1, 0, 0];
const FLAGS_AT: usize = 2;
const FLAG_ZLIB: u8 = 0b0000_0010;
const FLAG_LOSSY: u8 = 0b0001_0000;

type Option_<'a, 'py> = Option<&'a Bound<'py, PyAny>>;
/// `policy=`, `types=` and `limits=`.
type Options<'a, 'py> = (Option_<'a, 'py>, Option_<'a, 'py>, Option_<'a, 'py>);

/// Runs something with the options of a walk, lowered. Without any they are where they always are.
#[inline(always)]
fn with<R>(options: Options<'_, '_>, run: impl FnOnce(&Settings) -> PyResult<R>) -> PyResult<R> {
    if matches!(options, (None, None, None)) { run(Settings::DEFAULT) } else { run(&lowered(options)?) }
}

/// The options of a walk, lowered.
#[inline(never)]
fn lowered(options: Options<'_, '_>) -> PyResult<Settings> {
    let names = match listed(options.1)? {
        Some(types) => Some(types.getattr(intern!(types.py(), "lowered"))?.extract()?),
        None => None,
    };
    Ok(Settings { policy: Policy::of(options.0)?, limits: Limits::of(options.2)?, names })
}

/// The `siftpack.listed.Types` of a `types=` option; None for an empty one. Raises `PolicyError`.
#[inline(always)]
fn listed<'py>(types: Option_<'_, 'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
    match types {
        None => Ok(None),
        Some(types) if types.cast::<PyTuple>().is_ok_and(PyTupleMethods::is_empty) => Ok(None),
        Some(types) => Bridge::get(types.py())?.types_of(types).map(Some),
    }
}

/// Runs a door function, and empties the graveyard whatever became of it.
fn door<R>(py: Python<'_>, run: impl FnOnce() -> PyResult<R>) -> PyResult<R> {
    let result = run();
    empty_graveyard(py);
    result
}

/// Whether a report is made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Never,
    IfLossy,
    Always,
}

/// The bytes behind `head`, which is that of a frame or empty, and the report if one is wanted. The walk stays where it
/// is made: moving it would cost what it saves.
fn encode(
    obj: &Bound<'_, PyAny>,
    options: Options<'_, '_>,
    head: &[u8],
    told: Told,
) -> PyResult<(Py<PyBytes>, Option<Py<PyAny>>)> {
    with(options, |settings| {
        let py = obj.py();
        let fault = |spot: Spot| Fault::from(spot).into_error(py, "$", &settings.limits);
        let out = Out::new(py, settings.limits.bytes.saturating_add(head.len()));
        let mut walk = Walk::new(py, MsgPack { out }, settings, told != Told::Never);
        walk.sink.out.slice(head).map_err(fault)?;
        walk.run(Obj::of(obj))?;
        let lossy = walk.findings.any();
        if let (true, Some(flags)) = (lossy, head.get(FLAGS_AT)) {
            walk.sink.out.set(FLAGS_AT, flags | FLAG_LOSSY);
        }
        let bytes = walk.sink.out.finish(py).map_err(fault)?;
        let wanted = told == Told::Always || (told == Told::IfLossy && lossy);
        let report = if wanted { Some(report_of(py, walk.take_findings())?) } else { None };
        Ok((bytes, report))
    })
}

fn report_of(py: Python<'_>, findings: Findings) -> PyResult<Py<PyAny>> {
    Bridge::report(py, Py::new(py, RawFindings::new(findings))?.into_any())
}

/// Sifts any object into plain MessagePack.
///
/// Raises `EncodeError` where the policy says raise, `LimitExceeded` at a bound of `limits`, `MemoryError`.
#[pyfunction]
#[pyo3(signature = (obj, /, *, policy=None, types=None, limits=None))]
pub fn packb(
    obj: &Bound<'_, PyAny>,
    policy: Option_<'_, '_>,
    types: Option_<'_, '_>,
    limits: Option_<'_, '_>,
) -> PyResult<Py<PyBytes>> {
    door(obj.py(), || encode(obj, (policy, types, limits), &[], Told::Never).map(|(bytes, _)| bytes))
}

/// `packb`, and the `Report` of what was left out.
#[pyfunction]
#[pyo3(signature = (obj, /, *, policy=None, types=None, limits=None))]
pub fn packb_with_report(
    obj: &Bound<'_, PyAny>,
    policy: Option_<'_, '_>,
    types: Option_<'_, '_>,
    limits: Option_<'_, '_>,
) -> PyResult<(Py<PyBytes>, Option<Py<PyAny>>)> {
    door(obj.py(), || encode(obj, (policy, types, limits), &[], Told::Always))
}

/// Sifts any object into a frame: a header of four bytes before the same payload as `packb`.
///
/// Raises what `packb` raises.
#[pyfunction]
#[pyo3(signature = (obj, /, *, policy=None, types=None, limits=None))]
pub fn dumps(
    obj: &Bound<'_, PyAny>,
    policy: Option_<'_, '_>,
    types: Option_<'_, '_>,
    limits: Option_<'_, '_>,
) -> PyResult<Py<PyBytes>> {
    door(obj.py(), || encode(obj, (policy, types, limits), &FRAME, Told::Never).map(|(bytes, _)| bytes))
}

/// `dumps`, and the `Report` of what was left out.
#[pyfunction]
#[pyo3(signature = (obj, /, *, policy=None, types=None, limits=None))]
pub fn dumps_with_report(
    obj: &Bound<'_, PyAny>,
    policy: Option_<'_, '_>,
    types: Option_<'_, '_>,
    limits: Option_<'_, '_>,
) -> PyResult<(Py<PyBytes>, Option<Py<PyAny>>)> {
    door(obj.py(), || encode(obj, (policy, types, limits), &FRAME, Told::Always))
}

/// `dumps` behind another head, whose third byte are the flags; with the `Report` if anything was left out.
#[pyfunction]
#[pyo3(signature = (obj, head, /, *, policy=None, types=None, limits=None))]
pub fn dumps_behind(
    obj: &Bound<'_, PyAny>,
    head: &Bound<'_, PyBytes>,
    policy: Option_<'_, '_>,
    types: Option_<'_, '_>,
    limits: Option_<'_, '_>,
) -> PyResult<(Py<PyBytes>, Option<Py<PyAny>>)> {
    door(obj.py(), || encode(obj, (policy, types, limits), head.as_bytes(), Told::IfLossy))
}

/// The fingerprint, and the report if one is wanted.
fn digest(obj: &Bound<'_, PyAny>, options: Options<'_, '_>, report: bool) -> PyResult<(Py<PyAny>, Option<Py<PyAny>>)> {
    with(options, |settings| {
        let (py, limits) = (obj.py(), &settings.limits);
        let mut walk = Walk::new(py, Digest::new(py, limits.bytes), settings, report);
        walk.run(Obj::of(obj))?;
        let found = walk.sink.finish(py).map_err(|fault| fault.into_error(py, "$", limits))?.into_py(py);
        let report = if report { Some(report_of(py, walk.take_findings())?) } else { None };
        Ok((found, report))
    })
}

/// A digest of the data in any object, as 64 hexadecimal digits: the same in every process, whatever the hash seed, the
/// order of its dicts and the machinery beside the data. `1`, `1.0` and `True` differ, and so do a list and a tuple.
///
/// Raises what `packb` raises, for the same values under the same `limits`.
#[pyfunction]
#[pyo3(signature = (obj, /, *, policy=None, types=None, limits=None))]
pub fn fingerprint(
    obj: &Bound<'_, PyAny>,
    policy: Option_<'_, '_>,
    types: Option_<'_, '_>,
    limits: Option_<'_, '_>,
) -> PyResult<Py<PyAny>> {
    door(obj.py(), || digest(obj, (policy, types, limits), false).map(|(found, _)| found))
}

/// `fingerprint`, and the `Report` of what was left out: unless it is clean, objects that differ in what it lists have
/// the same fingerprint.
#[pyfunction]
#[pyo3(signature = (obj, /, *, policy=None, types=None, limits=None))]
pub fn fingerprint_with_report(
    obj: &Bound<'_, PyAny>,
    policy: Option_<'_, '_>,
    types: Option_<'_, '_>,
    limits: Option_<'_, '_>,
) -> PyResult<(Py<PyAny>, Option<Py<PyAny>>)> {
    door(obj.py(), || digest(obj, (policy, types, limits), true))
}

/// An isolated deep copy of the data in any object.
///
/// Raises what `packb` raises.
#[pyfunction]
#[pyo3(signature = (obj, /, *, policy=None, types=None, limits=None))]
pub fn sanitize(
    obj: &Bound<'_, PyAny>,
    policy: Option_<'_, '_>,
    types: Option_<'_, '_>,
    limits: Option_<'_, '_>,
) -> PyResult<Py<PyAny>> {
    let py = obj.py();
    let copied = |settings: &Settings| {
        let mut walk = Walk::new(py, Builtins::default(), settings, false);
        walk.run(Obj::of(obj))?;
        Ok(walk.sink.finish().map_or_else(|| py.None(), |clean| clean.into_py(py)))
    };
    door(py, || with((policy, types, limits), copied))
}

/// What `packb` would leave out, where and why, as a `Report`. Writes nothing.
///
/// Raises what `packb` raises.
#[pyfunction]
#[pyo3(signature = (obj, /, *, policy=None, types=None, limits=None))]
pub fn inspect(
    obj: &Bound<'_, PyAny>,
    policy: Option_<'_, '_>,
    types: Option_<'_, '_>,
    limits: Option_<'_, '_>,
) -> PyResult<Py<PyAny>> {
    let looked_at = |settings: &Settings| {
        let mut walk = Walk::new(obj.py(), Nothing, settings, true);
        walk.run(Obj::of(obj))?;
        report_of(obj.py(), walk.take_findings())
    };
    door(obj.py(), || with((policy, types, limits), looked_at))
}

/// Reads MessagePack into plain values. Runs and imports nothing that the bytes name.
///
/// Raises `DecodeError` with an offset for anything that is not exactly one valid value within `limits`,
/// `TypeError` for what is no buffer of bytes.
#[pyfunction]
#[pyo3(signature = (data, /, *, types=None, limits=None))]
pub fn unpackb(data: &Bound<'_, PyAny>, types: Option_<'_, '_>, limits: Option_<'_, '_>) -> PyResult<Py<PyAny>> {
    let (py, options) = (data.py(), (Limits::of(limits)?, listed(types)?));
    door(py, || {
        let input = Input::of(data)?;
        decode(py, input.as_slice(), options, 0).map(|value| value.into_py(py))
    })
}

/// `unpackb` of what follows the first `at` bytes.
#[pyfunction]
#[pyo3(signature = (data, at, /, *, types=None, limits=None))]
pub fn unpack_from(
    data: &Bound<'_, PyBytes>,
    at: usize,
    types: Option_<'_, '_>,
    limits: Option_<'_, '_>,
) -> PyResult<Py<PyAny>> {
    let (py, options) = (data.py(), (Limits::of(limits)?, listed(types)?));
    door(py, || {
        let rest = data.as_bytes().get(at..).unwrap_or_default();
        decode(py, rest, options, at).map(|value| value.into_py(py))
    })
}

/// Reads a frame that `dumps` or a `Serializer` wrote.
///
/// Raises `FrameError` for what is no frame or one this reader cannot open, and what `unpackb` raises.
#[pyfunction]
#[pyo3(signature = (data, /, *, types=None, limits=None))]
pub fn loads(data: &Bound<'_, PyAny>, types: Option_<'_, '_>, limits: Option_<'_, '_>) -> PyResult<Py<PyAny>> {
    let (py, options) = (data.py(), (Limits::of(limits)?, listed(types)?));
    door(py, || {
        let input = Input::of(data)?;
        let (flags, payload) = open_frame(py, input.as_slice())?;
        if flags & FLAG_ZLIB == 0 {
            return decode(py, payload, options, FRAME.len()).map(|value| value.into_py(py));
        }
        let inflated = Bridge::get(py)?.inflate(py, payload, options.0.bytes)?;
        decode(py, inflated.bind(py).as_bytes(), options, 0).map(|value| value.into_py(py))
    })
}

/// The flags and payload of a frame.
fn open_frame<'a>(py: Python<'_>, data: &'a [u8]) -> PyResult<(u8, &'a [u8])> {
    let refuse = |words: String| Err(Bridge::error(py, "FrameError", &words));
    let Some((&[magic, version, flags, key_id], payload)) = data.split_first_chunk::<4>() else {
        return refuse("not a siftpack frame: shorter than its header".to_owned());
    };
    if magic != FRAME[0] {
        return refuse("not a siftpack frame: the first byte is not 0xc1".to_owned());
    }
    if version != FRAME[1] {
        return refuse(format!("frame of version {version}, and this reader knows version 1"));
    }
    let unknown = flags & !(FLAG_ZLIB | FLAG_LOSSY);
    if unknown != 0 || key_id != 0 {
        return refuse(format!("frame with flags {unknown:#010b} and key id {key_id}, which this reader cannot open"));
    }
    Ok((flags, payload))
}

/// Forgets what is known of types, because a class was registered.
#[pyfunction]
pub fn forget_plans(py: Python<'_>) {
    crate::plan::forget(py);
    empty_graveyard(py);
}

/// True if a field of this name holds a secret by its name alone.
#[pyfunction]
#[pyo3(signature = (name, /))]
pub fn secret_name(name: &Bound<'_, PyString>) -> bool {
    redact::secret_name(Obj::of(name.as_any()))
}

/// True if a secret is anywhere in the value, or with `whole` if the value is one and nothing else.
///
/// Raises `MemoryError` where there is no room to transcode a str, `TypeError` for what is neither str nor bytes.
#[pyfunction]
#[pyo3(signature = (value, /, *, whole))]
pub fn secret_value(value: &Bound<'_, PyAny>, whole: bool) -> PyResult<bool> {
    let test = if whole { redact::is_secret } else { redact::holds_secret };
    if value.is_instance_of::<PyString>() {
        return redact::in_text(text(Obj::of(value)), test).map_err(|_| PyMemoryError::new_err(()));
    }
    Ok(test(value.cast::<PyBytes>()?.as_bytes()))
}
