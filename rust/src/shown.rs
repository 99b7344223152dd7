//! Findings as people see them: the text of a path, the name of a type. What is usual is made here, the rest by
//! `siftpack.report`, whose rule this is.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::Write;

use pyo3::prelude::*;

use crate::ffi::{GilCell, Obj, Owned, Text, Ty, text, type_tag};
use crate::foreign::Bridge;
use crate::guard::ByAddress;
use crate::memo::Memo;
use crate::redact::holds_secret;
use crate::report::{Node, ROOT, Step};

/// Characters of a key that a path shows: `siftpack.report.KEY_SHOWN`.
const KEY_SHOWN: usize = 64;
/// Characters that a str has at least if it holds a secret: `siftpack.report.SHORTEST_SECRET`.
const SHORTEST_SECRET: usize = 8;

/// The names of types.
static NAMES: GilCell<Memo<Owned>> = GilCell::new(Memo::new());

/// `siftpack.report.shown_type` of a live type, asked for once.
pub fn type_name(py: Python<'_>, ty: Ty) -> PyResult<Owned> {
    if let Some(name) = NAMES.with(py, |names| names.find(ty).map(|name| name.obj().own())) {
        return Ok(name);
    }
    let tag = type_tag(ty, None);
    let name = Bridge::get(py)?.shown_type(&ty.as_obj().bind(py))?;
    // Python has run: what the name was made of may be another by now.
    if let Some(tag) = tag.filter(|tag| type_tag(ty, None) == Some(*tag)) {
        let kept = name.obj().own();
        drop(NAMES.with(py, |names| names.keep(tag, kept)));
    }
    Ok(name)
}

/// Makes the paths of one report: those that follow each other mostly have all but the last step in common.
#[derive(Debug)]
pub struct Paths<'a> {
    nodes: &'a [(Node, Step)],
    text: String,
    /// The node whose path the text begins with, and how long that is.
    above: (Node, usize),
    /// Steps that Python made the text of, by the address of what they show.
    asked: HashMap<usize, String, ByAddress>,
}

impl<'a> Paths<'a> {
    /// Of a tree of paths.
    pub fn of(nodes: &'a [(Node, Step)]) -> Self {
        Self { nodes, text: String::from("$"), above: (ROOT, 1), asked: HashMap::default() }
    }

    /// The path of a node.
    pub fn text(&mut self, py: Python<'_>, node: Node) -> PyResult<&str> {
        let Some((parent, step)) = self.nodes_above(node) else { return Ok("$") };
        if self.above.0 != *parent {
            self.begin(py, *parent)?;
        }
        self.text.truncate(self.above.1);
        self.add(py, step)?;
        Ok(&self.text)
    }

    fn nodes_above(&self, node: Node) -> Option<&'a (Node, Step)> {
        (node as usize).checked_sub(1).and_then(|at| self.nodes.get(at))
    }

    /// Makes the text begin with the path of another node.
    fn begin(&mut self, py: Python<'_>, node: Node) -> PyResult<()> {
        let (mut way, mut at) = (Vec::new(), node);
        while let Some((parent, step)) = self.nodes_above(at) {
            way.push(step);
            at = *parent;
        }
        self.above = (ROOT, 1);
        self.text.truncate(1);
        for step in way.into_iter().rev() {
            self.add(py, step)?;
        }
        self.above = (node, self.text.len());
        Ok(())
    }

    fn add(&mut self, py: Python<'_>, step: &Step) -> PyResult<()> {
        match step {
            Step::Index(at) => _ = write!(self.text, "[{at}]"),
            Step::Key(key) => match name(key.obj()) {
                Some(name) => {
                    self.text.push('.');
                    self.text.push_str(name);
                }
                None => self.ask(py, key.obj(), step)?,
            },
            Step::Type(ty) => self.ask(py, ty.obj(), step)?,
        }
        Ok(())
    }

    fn ask(&mut self, py: Python<'_>, of: Obj, step: &Step) -> PyResult<()> {
        let made = match self.asked.entry(of.id()) {
            Entry::Occupied(made) => made.into_mut(),
            Entry::Vacant(place) => place.insert(Bridge::get(py)?.step(&step.to_python(py)?)?),
        };
        self.text.push_str(made);
        Ok(())
    }
}

/// A key that a path shows as it is: a name that is not too long and holds no secret.
fn name<'a>(key: Obj) -> Option<&'a str> {
    if !key.is_str() {
        return None;
    }
    let Text::Utf8(bytes) = text(key) else { return None };
    let begins = matches!(bytes.first(), Some(b'a'..=b'z' | b'A'..=b'Z' | b'_'));
    let is_name = begins && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let is_shown = is_name && bytes.len() <= KEY_SHOWN && (bytes.len() < SHORTEST_SECRET || !holds_secret(bytes));
    if is_shown { core::str::from_utf8(bytes).ok() } else { None }
}
