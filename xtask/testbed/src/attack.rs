//! Runs the random attack of `tests/attack` for as long as the user wants.

use testbed::cargo;
use testbed::progress::step;
use testbed::{OpenBaoProgram, Terraform};

/// Attacks the provider, and returns whether it withstood.
pub(crate) fn run(minutes: u64, seed: Option<u64>) -> anyhow::Result<bool> {
    let terraform = step("Terraform or OpenTofu", Terraform::obtain)?;
    let bao = step("OpenBao", OpenBaoProgram::obtain)?;
    let seconds = minutes.saturating_mul(60);
    let arguments = ["test", "--test", "attack", "--", "--nocapture"];
    let mut attack = cargo::cargo(&arguments)
        .env("NAUTES_ATTACK_SECONDS", seconds.to_string())
        .env("NAUTES_TEST_TERRAFORM", terraform.program())
        .env("NAUTES_TEST_BAO", bao.path());
    if let Some(seed) = seed {
        attack = attack.env("NAUTES_ATTACK_SEED", seed.to_string());
    }
    Ok(attack.finish_showing_all()?.is_success())
}
