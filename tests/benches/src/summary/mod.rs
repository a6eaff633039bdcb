//! What the overview of the results and the README show of the results that are kept.

pub mod chart;
pub mod table;
