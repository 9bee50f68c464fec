//! Starts and stops the real parts that tests and the quickstart run against.
