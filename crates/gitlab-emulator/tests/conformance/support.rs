//! A running emulator and clients of its API.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use gitlab_emulator::Emulator;
use serde_json::{Map, Value, json};

/// An emulator for a single test.
pub(crate) struct TestInstance {
    pub(crate) emulator: Emulator,
    http: reqwest::Client,
}

impl TestInstance {
    pub(crate) async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let emulator = Emulator::builder().start().await.unwrap();
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Self { emulator, http }
    }

    /// Returns a client without a token.
    pub(crate) fn anonymous(&self) -> Client {
        self.client("")
    }

    /// Returns a client with a token.
    pub(crate) fn client(&self, token: &str) -> Client {
        Client {
            url: self.emulator.url.clone(),
            token: token.to_owned(),
            id: 0,
            http: self.http.clone(),
        }
    }

    /// Returns a client of the administrator.
    pub(crate) fn root(&self) -> Client {
        let mut root = self.client(&self.emulator.root_token);
        root.id = 1;
        root
    }

    /// Creates an ordinary user; returns a client with the scope `api`.
    pub(crate) async fn user(&self, name: &str) -> Client {
        let user = json!({ "username": name, "name": name, "email": format!("{name}@example.com"),
            "force_random_password": true });
        let user = self.root().post("/users", user).await.created();
        let id = user["id"].as_u64().unwrap();
        self.create_token(id, &["api", "read_repository", "write_repository"])
            .await
    }

    /// Creates a token for a user; returns its client.
    pub(crate) async fn create_token(&self, user: u64, scopes: &[&str]) -> Client {
        let token = json!({ "name": "test", "scopes": scopes });
        let path = format!("/users/{user}/personal_access_tokens");
        let token = self.root().post(&path, token).await.created();
        let mut client = self.client(token["token"].as_str().unwrap());
        client.id = user;
        client
    }

    /// Creates a user who is a member of a project.
    pub(crate) async fn member(&self, name: &str, project: &Value, level: u64) -> Client {
        let client = self.user(name).await;
        let member = json!({ "user_id": client.id, "access_level": level });
        let path = format!("/projects/{}/members", project["id"]);
        self.root().post(&path, member).await.created();
        client
    }

    /// Creates a top-level group owned by the administrator.
    pub(crate) async fn group(&self, path: &str) -> Value {
        self.root()
            .post("/groups", json!({ "name": path, "path": path }))
            .await
            .created()
    }

    /// Creates a subgroup owned by the administrator.
    pub(crate) async fn subgroup(&self, parent: &Value, path: &str) -> Value {
        let group = json!({ "name": path, "path": path, "parent_id": parent["id"] });
        self.root().post("/groups", group).await.created()
    }

    /// Creates a project with a README in a new group and waits until its default branch is
    /// protected.
    pub(crate) async fn project(&self) -> Value {
        let group = self.group("platform").await;
        self.project_in(&group, "app", json!({ "initialize_with_readme": true }))
            .await
    }

    /// Creates a project in a group.
    pub(crate) async fn project_in(&self, group: &Value, path: &str, more: Value) -> Value {
        let mut project = json!({ "path": path, "namespace_id": group["id"] });
        merge(&mut project, more);
        let project = self.root().post("/projects", project).await.created();
        self.emulator.wait_until_idle().await;
        project
    }

    /// Returns a git URL with user name and password.
    pub(crate) fn git_url(&self, user: &str, password: &str, path: &str) -> String {
        let host = self.emulator.url.trim_start_matches("http://");
        if user.is_empty() {
            format!("http://{host}/{path}.git")
        } else {
            format!("http://{user}:{password}@{host}/{path}.git")
        }
    }
}

/// A client of the API.
#[derive(Clone)]
pub(crate) struct Client {
    url: String,
    pub(crate) token: String,
    /// ID of the user, if known.
    pub(crate) id: u64,
    http: reqwest::Client,
}

impl Client {
    pub(crate) async fn get(&self, path: &str) -> Response {
        self.send("GET", path, &[], None).await
    }

    pub(crate) async fn head(&self, path: &str) -> Response {
        self.send("HEAD", path, &[], None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Response {
        self.send("POST", path, &[], Some(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Response {
        self.send("PUT", path, &[], Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Response {
        self.send("PATCH", path, &[], Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Response {
        self.send("DELETE", path, &[], None).await
    }

    pub(crate) async fn delete_with(&self, path: &str, body: Value) -> Response {
        self.send("DELETE", path, &[], Some(body)).await
    }

    /// Sends a request with headers; the token is added unless they have one.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Response {
        let url = if path.starts_with("/-/") || path.starts_with("/api") {
            format!("{}{path}", self.url)
        } else {
            format!("{}/api/v4{path}", self.url)
        };
        let mut request = self.http.request(method.parse().unwrap(), url);
        if !self.token.is_empty() {
            request = request.header("PRIVATE-TOKEN", &self.token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        Response::read(request.send().await.unwrap()).await
    }

    /// Sends a request with a body of any type.
    pub(crate) async fn post_raw(&self, path: &str, kind: &str, body: Vec<u8>) -> Response {
        let request = self
            .http
            .post(format!("{}/api/v4{path}", self.url))
            .header("PRIVATE-TOKEN", &self.token)
            .header("content-type", kind)
            .body(body);
        Response::read(request.send().await.unwrap()).await
    }

    /// Creates a commit and returns it.
    pub(crate) async fn commit(&self, project: &Value, branch: &str, actions: Value) -> Value {
        self.try_commit(project, branch, actions).await.created()
    }

    /// Tries to create a commit.
    pub(crate) async fn try_commit(
        &self,
        project: &Value,
        branch: &str,
        actions: Value,
    ) -> Response {
        let commit = json!({ "branch": branch, "commit_message": "change", "actions": actions });
        self.post(&commits(project), commit).await
    }
}

/// Returns the path of a project's commits.
pub(crate) fn commits(project: &Value) -> String {
    format!("/projects/{}/repository/commits", project["id"])
}

/// Returns the path of a file in a project.
pub(crate) fn file(project: &Value, path: &str) -> String {
    let path = path.replace('/', "%2F");
    format!("/projects/{}/repository/files/{path}", project["id"])
}

/// Returns an action that creates a file.
pub(crate) fn creates(path: &str, content: &str) -> Value {
    json!({ "action": "create", "file_path": path, "content": content })
}

/// Returns an action that updates a file.
pub(crate) fn updates(path: &str, content: &str) -> Value {
    json!({ "action": "update", "file_path": path, "content": content })
}

/// A complete response.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) text: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) json: Value,
}

impl Response {
    async fn read(response: reqwest::Response) -> Self {
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| {
                (
                    name.as_str().to_owned(),
                    String::from_utf8_lossy(value.as_bytes()).into_owned(),
                )
            })
            .collect();
        let bytes = response.bytes().await.unwrap().to_vec();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Self {
            status,
            headers,
            text,
            bytes,
            json,
        }
    }

    /// Asserts status and body.
    #[track_caller]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "bodies are written where they are passed"
    )]
    pub(crate) fn assert_json(&self, status: u16, body: Value) {
        assert_eq!((self.status, &self.json), (status, &body), "{}", self.text);
    }

    /// Asserts the status and a text under `message`.
    #[track_caller]
    pub(crate) fn assert_message(&self, status: u16, message: &str) {
        self.assert_json(status, json!({ "message": message }));
    }

    /// Asserts the status and a text under `error`.
    #[track_caller]
    pub(crate) fn assert_error(&self, status: u16, error: &str) {
        self.assert_json(status, json!({ "error": error }));
    }

    /// Asserts the status.
    #[track_caller]
    pub(crate) fn assert_status(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// Asserts status 200 and returns the body.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        self.assert_status(200).json
    }

    /// Asserts status 201 and returns the body.
    #[track_caller]
    pub(crate) fn created(self) -> Value {
        self.assert_status(201).json
    }

    /// Returns a header; empty if missing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// Merges the members of `more` into an object.
pub(crate) fn merge(one: &mut Value, more: Value) {
    if let (Value::Object(one), Value::Object(more)) = (one, more) {
        one.extend::<Map<String, Value>>(more);
    }
}

/// Runs git in a folder, isolated from the user's git configuration.
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> Output {
    Command::new("git")
        .current_dir(folder)
        .args(["-c", "user.name=Test", "-c", "user.email=test@example.com"])
        .args(["-c", "protocol.version=2", "-c", "init.defaultBranch=main"])
        .args(arguments)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("no_proxy", "*")
        .output()
        .unwrap()
}

/// Runs git without blocking the emulator; asserts success.
pub(crate) async fn git_ok(folder: &Path, arguments: &[&str]) -> String {
    let output = git_output(folder, arguments).await;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs git without blocking the emulator; asserts failure and returns its error output.
pub(crate) async fn git_error(folder: &Path, arguments: &[&str]) -> String {
    let output = git_output(folder, arguments).await;
    assert!(!output.status.success(), "git {arguments:?} succeeded");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

async fn git_output(folder: &Path, arguments: &[&str]) -> Output {
    let folder = folder.to_owned();
    let arguments: Vec<String> = arguments
        .iter()
        .map(|&argument| argument.to_owned())
        .collect();
    let run = move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        git(&folder, &arguments)
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}
