//! What surrounds the attribute: macros, names, other attributes, tools.

mod above;
mod beside;
mod compiler;
mod coverage;
mod fragments;
mod names;
mod places;
mod send;
