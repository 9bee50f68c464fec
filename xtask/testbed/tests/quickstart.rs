//! Runs the quickstart as the README describes it: twice, with changes by hand, and with `--destroy`.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use testbed::{Error, Finished, Invocation};

/// How long a run may take to appear after a push.
const RUN_LIMIT: Duration = Duration::from_secs(120);

fn quickstart(folder: &Path, arguments: &[&str]) -> Result<Finished, Error> {
    Invocation::new(env!("CARGO_BIN_EXE_xtask-testbed"))
        .arg("quickstart")
        .arg("--folder")
        .arg(folder)
        .args(arguments)
        .finish()?
        .success()
}

/// Runs a command as the report of the quickstart describes.
fn run_in_shell(folder: &Path, command: &str) -> Result<Finished, Error> {
    let script = format!(
        ". '{0}/env' && cd '{0}/configuration' && {command}",
        folder.display()
    );
    Invocation::new("sh")
        .args(["-c", &script])
        .finish()?
        .success()
}

/// Returns the commands of the report that push, and the one that lists runs.
fn push_commands(report: &str) -> (String, String) {
    let commands: Vec<&str> = report
        .lines()
        .skip_while(|line| !line.starts_with("Push, and watch"))
        .skip_while(|line| !line.starts_with("  "))
        .take_while(|line| line.starts_with("  "))
        .map(str::trim)
        .collect();
    let (watch, push) = commands.split_last().unwrap_or((&"", &[]));
    let list = format!("{} -o name", watch.trim_end_matches(" --watch"));
    (format!("set -e; {}", push.join("\n")), list)
}

#[test]
fn a_quickstart_is_repeated_changed_and_destroyed() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("quickstart");

    let first = quickstart(&folder, &[]).unwrap();
    assert!(first.stdout.contains("No changes."), "{}", first.stdout);
    assert!(first.stdout.contains("├── catalog\n"), "{}", first.stdout);
    for object in [
        "namespace/shop-checkout-ci",
        "sensor.argoproj.io/product-",
        "namespace/shop-checkout",
        "application.argoproj.io/product-",
    ] {
        assert!(
            first.stdout.contains(object),
            "no {object} in {}",
            first.stdout
        );
    }
    let (push, list) = push_commands(&first.stdout);
    run_in_shell(&folder, &push).unwrap();
    let begun = Instant::now();
    while run_in_shell(&folder, &list).unwrap().stdout.is_empty() {
        assert!(begun.elapsed() < RUN_LIMIT, "no run appears");
        std::thread::sleep(Duration::from_millis(200));
    }
    let second = quickstart(&folder, &[]).unwrap();
    assert!(
        second.stderr.contains("is already running"),
        "{}",
        second.stderr
    );
    assert!(
        second.stdout.contains("0 added, 0 changed, 0 destroyed"),
        "{}",
        second.stdout
    );

    let clone = "git clone -q http://oauth2:$NAUTES_GITLAB_TOKEN@${NAUTES_GITLAB_URL#http://}/shop/default.project.git again";
    run_in_shell(&folder, clone).unwrap();
    assert!(
        folder
            .join("configuration/again/envs/staging.yaml")
            .is_file()
    );
    let variables = folder.join("configuration/variables.tf");
    let changed = fs::read_to_string(&variables)
        .unwrap()
        .replace("catalog ", "basket ")
        .replace(r#""catalog""#, r#""basket""#);
    fs::write(&variables, changed).unwrap();
    let third = quickstart(&folder, &[]).unwrap();
    assert!(
        third.stdout.contains("3 added, 2 changed, 3 destroyed"),
        "{}",
        third.stdout
    );

    let destroyed = quickstart(&folder, &["--destroy"]).unwrap();
    assert!(
        destroyed.stdout.contains("Destroy complete!"),
        "{}",
        destroyed.stdout
    );
    assert!(!folder.exists());
    let again = quickstart(&folder, &["--destroy"]).unwrap();
    assert!(
        again.stderr.contains("No quickstart is running"),
        "{}",
        again.stderr
    );
}
