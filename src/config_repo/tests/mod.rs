//! The whole of it against an emulated GitLab, whose repositories are real.

mod budget;
mod check;
mod fault;
mod opponent;
mod parking;
mod race;
mod read;
mod tenant;
mod world;
