//! Every command of the client: its line in the table, its bytes, and what faults make of it.
#![allow(missing_docs)]

mod bytes;
mod matrix;
mod table;
