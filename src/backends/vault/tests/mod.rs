//! Calls against a real server, and against prepared answers.
