//! P23: a no-op plan of 1,000 resources of the floor, over 1,000 of Terraform's own `terraform_data`.

use std::path::PathBuf;
use std::time::Duration;

use testbed::cargo::{target_folder, workspace_root};
use testbed::progress::step;
use testbed::{Invocation, Provider};

use super::configurations::data;
use super::figure::{Figure, Value};
use super::metric::Metric;
use super::no_op_plan::empty_plan;
use super::sample::medians_in_turn;
use super::setup::Bench;

const RESOURCES: usize = 1_000;
const ROUNDS: usize = 5;

/// The provider on Go's framework, which has the address and the resource of the floor.
const GO_FLOOR: &str = "tests/testbed/go_floor";

pub(super) const METRIC: Metric = Metric {
    id: "P23",
    title: "no-op plan of 1,000 resources of the floor, over `terraform_data`",
    conclusion: "Terraform itself implements `terraform_data`, without requests to another process. If the ratio is near 1 \
                 or less, a provider on this framework adds nothing that a user would notice.",
    measure,
};

fn measure(bench: &Bench) -> anyhow::Result<Figure> {
    let builtin = bench.applied_builtin(&data("terraform_data", RESOURCES))?;
    let floor = bench.applied(bench.floor()?, &data("floor_data", RESOURCES))?;
    let (builtin, floor, go) = if let Some(executable) = build_go_floor()? {
        let go = bench.applied(&Provider::floor(executable), &data("floor_data", RESOURCES))?;
        let plans = [&builtin, &floor, &go].map(empty_plan);
        let [builtin, floor, go] = medians_in_turn(ROUNDS, plans)?;
        (builtin, floor, Some(go))
    } else {
        let plans = [&builtin, &floor].map(empty_plan);
        let [builtin, floor] = medians_in_turn(ROUNDS, plans)?;
        (builtin, floor, None)
    };
    let ratio = |duration: Duration| duration.as_secs_f64() / builtin.as_secs_f64();
    let go = go.map_or_else(
        || "not measured, since Go is not installed".to_owned(),
        |go| format!("{:.2}x, {:.2} s", ratio(go), go.as_secs_f64()),
    );
    Ok(Figure::new(
        vec![Value::new(ratio(floor), 1.3, "x `terraform_data`")],
        format!(
            "{ROUNDS} plans each, medians: {:.2} s, `terraform_data` {:.2} s; a provider of the same shape on Go's \
             terraform-plugin-framework: {go}",
            floor.as_secs_f64(),
            builtin.as_secs_f64(),
        ),
    ))
}

/// Builds the provider on Go's framework, if Go is installed.
fn build_go_floor() -> anyhow::Result<Option<PathBuf>> {
    if Invocation::new("go").arg("version").finish().is_err() {
        return Ok(None);
    }
    let executable = target_folder().join("benchmarks/go-floor");
    let build = Invocation::new("go")
        .args([
            "build",
            "-trimpath",
            "-mod=readonly",
            "-ldflags",
            "-s -w",
            "-o",
        ])
        .arg(&executable)
        .arg(".")
        .current_dir(workspace_root().join(GO_FLOOR))
        .env("CGO_ENABLED", "0")
        // A workspace file above the checkout must not replace the pinned versions.
        .env("GOWORK", "off");
    step("  building a provider with Go", || build.finish())?.success()?;
    Ok(Some(executable))
}
