//! Tests of the test bed against the real `OpenBao`.

#[cfg(test)]
mod server;
