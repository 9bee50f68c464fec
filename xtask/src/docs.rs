//! Generates the documentation pages.

use testbed::cargo;

/// Lets the test that compares `docs/` with the schemas write the pages instead.
pub(crate) fn generate() -> anyhow::Result<()> {
    cargo::cargo(&[
        "test",
        "--quiet",
        "--package",
        "terraform-provider-nautes",
        "--test",
        "docs",
    ])
    .env("NAUTES_WRITE_DOCS", "1")
    .finish_showing_all()?
    .success()?;
    Ok(())
}
