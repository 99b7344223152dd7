//! Findings as the walk notes them, and the path of where it is.

use crate::error::Fault;
use crate::ffi::Ty;
use crate::kind::Action;
use crate::report::{Node, ROOT, Step};
use crate::sink::Sink;
use crate::walk::{NO_NODE, Walk};

impl<S: Sink> Walk<'_, S> {
    /// Notes a finding at the object being visited, or at a step below it.
    pub fn note(&mut self, kind: u8, action: Action, ty: Ty, below: Option<Step>) -> Result<(), Fault> {
        let due = self.policy.action(kind);
        let raises = match action {
            Action::Converted | Action::Cut => self.is_strict(),
            _ => due == Action::Raise || (due == Action::Keep && self.is_strict()),
        };
        self.note_if(raises, kind, action, ty, below)
    }

    /// Notes what the policy asked for at an object.
    pub fn note_asked(&mut self, kind: u8, action: Action, ty: Ty) -> Result<(), Fault> {
        self.note_if(action == Action::Raise, kind, action, ty, None)
    }

    /// Notes what the policy asked for at a step below the object being visited.
    pub fn note_asked_below(&mut self, kind: u8, action: Action, ty: Ty, below: Option<Step>) -> Result<(), Fault> {
        self.note_if(action == Action::Raise, kind, action, ty, below)
    }

    fn note_if(&mut self, raises: bool, kind: u8, action: Action, ty: Ty, below: Option<Step>) -> Result<(), Fault> {
        let mut node = None;
        if self.findings.wants_place() || raises {
            let here = self.here();
            node = Some(match below {
                Some(step) => self.findings.node(here, step),
                None => here,
            });
        }
        if raises {
            self.refused_at = node;
            return Err(Fault::Refused(Box::new((kind, ty.as_obj().own().into_py(self.py)))));
        }
        self.findings.add(node.filter(|_| self.findings.wants_place()), kind, action, ty);
        match self.budget.nodes(1) {
            // When cutting, a finding is never lost for want of a node.
            Err(_) if self.budget.limits.cut => self.stop(),
            spent => spent?,
        }
        Ok(())
    }

    /// The path node of the object being visited.
    pub fn here(&mut self) -> Node {
        let Some(top) = self.frames.len().checked_sub(1) else {
            return self.at_element(ROOT);
        };
        let mut from = top;
        while from > 0 && self.frames[from].node == NO_NODE {
            from -= 1;
        }
        if self.frames[0].node == NO_NODE {
            self.frames[0].node = ROOT;
        }
        for at in from + 1..=top {
            self.frames[at].node = self.below(at - 1);
        }
        let place = self.below(top);
        self.at_element(place)
    }

    /// The node of the present part of a frame; base storage, and a part without a name, is where its object is.
    fn below(&mut self, at: usize) -> Node {
        let frame = &self.frames[at];
        match frame.step(&self.arena) {
            Some(step) if !frame.is_at_base(&self.arena) => self.findings.node(frame.node, step),
            _ => frame.node,
        }
    }

    /// The node of the set element being lowered below its set, or the node itself.
    fn at_element(&mut self, place: Node) -> Node {
        match self.element {
            Some(ty) => self.findings.node(place, Step::Type(ty.as_obj().own())),
            None => place,
        }
    }

    /// Gives the frame just opened a path node of its own.
    pub fn set_node(&mut self, node: Node) {
        if let Some(frame) = self.frames.last_mut() {
            frame.node = node;
        }
    }
}
