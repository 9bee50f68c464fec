//! All of it against an emulated GitLab with real repositories.

mod budget;
mod dry_run;
mod fault;
mod opponent;
mod race;
mod read;
mod tenant;
mod waiting;
mod world;
