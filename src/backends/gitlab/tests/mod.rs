//! Calls against prepared answers, and verbs against an emulated GitLab.

mod answers;
mod emulated;
mod logs;
mod scripted;
mod trust;
