//! Calls against prepared answers, and verbs against an emulated GitLab.

mod answers;
mod emulated;
mod scripted;
mod trust;
