//! The one room where `unsafe` lives: CPython's own layouts, read as they are.
//!
//! Everything here rests on two facts. The GIL is held by whoever calls (every door function has a
//! `Python<'_>`), and an [`Obj`] is only ever made from a reference that is alive. Between two
//! checkpoints of the walk nothing can run that frees or changes what is being read: the collector is
//! off (see [`Quiet`]), nothing is decremented, no Python code is called. So borrowed pointers are sound
//! until the next checkpoint, and whatever must outlive one is owned by a frame.
#![expect(unsafe_code, reason = "this folder is the fence")]

mod buffer;
mod build;
mod dates;
mod dicts;
mod int;
mod layout;
mod obj;
mod out;
mod quiet;
#[cfg(not(Py_3_12))]
mod rows;
mod strided;
mod strings;
mod text;

pub use build::{
    Input, Make, Stack, contains, descriptor_get, dict_from, new_set, owned_list, owned_pair, set_add, set_from,
    tuple_from,
};
pub use dates::{Clock, Day, Moment, is_moment, load_dates, make_moment, moment};
pub use dicts::{Entries, dict_len, dict_next};
pub use int::{Int, int_value, is_short_int};
pub use layout::{
    Slot, Tag, deque_items, exception, inline_layouts_hold, instance_items, list_get, list_len, ordered_keys,
    proxy_target, same_name, set_items, slice_parts, slot_value, tuple_get, tuple_len, type_base, type_is_heap,
    type_tag,
};
pub use obj::{Exact, Obj, Owned, Ty, empty_graveyard};
pub use out::{Out, Room, Spot, forget_last};
pub use quiet::{GilCell, Lasting, Quiet, Spare};
pub use strided::{Strided, bytearray};
#[cfg(not(Py_3_12))]
use text::is_interned;
pub use text::{Text, str_len, text};
