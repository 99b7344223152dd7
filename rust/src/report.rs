//! Findings as they are noted: a place in a tree of paths, a kind, an action, a type. Text is made when looked at.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use crate::ffi::{Obj, Owned, Ty, empty_graveyard};
use crate::foreign::Bridge;
use crate::kind::{Action, kinds};
use crate::shown::{Paths, type_name};

/// Findings a report keeps: `siftpack.report.FINDINGS_KEPT`.
const KEPT: usize = 1000;

/// A node of the path tree; the root is `$`.
pub type Node = u32;

/// The root of the path tree.
pub const ROOT: Node = 0;

/// One step of a path.
#[derive(Debug)]
pub enum Step {
    /// A position.
    Index(usize),
    /// A name or plain key.
    Key(Owned),
    /// The type of a key that is not plain.
    Type(Owned),
}

impl Step {
    /// How a path shows a key: itself if it is plain, else its type.
    pub fn of_key(key: Obj) -> Self {
        if key.is_plain() { Self::Key(key.own()) } else { Self::Type(key.ty().as_obj().own()) }
    }

    /// What `siftpack.report.render` takes for it.
    pub fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Index(at) => Ok(at.into_pyobject(py)?.into_any()),
            Self::Key(key) if key.obj().is_str() => Ok(key.obj().bind(py)),
            Self::Key(key) => Ok(PyTuple::new(py, [key.obj().bind(py)])?.into_any()),
            Self::Type(ty) => Ok(ty.obj().bind(py)),
        }
    }
}

#[derive(Debug)]
struct Row {
    node: Node,
    kind: u8,
    action: Action,
    ty: Owned,
}

/// Where findings stood, to go back to.
#[derive(Clone, Debug)]
pub struct Mark {
    rows: usize,
    counts: [u32; kinds::COUNT],
}

/// The findings of one walk.
#[derive(Debug)]
pub struct Findings {
    /// Parent and step of each node but the root.
    nodes: Vec<(Node, Step)>,
    rows: Vec<Row>,
    counts: [u32; kinds::COUNT],
    wanted: bool,
    /// Sets being put in order: their findings are all kept until they are sorted.
    sorting: usize,
    /// A bound cut the data.
    pub is_cut: bool,
}

impl Findings {
    /// None yet; only counted unless `wanted`.
    pub fn new(wanted: bool) -> Self {
        Self { nodes: Vec::new(), rows: Vec::new(), counts: [0; kinds::COUNT], wanted, sorting: 0, is_cut: false }
    }

    /// True if the next finding's place will be kept.
    pub fn wants_place(&self) -> bool {
        self.wanted && (self.sorting > 0 || self.rows.len() < KEPT)
    }

    /// True if anything was found.
    pub fn any(&self) -> bool {
        self.counts.iter().any(|count| *count > 0)
    }

    /// A node below another one.
    pub fn node(&mut self, parent: Node, step: Step) -> Node {
        self.nodes.push((parent, step));
        Node::try_from(self.nodes.len()).unwrap_or(ROOT)
    }

    /// Counts a finding, and keeps it if its place is given.
    pub fn add(&mut self, node: Option<Node>, kind: u8, action: Action, ty: Ty) {
        self.counts[usize::from(kind)] += 1;
        self.is_cut |= action == Action::Cut;
        if let Some(node) = node {
            self.rows.push(Row { node, kind, action, ty: ty.as_obj().own() });
        }
    }

    /// Where the findings stand now.
    pub fn mark(&self) -> Mark {
        Mark { rows: self.rows.len(), counts: self.counts }
    }

    /// Forgets what was found since.
    pub fn roll_back(&mut self, mark: &Mark) {
        self.rows.truncate(mark.rows);
        self.counts = mark.counts;
    }

    /// From here on the findings of one set are collected.
    pub fn begin_set(&mut self) -> usize {
        self.sorting += 1;
        self.rows.len()
    }

    /// Puts the findings since `start` in the order of their text.
    pub fn end_set(&mut self, py: Python<'_>, start: usize) -> PyResult<()> {
        self.sorting -= 1;
        if self.rows.len() > start + 1 {
            let rows = PyList::empty(py);
            for row in &self.rows[start..] {
                rows.append(self.python_row(py, row)?)?;
            }
            let order = Bridge::get(py)?.order(&rows)?;
            let mut taken: Vec<Option<Row>> = self.rows.drain(start..).map(Some).collect();
            self.rows.extend(order.into_iter().filter_map(|at| taken.get_mut(at)?.take()));
        }
        if self.sorting == 0 {
            self.rows.truncate(KEPT);
        }
        Ok(())
    }

    fn steps<'py>(&self, py: Python<'py>, mut node: Node) -> PyResult<Bound<'py, PyTuple>> {
        let mut steps = Vec::new();
        while node != ROOT {
            let (parent, step) = &self.nodes[node as usize - 1];
            steps.push(step.to_python(py)?);
            node = *parent;
        }
        steps.reverse();
        PyTuple::new(py, steps)
    }

    fn python_row<'py>(&self, py: Python<'py>, row: &Row) -> PyResult<Bound<'py, PyTuple>> {
        let steps = self.steps(py, row.node)?.into_any();
        let kind = row.kind.into_pyobject(py)?.into_any();
        let action = (row.action as u8).into_pyobject(py)?.into_any();
        PyTuple::new(py, [steps, kind, row.ty.obj().bind(py), action])
    }

    /// A node as text.
    pub fn render(&self, py: Python<'_>, node: Node) -> PyResult<String> {
        Bridge::get(py)?.path(&self.steps(py, node)?)
    }
}

/// The findings of one finished walk, for `siftpack.report.Report` to look at.
#[pyclass(frozen, module = "siftpack._core")]
#[derive(Debug)]
pub struct RawFindings(Option<Findings>);

impl RawFindings {
    /// Takes the findings over.
    pub fn new(findings: Findings) -> Self {
        Self(Some(findings))
    }
}

#[pymethods]
impl RawFindings {
    /// Each as a `siftpack.report.Finding`.
    fn findings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let shown = PyList::empty(py);
        if let Some(found) = &self.0 {
            let mut paths = Paths::of(&found.nodes);
            let bridge = Bridge::get(py)?;
            for row in &found.rows {
                let name = type_name(py, row.ty.obj().as_type())?;
                shown.append(bridge.finding(py, paths.text(py, row.node)?, row.kind, name, row.action as u8)?)?;
            }
        }
        Ok(shown)
    }

    /// True if a bound cut the data.
    fn cut(&self) -> bool {
        self.0.as_ref().is_some_and(|found| found.is_cut)
    }

    /// Findings by `siftpack.Kind`, where there are any.
    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let counts = PyDict::new(py);
        let bridge = Bridge::get(py)?;
        for (kind, count) in self.0.iter().flat_map(|found| found.counts.iter().enumerate()) {
            if *count > 0 {
                counts.set_item(bridge.kind(kind)?, count)?;
            }
        }
        Ok(counts)
    }
}

impl Drop for RawFindings {
    fn drop(&mut self) {
        drop(self.0.take());
        Python::try_attach(empty_graveyard);
    }
}
