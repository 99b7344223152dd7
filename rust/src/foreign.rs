//! The only room where Python code is called. Whoever calls in here is at a checkpoint.

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString, PyTuple, PyType};

use crate::array::head_size;
use crate::ffi::{Exact, Lasting, Obj, Owned};
use crate::kind::code;
use crate::moments;
use crate::name::intern;

/// The functions of `siftpack.bridge`, looked up once.
#[derive(Debug)]
pub struct Bridge {
    plan: Py<PyAny>,
    build: Py<PyAny>,
    assemble: Py<PyAny>,
    tombstone: Py<PyAny>,
    named: Py<PyAny>,
    type_name: Py<PyAny>,
    order: Py<PyAny>,
    path: Py<PyAny>,
    inflate: Py<PyAny>,
    tombstone_text: Py<PyAny>,
    named_type: Py<PyAny>,
    cut_text: Py<PyAny>,
    shortened: Py<PyAny>,
    replaced: Py<PyAny>,
    base64: Py<PyAny>,
    number: Py<PyAny>,
    portable: Py<PyAny>,
    key_text: Py<PyAny>,
    restore: Py<PyAny>,
    rebuild: Py<PyAny>,
    readable: Py<PyAny>,
    constructor_args: Py<PyAny>,
    types_of: Py<PyAny>,
    tombstone_type: Py<PyAny>,
    restore_array: Py<PyAny>,
    shown_type: Py<PyAny>,
    step: Py<PyAny>,
    finding: Py<PyAny>,
    tuple_new: Py<PyAny>,
    kinds: Vec<Py<PyAny>>,
    actions: Vec<Py<PyAny>>,
    /// The deque type itself, whose own iterator is used.
    pub deque: Py<PyAny>,
    /// A name no class has, to make the interpreter number a class's state.
    pub probe: Py<PyString>,
}

static BRIDGE: Lasting<Bridge> = Lasting::new();

/// What `lower` says of an array.
#[derive(Debug)]
pub enum Array<'py> {
    /// One value: what stands before its items, the buffer they lie in, and what it does not keep.
    Leaf { head: Bound<'py, PyBytes>, items: Bound<'py, PyAny>, losses: Bound<'py, PyTuple> },
    /// Parts to be walked, what the path adds for each of them, and what they do not hold.
    Parts { parts: Bound<'py, PyList>, names: Bound<'py, PyTuple>, losses: Bound<'py, PyTuple> },
}

/// What `lower` says of a value: ext code, payload, and the type of a tzinfo that was left out.
pub type Lowered<'py> = (i8, Bound<'py, PyBytes>, Option<Bound<'py, PyAny>>);

impl Bridge {
    /// The bridge, built at the first question.
    pub fn get(py: Python<'_>) -> PyResult<&'static Self> {
        BRIDGE.get_or_try(py, || {
            crate::ffi::load_dates(py)?;
            let module = py.import("siftpack.bridge")?;
            let find = |name: &str| module.getattr(name).map(Bound::unbind);
            let sample = find("layout_samples")?.call0(py)?;
            let (instance, ordered): (Py<PyAny>, Py<PyAny>) = sample.extract(py)?;
            if !crate::ffi::inline_layouts_hold(Obj::of(instance.bind(py)), Obj::of(ordered.bind(py))) {
                return Err(PyRuntimeError::new_err("siftpack was built for another layout of Python's objects"));
            }
            Ok(Self {
                plan: find("plan")?,
                build: find("build")?,
                assemble: find("assemble")?,
                tombstone: find("tombstone")?,
                named: find("named")?,
                type_name: find("type_name")?,
                order: find("order")?,
                path: find("path")?,
                inflate: find("inflate")?,
                tombstone_text: find("tombstone_text")?,
                named_type: find("named_type")?,
                cut_text: find("cut_text")?,
                shortened: find("shortened")?,
                replaced: find("replaced")?,
                base64: find("base64_text")?,
                number: find("number")?,
                portable: find("of_payload")?,
                key_text: find("key_text")?,
                restore: find("restore")?,
                rebuild: find("rebuild")?,
                readable: find("readable")?,
                constructor_args: find("constructor_args")?,
                types_of: find("types_of")?,
                tombstone_type: find("Tombstone")?,
                restore_array: find("restore_array")?,
                shown_type: find("shown_type")?,
                step: find("segment")?,
                finding: find("Finding")?,
                tuple_new: py.get_type::<PyTuple>().getattr("__new__")?.unbind(),
                kinds: find("KINDS")?.extract(py)?,
                actions: find("ACTIONS")?.extract(py)?,
                deque: find("deque")?,
                probe: PyString::intern(py, "__siftpack_probe__").unbind(),
            })
        })
    }

    /// The plan of a type, as the tuple that `plan.rs` reads.
    pub fn plan<'py>(&self, cls: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyTuple>> {
        Ok(self.plan.bind(cls.py()).call1((cls,))?.cast_into::<PyTuple>()?)
    }

    /// The payload of a value; None if its storage is not what its type promises.
    pub fn lower<'py>(lower: &Bound<'py, PyAny>, value: &Bound<'py, PyAny>) -> PyResult<Option<Lowered<'py>>> {
        lower.call1((value,))?.extract()
    }

    /// An array as one value or as its parts; None if its storage is not what its type promises.
    pub fn array<'py>(lower: &Bound<'py, PyAny>, value: &Bound<'py, PyAny>) -> PyResult<Option<Array<'py>>> {
        let found = lower.call1((value,))?;
        if found.is_none() {
            return Ok(None);
        }
        let (first, second, losses): (Bound<'py, PyAny>, Bound<'py, PyAny>, Bound<'py, PyTuple>) = found.extract()?;
        Ok(Some(match first.cast_into::<PyList>() {
            Ok(parts) => Array::Parts { parts, names: second.cast_into()?, losses },
            Err(head) => Array::Leaf { head: head.into_inner().cast_into()?, items: second, losses },
        }))
    }

    /// The array of what stands before its items and the items, which become its own. Raises `ValueError`.
    pub fn restore_array(&self, py: Python<'_>, head: &[u8], items: Owned) -> PyResult<Owned> {
        let head = crate::ffi::Make::bytes(py, head)?.into_py(py);
        Ok(Owned::from_py(self.restore_array.call1(py, (head, items.into_py(py)))?))
    }

    /// The value of an ext. Raises `ValueError` for a bad payload.
    pub fn build(&self, py: Python<'_>, code: i8, payload: &[u8]) -> PyResult<Owned> {
        if code == code::NDARRAY {
            let (head, items) = payload.split_at(head_size(payload));
            return self.restore_array(py, head, crate::ffi::bytearray(py, items)?);
        }
        if let Some(made) = moments::build(code, payload) {
            return Ok(made);
        }
        let payload = crate::ffi::Make::bytes(py, payload)?.into_py(py);
        Ok(Owned::from_py(self.build.call1(py, (code, payload))?))
    }

    /// A container of the standard library from its clean parts.
    pub fn assemble(&self, py: Python<'_>, mark: u8, items: Owned, bound: Option<u64>) -> PyResult<Owned> {
        let items = items.into_py(py);
        Ok(Owned::from_py(self.assemble.call1(py, (mark, items, bound))?))
    }

    /// A tombstone and its payload.
    pub fn tombstone<'py>(&self, kind: u8, cls: &Bound<'py, PyAny>) -> PyResult<(Owned, Bound<'py, PyBytes>)> {
        let (stone, payload): (Py<PyAny>, _) = self.tombstone.bind(cls.py()).call1((kind, cls))?.extract()?;
        Ok((Owned::from_py(stone), payload))
    }

    /// True for values that are no secret under any name, a mask among them.
    pub fn hides_nothing(&self, py: Python<'_>, value: Obj) -> bool {
        matches!(value.exact(), Exact::Nil | Exact::Bool)
            || value.ty().as_obj() == Obj::of(self.tombstone_type.bind(py))
    }

    /// The string of `Action.NAME`.
    pub fn named(&self, value: &Bound<'_, PyAny>, kind: u8) -> PyResult<Owned> {
        Ok(Owned::from_py(self.named.call1(value.py(), (value, kind))?))
    }

    /// The string of `Action.NAME` for an opaque object of this type.
    pub fn named_type(&self, kind: u8, cls: &Bound<'_, PyAny>) -> PyResult<Owned> {
        Ok(Owned::from_py(self.named_type.call1(cls.py(), (kind, cls))?))
    }

    /// A tombstone as text.
    pub fn tombstone_text(&self, kind: u8, cls: &Bound<'_, PyAny>) -> PyResult<Owned> {
        Ok(Owned::from_py(self.tombstone_text.call1(cls.py(), (kind, cls))?))
    }

    /// A str cut to so many characters.
    pub fn cut_text(&self, text: &Bound<'_, PyAny>, longest: usize) -> PyResult<Owned> {
        Ok(Owned::from_py(self.cut_text.call1(text.py(), (text, longest))?))
    }

    /// As many whole characters of a str, or bytes, as fit into so many bytes.
    pub fn shortened(&self, data: &Bound<'_, PyAny>, size: usize) -> PyResult<Owned> {
        Ok(Owned::from_py(self.shortened.call1(data.py(), (data, size))?))
    }

    /// A str with U+FFFD for each lone surrogate.
    pub fn replaced(&self, text: &Bound<'_, PyAny>) -> PyResult<Owned> {
        Ok(Owned::from_py(self.replaced.call1(text.py(), (text,))?))
    }

    /// Bytes as base64 text.
    pub fn base64(&self, data: &Bound<'_, PyAny>) -> PyResult<Owned> {
        Ok(Owned::from_py(self.base64.call1(data.py(), (data,))?))
    }

    /// An int as the mode has it.
    pub fn number(&self, number: &Bound<'_, PyAny>, mode: &str) -> PyResult<Owned> {
        Ok(Owned::from_py(self.number.call1(number.py(), (number, mode))?))
    }

    /// What stands for the value of an ext in a mode without ext.
    pub fn portable(&self, py: Python<'_>, code: i8, payload: &[u8]) -> PyResult<Owned> {
        Ok(Owned::from_py(self.portable.call1(py, (code, PyBytes::new(py, payload)))?))
    }

    /// What stands for a dict key that is no str.
    pub fn key_text(&self, key: &Bound<'_, PyAny>, mode: &str) -> PyResult<Owned> {
        Ok(Owned::from_py(self.key_text.call1(key.py(), (key, mode))?))
    }

    /// What a hook of the caller's gives for an object.
    pub fn hook(call: &Bound<'_, PyAny>, obj: &Bound<'_, PyAny>) -> PyResult<Owned> {
        Ok(Owned::from_py(call.call1((obj,))?.unbind()))
    }

    /// The instance of a listed class from its fields. Raises `ValueError` where the class refuses.
    pub fn restore(&self, listed: &Bound<'_, PyAny>, fields: &Bound<'_, PyAny>) -> PyResult<Owned> {
        Ok(Owned::from_py(self.restore.call1(fields.py(), (listed, fields))?))
    }

    /// What an exception is made from again: a tuple.
    pub fn constructor_args(&self, exception: &Bound<'_, PyAny>) -> PyResult<Owned> {
        Ok(Owned::from_py(self.constructor_args.call1(exception.py(), (exception,))?))
    }

    /// True if an enum member comes back as itself.
    pub fn readable(&self, listed: &Bound<'_, PyAny>, member: &Bound<'_, PyAny>) -> PyResult<bool> {
        self.readable.call1(member.py(), (listed, member))?.extract(member.py())
    }

    /// What a record found by a reader stands for. Raises `ValueError` where its class refuses.
    pub fn rebuild(
        &self,
        types: Option<&Bound<'_, PyAny>>,
        name: &Bound<'_, PyAny>,
        fields: &Bound<'_, PyAny>,
        in_key: bool,
    ) -> PyResult<Owned> {
        Ok(Owned::from_py(self.rebuild.call1(name.py(), (types, name, fields, in_key))?))
    }

    /// The `siftpack.listed.Types` of a `types=` option. Raises `PolicyError`.
    pub fn types_of<'py>(&self, types: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.types_of.bind(types.py()).call1((types,))
    }

    /// `module.qualname` of a type.
    pub fn type_name<'py>(&self, cls: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.type_name.bind(cls.py()).call1((cls,))
    }

    /// The order of the findings of one set.
    pub fn order(&self, rows: &Bound<'_, PyList>) -> PyResult<Vec<usize>> {
        self.order.call1(rows.py(), (rows,))?.extract(rows.py())
    }

    /// The payload of a compressed frame, at most `bound` bytes long. Raises `FrameError`.
    pub fn inflate(&self, py: Python<'_>, payload: &[u8], bound: usize) -> PyResult<Py<PyBytes>> {
        Ok(self.inflate.call1(py, (PyBytes::new(py, payload), bound))?.extract(py)?)
    }

    /// The name of a type as people see it.
    pub fn shown_type(&self, cls: &Bound<'_, PyAny>) -> PyResult<Owned> {
        Ok(Owned::from_py(self.shown_type.call1(cls.py(), (cls,))?))
    }

    /// A step of a path as text.
    pub fn step(&self, step: &Bound<'_, PyAny>) -> PyResult<String> {
        self.step.call1(step.py(), (step,))?.extract(step.py())
    }

    /// The `siftpack.Kind` of a number.
    pub fn kind(&self, number: usize) -> PyResult<&Py<PyAny>> {
        self.kinds.get(number).ok_or_else(|| PyRuntimeError::new_err("unknown kind"))
    }

    /// A `siftpack.report.Finding`, made as its own constructor makes it.
    pub fn finding(&self, py: Python<'_>, path: &str, kind: u8, name: Owned, action: u8) -> PyResult<Py<PyAny>> {
        let action = self.actions.get(usize::from(action)).ok_or_else(|| PyRuntimeError::new_err("unknown action"))?;
        let path = crate::ffi::Make::str(py, path)?.into_py(py);
        self.tuple_new.call1(py, (&self.finding, (path, self.kind(usize::from(kind))?, name.into_py(py), action)))
    }

    /// A path as text.
    pub fn path(&self, steps: &Bound<'_, PyTuple>) -> PyResult<String> {
        self.path.call1(steps.py(), (steps,))?.extract(steps.py())
    }

    /// An error of `siftpack.errors`; whatever goes wrong on the way to it is raised instead.
    pub fn error(py: Python<'_>, name: &str, message: &str) -> PyErr {
        let class = py.import("siftpack.errors").and_then(|errors| errors.getattr(name));
        match class.and_then(|class| Ok(class.cast_into::<PyType>()?)) {
            Ok(class) => PyErr::from_type(class, (message.to_owned(),)),
            Err(trouble) => trouble,
        }
    }

    /// The lowered form of an option, which is exactly of the class that checked it. Raises `TypeError`.
    pub fn option<'py>(option: &Bound<'py, PyAny>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        static CLASSES: [Lasting<Py<PyAny>>; 2] = [const { Lasting::new() }; 2];
        let py = option.py();
        let class = CLASSES[usize::from(name == "Policy")]
            .get_or_try(py, || py.import("siftpack.policy")?.getattr(name).map(Bound::unbind))?;
        if !option.get_type().is(class.bind(py)) {
            return Err(PyTypeError::new_err(format!("expected siftpack.{name}")));
        }
        option.getattr(intern!(py, "lowered"))
    }

    /// What the error says where the policy says raise.
    pub fn refusal(py: Python<'_>, path: &str, kind: u8, cls: &Bound<'_, PyAny>) -> PyResult<String> {
        py.import("siftpack.bridge")?.getattr("refusal")?.call1((path, kind, cls))?.extract()
    }

    /// What the error says at a bound of `Limits`.
    pub fn exceeded(py: Python<'_>, path: &str, bound: &str, most: u64) -> PyResult<String> {
        py.import("siftpack.bridge")?.getattr("exceeded")?.call1((path, bound, most))?.extract()
    }

    /// `siftpack.report.Report` around raw findings.
    pub fn report(py: Python<'_>, raw: Py<PyAny>) -> PyResult<Py<PyAny>> {
        static REPORT: Lasting<Py<PyAny>> = Lasting::new();
        let class = REPORT.get_or_try(py, || py.import("siftpack.report")?.getattr("Report").map(Bound::unbind))?;
        class.call1(py, (raw,))
    }
}
