//! Tests of the test bed with a real OpenBao.

#[cfg(test)]
mod server;
