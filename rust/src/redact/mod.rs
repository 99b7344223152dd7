//! What is a secret: by the name of its field ([`names`]), and by its own shape ([`values`]).
//!
//! The rules are those of `siftpack.redact`, without regular expressions, in time linear in what they look at.

mod classes;
mod keys;
mod names;
mod pairs;
mod pem;
mod tokens;
mod urls;
mod values;

pub use names::secret_name;
pub use values::{holds_secret, in_text, is_secret};
