//! The real Argo Events: its `EventSource` and Sensor programs run the objects that a test has applied
//! to a control plane, and pass events through a real NATS server with `JetStream`.
//!
//! Each program has a network and a root folder of its own, because it listens at fixed ports on all
//! addresses, and reads Secrets at fixed paths. Its controller does not run: a test says which objects
//! are run, and [`ArgoEvents::check`] validates them as the controller does.
//!
//! Limits: Linux only, with permission to make namespaces (root, or unprivileged user namespaces).

mod bus;
mod controller;
mod gateway;
mod pod;
mod secrets;

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use self::bus::Bus;
use self::pod::{API_SERVER_PORT, BUS_PORT, Pod};
use crate::free_ports::free_ports;
use crate::go_tool::GoTool;
use crate::kubernetes::ControlPlane;
use crate::server_process::ServerProcess;
use crate::{Error, progress};

pub(crate) use self::controller::Controller;

/// How long a program may take until it works.
const START_LIMIT: Duration = Duration::from_secs(60);

/// The resource path of the API of Argo Events.
const API: &str = "/apis/argoproj.io/v1alpha1/namespaces";

/// How long the token of a Sensor lives: longer than anybody leaves one running.
const TOKEN_LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);

const GO_TOOL: GoTool = GoTool {
    title: "Argo Events",
    program: "argo-events",
    folder: "controllers/argo_events",
    module: "github.com/argoproj/argo-events",
    package: ".",
    linker_flags: "-s -w",
    usual_duration: "five minutes on two cores",
};

/// The programs of Argo Events and of its bus, in one file.
#[derive(Debug, Clone)]
pub struct ArgoEventsProgram {
    path: PathBuf,
}

impl ArgoEventsProgram {
    /// Builds the programs with Go, unless they are in the cache.
    pub fn obtain() -> Result<Self, Error> {
        GO_TOOL
            .obtain()
            .map(|path| Self { path })
            .map_err(|error| Error::Unobtainable {
                tool: GO_TOOL.title.to_owned(),
                attempts: error.error_chain(),
                remedy: "Install Go.".to_owned(),
            })
    }
}

/// The programs of Argo Events beside a control plane, and their bus.
#[derive(Debug)]
pub struct ArgoEvents<'a> {
    control_plane: &'a ControlPlane,
    program: PathBuf,
    folder: PathBuf,
    bus: Bus,
}

/// A running program of an `EventSource`. Dropping it ends the program.
#[derive(Debug)]
pub struct RunningEventSource {
    url: String,
    process: ServerProcess,
}

/// A running program of a Sensor. Dropping it ends the program.
#[derive(Debug)]
pub struct RunningSensor {
    process: ServerProcess,
}

impl<'a> ArgoEvents<'a> {
    /// Obtains the programs, and starts a bus with its data and all logs in `folder`.
    pub fn start(control_plane: &'a ControlPlane, folder: &Path) -> Result<Self, Error> {
        let program = ArgoEventsProgram::obtain()?.path;
        std::fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
        let bus = progress::when_slow("starting NATS", || Bus::start(&program, folder))?;
        Ok(Self {
            control_plane,
            program,
            folder: folder.to_owned(),
            bus,
        })
    }

    /// Validates an `EventSource` or a Sensor as the controller of Argo Events does.
    pub fn check(&self, object: &Value) -> Result<(), Error> {
        let file = self.path("object.yaml");
        std::fs::write(&file, object.to_string()).map_err(Error::file("write", &file))?;
        crate::Invocation::new(&self.program)
            .args(["argo-events", "lint", "--strict"])
            .arg(&file)
            .finish()?
            .success()
            .map(|_| ())
    }

    /// Runs the program of an `EventSource` with a webhook, and waits until it listens.
    ///
    /// The Secrets that the object names are read now: like a pod, the program does not see a later change.
    pub fn run_event_source(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<RunningEventSource, Error> {
        let object = self.read("eventsources", namespace, name)?;
        let [port] = free_ports(name)?;
        let mut pod = self.pod("eventsource-service", &object)?;
        pod.environment.insert(
            "EVENTSOURCE_OBJECT".to_owned(),
            STANDARD.encode(object.to_string()),
        );
        if let Some(target) = object
            .pointer("/spec/service/ports/0/targetPort")
            .and_then(Value::as_u64)
        {
            pod.inbound.insert(format!("127.0.0.1:{port}"), target);
        }
        let mut process = pod.start(&self.program, &self.folder, name)?;
        let webhooks = object.pointer("/spec/gitlab").and_then(Value::as_object);
        let webhooks = webhooks.map_or(0, Map::len);
        wait_for(&mut process, name, "Eventing server started.", 1)?;
        wait_for(&mut process, name, "route is activated", webhooks)?;
        Ok(RunningEventSource {
            url: format!("http://127.0.0.1:{port}"),
            process,
        })
    }

    /// Runs the program of a Sensor as the service account that it names, and waits until it has
    /// subscribed to all of its events.
    pub fn run_sensor(&self, namespace: &str, name: &str) -> Result<RunningSensor, Error> {
        let object = self.read("sensors", namespace, name)?;
        let account = object
            .pointer("/spec/template/serviceAccountName")
            .and_then(Value::as_str)
            .unwrap_or("default");
        let mut pod = self.pod("sensor-service", &object)?;
        pod.environment.insert(
            "SENSOR_OBJECT".to_owned(),
            STANDARD.encode(object.to_string()),
        );
        for (variable, value) in [
            ("KUBECONFIG", pod::KUBECONFIG),
            // Subscriptions are logged at this level alone.
            ("LOG_LEVEL", "debug"),
        ] {
            pod.environment
                .insert(variable.to_owned(), value.to_owned());
        }
        let kubeconfig = self.kubeconfig(namespace, account)?;
        pod.files.insert(pod::KUBECONFIG.to_owned(), kubeconfig);
        pod.outbound
            .insert(API_SERVER_PORT, self.control_plane.address());
        let mut process = pod.start(&self.program, &self.folder, name)?;
        let triggers = object.pointer("/spec/triggers").and_then(Value::as_array);
        let triggers = triggers.map_or(0, Vec::len);
        wait_for(&mut process, name, "successfully subscribed to", triggers)?;
        Ok(RunningSensor { process })
    }

    fn read(&self, resource: &str, namespace: &str, name: &str) -> Result<Value, Error> {
        let path = format!("{API}/{namespace}/{resource}/{name}");
        self.control_plane.api(Method::GET, &path, None)
    }

    /// Makes a pod with what the programs have in common.
    fn pod(&self, command: &'static str, object: &Value) -> Result<Pod, Error> {
        let text = |pointer| object.pointer(pointer).and_then(Value::as_str);
        let namespace = text("/metadata/namespace").unwrap_or_default();
        let name = text("/metadata/name").unwrap_or_default();
        let mut pod = Pod::new("argo-events", command);
        for (variable, value) in [
            (
                "EVENTBUS_CONFIG",
                STANDARD.encode(Bus::config().to_string()),
            ),
            ("EVENTBUS_SUBJECT", format!("eventbus-{namespace}")),
            ("POD_NAME", format!("{name}-0")),
            ("NAMESPACE", namespace.to_owned()),
        ] {
            pod.environment.insert(variable.to_owned(), value);
        }
        pod.outbound.insert(BUS_PORT, self.bus.address.clone());
        pod.files
            .extend(secrets::files(self.control_plane, namespace, object)?);
        Ok(pod)
    }

    /// Makes a kubeconfig with a token of a service account, for the inside of a pod.
    fn kubeconfig(&self, namespace: &str, account: &str) -> Result<String, Error> {
        let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token");
        let request = json!({ "spec": { "expirationSeconds": TOKEN_LIFETIME.as_secs() } });
        let answer = self
            .control_plane
            .api(Method::POST, &path, Some(&request))?;
        let token = answer
            .pointer("/status/token")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let server = format!("https://127.0.0.1:{API_SERVER_PORT}");
        Ok(self.control_plane.kubeconfig_with_token(&server, token))
    }

    fn path(&self, suffix: &str) -> PathBuf {
        self.folder.join(format!("{}-{suffix}", Uuid::new_v4()))
    }
}

impl RunningEventSource {
    /// Returns the address that stands for the Service of the `EventSource`, without a path.
    pub fn url(&self) -> &str {
        &self.url
    }

    fn is_running(&mut self) -> bool {
        self.process.check_running("event source").is_ok()
    }
}

impl RunningSensor {
    fn is_running(&mut self) -> bool {
        self.process.check_running("sensor").is_ok()
    }

    /// Returns the log of the program.
    pub fn log(&self) -> Result<String, Error> {
        read_log(self.process.log())
    }
}

/// Waits until a program has logged a text a number of times.
fn wait_for(
    process: &mut ServerProcess,
    name: &str,
    text: &str,
    times: usize,
) -> Result<(), Error> {
    let log = process.log().to_owned();
    process.wait_until(name, START_LIMIT, || {
        Ok((read_log(&log)?.matches(text).count() >= times).then_some(()))
    })
}

fn read_log(log: &Path) -> Result<String, Error> {
    std::fs::read_to_string(log).map_err(Error::file("read", log))
}
