//! Starting, calling and stopping the emulator.

use std::path::Path;
use std::time::Duration;

use serde_json::json;
use testbed::{
    Emulator, EmulatorOptions, Error, Method, at_most, emulator_executable, exactly, git,
};

fn options(folder: &Path) -> Result<EmulatorOptions, Error> {
    Ok(EmulatorOptions::new(emulator_executable()?, folder))
}

#[test]
fn calls_are_counted_and_repositories_can_be_cloned() {
    let folder = tempfile::tempdir().unwrap();
    let gitlab = Emulator::start(&options(folder.path()).unwrap()).unwrap();
    let (project, calls) = gitlab
        .calls_during(|| {
            let group = json!({ "name": "Shop", "path": "shop" });
            let group = gitlab.api(Method::POST, "/groups", Some(&group)).unwrap();
            let project = json!({
                "name": "app",
                "namespace_id": group["id"],
                "initialize_with_readme": true,
            });
            gitlab
                .api(Method::POST, "/projects", Some(&project))
                .unwrap()
        })
        .unwrap();
    calls.assert_calls(exactly(2));
    calls.to_route("POST /groups").assert_calls(exactly(1));

    let clone = folder.path().join("clone");
    let url = project["http_url_to_repo"].as_str().unwrap();
    git::clone(url, gitlab.root_token(), &clone).unwrap();
    assert!(clone.join("README.md").is_file());
}

#[test]
fn faults_switches_and_the_clock_can_be_controlled() {
    let folder = tempfile::tempdir().unwrap();
    let gitlab = Emulator::start(&options(folder.path()).unwrap()).unwrap();
    let fault =
        json!({ "path": "/user$", "times": 1, "failure": { "respond": { "status": 502 } } });
    gitlab.inject_fault(&fault).unwrap();
    gitlab.clear_faults().unwrap();
    gitlab.inject_fault(&fault).unwrap();
    let error = gitlab.api(Method::GET, "/user", None).unwrap_err();
    assert!(matches!(error, Error::Emulator { .. }), "{error}");
    gitlab.update_switches(&json!({})).unwrap();
    gitlab.advance_clock(Duration::from_secs(3600)).unwrap();
    gitlab.wait_until_idle().unwrap();
    let (user, calls) = gitlab
        .calls_during(|| gitlab.api(Method::GET, "/user", None))
        .unwrap();
    assert_eq!(user.unwrap()["username"], "root");
    calls.assert_calls(at_most(1));
}

#[test]
fn a_detached_emulator_can_be_stopped_and_restarted_with_its_data() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(folder.path()).unwrap();
    let first = options.start_detached().unwrap();
    assert!(first.is_running_in(folder.path()));
    assert!(!first.is_running_in(Path::new("/elsewhere")));
    first.stop(folder.path());
    assert!(!first.is_running_in(folder.path()));

    first.address().clone_into(&mut options.listen);
    let second = options.start_detached().unwrap();
    assert_eq!(
        (&second.url, &second.root_token),
        (&first.url, &first.root_token)
    );
    assert!(!format!("{second:?}").contains(&second.root_token));
    second.stop(folder.path());
    assert!(!second.is_running_in(folder.path()));
}
