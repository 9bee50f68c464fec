//! Development tasks: quickstart, test, docs, proto, bench.

fn main() {}
