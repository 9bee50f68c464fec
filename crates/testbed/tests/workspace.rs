//! Workspaces with a real command line and its built-in resource.

use testbed::cargo::{self, Executable};
use testbed::{Error, Provider, Terraform, Workspace};

const CONFIGURATION: &str = r#"
variable "fails" {
  default = false
}

resource "terraform_data" "example" {
  input = "first"

  lifecycle {
    precondition {
      condition     = !var.fails
      error_message = "It was asked to fail, and a sentence that is long enough is wrapped in text."
    }
  }
}

output "value" {
  value = terraform_data.example.output
}
"#;

fn workspace() -> Result<Workspace, Error> {
    // Never started: the configuration does not use it.
    let provider = Provider::nautes("/nonexistent");
    let workspace = Workspace::new(Terraform::obtain()?, &provider)?;
    workspace.write("main.tf", CONFIGURATION)?;
    Ok(workspace)
}

#[test]
fn a_workspace_manages_the_lifecycle_of_a_resource() {
    let workspace = workspace().unwrap();
    workspace.validate().unwrap();
    let plan = workspace.plan().unwrap();
    assert_eq!(plan.action("terraform_data.example"), Some("create"));
    assert!(
        workspace
            .show_plan()
            .unwrap()
            .get("resource_changes")
            .is_some()
    );
    workspace.apply_plan().unwrap();
    workspace.assert_empty_plan("after apply").unwrap();
    assert_eq!(workspace.outputs().unwrap()["value"], "first");
    assert_eq!(
        workspace.resource("terraform_data.example").unwrap()["output"],
        "first"
    );

    workspace
        .write("main.tf", &CONFIGURATION.replace("first", "second"))
        .unwrap();
    let error = workspace
        .assert_empty_plan("after a change")
        .unwrap_err()
        .to_string();
    assert!(error.contains("update terraform_data.example"), "{error}");
    workspace.apply().unwrap();

    workspace.destroy().unwrap();
    assert!(workspace.addresses().unwrap().is_empty());
    let error = workspace.resource("terraform_data.example").unwrap_err();
    assert!(matches!(error, Error::NotInState { .. }), "{error}");
}

#[test]
fn a_failed_command_is_an_error_with_its_diagnostics_unless_it_is_expected() {
    let workspace = workspace().unwrap().env("TF_VAR_fails", "true");
    let error = workspace.plan().unwrap_err().to_string();
    assert!(
        error.contains("error: Resource precondition failed"),
        "{error}"
    );
    assert!(error.contains("It was asked to fail"), "{error}");
    let outcome = workspace.failing_plan().unwrap();
    let errors: Vec<_> = outcome
        .errors()
        .map(|error| error.summary.as_str())
        .collect();
    assert_eq!(errors, ["Resource precondition failed"]);

    let outcome = workspace
        .failing_import("terraform_data.missing", "id")
        .unwrap();
    assert!(
        outcome
            .text()
            .contains("does not exist in the configuration"),
        "{}",
        outcome.text()
    );

    let workspace = workspace.env("TF_VAR_fails", "false");
    let error = workspace.failing_plan().unwrap_err();
    assert!(matches!(error, Error::UnexpectedSuccess { .. }), "{error}");
}

#[test]
fn a_built_provider_is_available_without_init() {
    let executable = cargo::build(Executable::FLOOR, &[]).unwrap();
    let floor = Provider::floor(executable);
    let workspace = Workspace::new(Terraform::obtain().unwrap(), &floor).unwrap();
    let resource = "resource \"floor_item\" \"example\" {\n  input = \"kept\"\n}\n";
    workspace
        .write("main.tf", &(floor.requirement() + resource))
        .unwrap();
    let applied = workspace.apply().unwrap();
    assert_eq!(
        applied.outcome.warnings().count(),
        0,
        "{}",
        applied.outcome.text()
    );
    assert_eq!(
        workspace.resource("floor_item.example").unwrap()["input"],
        "kept"
    );
    workspace.destroy().unwrap();
}
