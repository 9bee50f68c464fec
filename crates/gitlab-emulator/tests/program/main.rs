//! The program, its data folder, faults, seeds and the journal.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests may fail like tests"
)]

mod faults;
mod journal;
mod restart;
mod seeds;
