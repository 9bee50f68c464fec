//! Tests of the test bed with a real Kubernetes control plane.

#[cfg(test)]
mod control_plane;
#[cfg(test)]
mod proxy;
#[cfg(test)]
mod stand_in;

#[cfg(test)]
use testbed::ControlPlane;

/// Repeats `check` until it returns a value.
#[cfg(test)]
fn wait_for<T>(what: &str, mut check: impl FnMut() -> Option<T>) -> T {
    let begun = std::time::Instant::now();
    loop {
        if let Some(value) = check() {
            return value;
        }
        let limit = std::time::Duration::from_secs(120);
        assert!(begun.elapsed() < limit, "{what} did not happen in time");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

/// Creates a namespace of the shared control plane, and waits until pods can be created in it.
#[cfg(test)]
fn namespace(name: &str) -> &'static ControlPlane {
    let control_plane = ControlPlane::shared().unwrap();
    control_plane
        .kubectl(["create", "namespace", name])
        .unwrap();
    let account = format!("/api/v1/namespaces/{name}/serviceaccounts/default");
    wait_for("the service account", || {
        control_plane.get(&account).unwrap()
    });
    control_plane
}
