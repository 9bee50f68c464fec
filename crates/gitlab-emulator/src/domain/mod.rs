//! What GitLab knows and what it allows: state, rules and permissions, without HTTP, files or clock.

pub mod access;
pub mod deletion;
pub mod group;
pub mod invalid;
pub mod job;
pub mod level;
pub mod member;
pub mod namespace;
pub mod naming;
pub mod project;
pub mod project_change;
pub mod push_rule;
pub mod route;
pub mod settings;
pub mod state;
pub mod switches;
pub mod table;
pub mod time;
pub mod token;
pub mod token_change;
pub mod user;
pub mod user_change;
