//! A stand-in for the controller of Argo Events: it runs a program for each `EventSource` and Sensor of a control plane.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use super::gateway::Gateway;
use super::{ArgoEvents, RunningEventSource, RunningSensor, secrets};
use crate::kubernetes::ControlPlane;
use crate::{Error, progress};

/// How often the objects are looked at.
const INTERVAL: Duration = Duration::from_secs(1);

/// The wait after a failure, which repeats itself.
const RETRY_INTERVAL: Duration = Duration::from_secs(5);

/// Runs the programs of Argo Events, and a gateway that GitLab calls.
#[derive(Debug)]
pub(crate) struct Controller<'a> {
    control_plane: &'a ControlPlane,
    events: ArgoEvents<'a>,
    gateway: Gateway,
    event_sources: Programs<RunningEventSource>,
    sensors: Programs<RunningSensor>,
}

/// Running programs, with what they were started from.
type Programs<P> = BTreeMap<Name, (Inputs, P)>;

/// Namespace and name of an object.
type Name = (String, String);

/// What a program is started from; it sees no later change.
#[derive(Debug, PartialEq)]
struct Inputs {
    uid: Option<Value>,
    spec: Value,
    /// The contents of Secrets by path.
    secrets: BTreeMap<String, String>,
}

impl<'a> Controller<'a> {
    /// Obtains the programs, and starts the bus and the gateway. Logs are in `folder`.
    pub(crate) fn start(control_plane: &'a ControlPlane, folder: &Path) -> Result<Self, Error> {
        Ok(Self {
            control_plane,
            events: ArgoEvents::start(control_plane, folder)?,
            gateway: Gateway::start()?,
            event_sources: Programs::new(),
            sensors: Programs::new(),
        })
    }

    /// Returns the URL of the gateway.
    pub(crate) fn gateway_url(&self) -> String {
        self.gateway.url()
    }

    /// Starts, restarts and ends programs as the objects change, for ever.
    pub(crate) fn run(mut self) -> ! {
        loop {
            let interval = match self.reconcile() {
                Ok(()) => INTERVAL,
                Err(error) => {
                    progress::say(&error.error_chain());
                    RETRY_INTERVAL
                }
            };
            std::thread::sleep(interval);
        }
    }

    fn reconcile(&mut self) -> Result<(), Error> {
        let wanted = self.wanted("eventsources")?;
        let events = &self.events;
        let started = reconcile(
            &mut self.event_sources,
            wanted,
            |(namespace, name)| events.run_event_source(namespace, name),
            RunningEventSource::is_running,
        );
        let routes = self.event_sources.values();
        let routes = routes.flat_map(|(inputs, running)| {
            let paths = webhook_paths(&inputs.spec).into_iter();
            paths.map(|path| (path, running.url().to_owned()))
        });
        self.gateway.set_routes(routes.collect());
        started?;
        let wanted = self.wanted("sensors")?;
        reconcile(
            &mut self.sensors,
            wanted,
            |(namespace, name)| events.run_sensor(namespace, name),
            RunningSensor::is_running,
        )
    }

    /// Lists the objects of a kind.
    fn wanted(&self, resource: &str) -> Result<BTreeMap<Name, Inputs>, Error> {
        let path = format!("/apis/argoproj.io/v1alpha1/{resource}");
        let listed = self.control_plane.api(Method::GET, &path, None)?;
        let items = listed.get("items").and_then(Value::as_array);
        let mut wanted = BTreeMap::new();
        for object in items.into_iter().flatten() {
            let text = |pointer| object.pointer(pointer).and_then(Value::as_str);
            let (Some(namespace), Some(name)) =
                (text("/metadata/namespace"), text("/metadata/name"))
            else {
                continue;
            };
            if text("/metadata/deletionTimestamp").is_some() {
                continue;
            }
            let inputs = Inputs {
                uid: object.pointer("/metadata/uid").cloned(),
                spec: object.get("spec").cloned().unwrap_or_default(),
                secrets: secrets::files(self.control_plane, namespace, object)?,
            };
            wanted.insert((namespace.to_owned(), name.to_owned()), inputs);
        }
        Ok(wanted)
    }
}

/// Ends what is not wanted, has changed or has failed, and starts what is missing. A program that cannot be started
/// does not keep others from starting; the first error is returned.
fn reconcile<P>(
    running: &mut Programs<P>,
    wanted: BTreeMap<Name, Inputs>,
    start: impl Fn(&Name) -> Result<P, Error>,
    is_running: impl Fn(&mut P) -> bool,
) -> Result<(), Error> {
    running
        .retain(|name, (inputs, program)| wanted.get(name) == Some(inputs) && is_running(program));
    let mut result = Ok(());
    for (name, inputs) in wanted {
        if running.contains_key(&name) {
            continue;
        }
        match start(&name) {
            Ok(program) => {
                running.insert(name, (inputs, program));
            }
            Err(error) => result = result.and(Err(error)),
        }
    }
    result
}

/// Returns the paths at which an `EventSource` listens to GitLab.
fn webhook_paths(spec: &Value) -> Vec<String> {
    let sources = spec.get("gitlab").and_then(Value::as_object);
    let sources = sources.into_iter().flat_map(|sources| sources.values());
    sources
        .filter_map(|source| source.pointer("/webhook/endpoint")?.as_str())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use serde_json::json;

    use super::*;

    fn inputs(spec: u64) -> Inputs {
        Inputs {
            uid: None,
            spec: json!(spec),
            secrets: BTreeMap::new(),
        }
    }

    fn name(name: &str) -> Name {
        ("argo-events".to_owned(), name.to_owned())
    }

    #[test]
    fn only_what_has_changed_or_failed_is_started_again() {
        let started = RefCell::new(Vec::new());
        let mut running: Programs<bool> = ["kept", "changed", "failed", "removed"]
            .map(|it| (name(it), (inputs(1), it != "failed")))
            .into();
        let wanted = [("kept", 1), ("changed", 2), ("failed", 1), ("added", 1)];
        let wanted = wanted.map(|(it, spec)| (name(it), inputs(spec))).into();
        let start = |name: &Name| {
            started.borrow_mut().push(name.1.clone());
            Ok(true)
        };
        reconcile(&mut running, wanted, start, |is_running| *is_running).unwrap();
        assert_eq!(*started.borrow(), ["added", "changed", "failed"]);
        let names: Vec<_> = running.keys().map(|(_, name)| name.as_str()).collect();
        assert_eq!(names, ["added", "changed", "failed", "kept"]);
    }

    #[test]
    fn paths_are_those_of_hooks() {
        let spec = json!({ "gitlab": {
            "repo-1": { "webhook": { "endpoint": "/product-1-a/repo-1" } },
            "repo-2": { "webhook": { "endpoint": "/product-1-a/repo-2" } },
        } });
        let expected = ["/product-1-a/repo-1", "/product-1-a/repo-2"];
        assert_eq!(webhook_paths(&spec), expected);
        assert_eq!(webhook_paths(&json!({ "calendar": {} })), [""; 0]);
    }
}
