//! Starting, stopping, killing and restarting the program.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use gitlab_emulator::{Emulator, Error};
use serde_json::{Value, json};

/// The running program.
struct Program {
    child: Child,
    url: String,
    token: String,
    http: reqwest::Client,
}

impl Program {
    fn start(data: &Path) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut child = Command::new(env!("CARGO_BIN_EXE_gitlab-emulator"))
            .args(["--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["pid"], child.id());
        Self {
            child,
            url: line["url"].as_str().unwrap().to_owned(),
            token: line["root_token"].as_str().unwrap().to_owned(),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }

    async fn get(&self, path: &str) -> Value {
        let request = self.http.get(format!("{}/api/v4{path}", self.url));
        let response = request
            .header("PRIVATE-TOKEN", &self.token)
            .send()
            .await
            .unwrap();
        assert!(
            response.status().is_success(),
            "{path}: {}",
            response.status()
        );
        response.json().await.unwrap()
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let request = self
            .http
            .post(format!("{}/api/v4{path}", self.url))
            .json(body);
        let response = request
            .header("PRIVATE-TOKEN", &self.token)
            .send()
            .await
            .unwrap();
        assert!(
            response.status().is_success(),
            "{path}: {}",
            response.status()
        );
        response.json().await.unwrap()
    }

    /// Creates one object of each stored kind; returns paths and bodies that must survive a
    /// restart.
    async fn fill(&self) -> Vec<(String, Value)> {
        let group = self
            .post(
                "/groups",
                &json!({ "name": "platform", "path": "platform" }),
            )
            .await;
        let project = json!({
            "name": "app", "namespace_id": group["id"], "initialize_with_readme": true,
        });
        let project = self.post("/projects", &project).await;
        let path = format!("/projects/{}", project["id"]);
        let commit = json!({
            "branch": "main", "commit_message": "c",
            "actions": [{ "action": "create", "file_path": "a", "content": "1" }],
        });
        self.post(&format!("{path}/repository/commits"), &commit)
            .await;
        let key = json!({
            "title": "ci",
            "key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqt",
        });
        self.post(&format!("{path}/deploy_keys"), &key).await;
        let hook = json!({ "url": "https://hooks.example.com/x", "token": "secret" });
        self.post(&format!("{path}/hooks"), &hook).await;
        let token = json!({ "name": "flux", "scopes": ["read_repository"] });
        self.post(&format!("{path}/access_tokens"), &token).await;
        let mut expected = Vec::new();
        for rest in [
            "/members",
            "/deploy_keys",
            "/hooks",
            "/access_tokens",
            "/repository/tree",
            "/repository/commits",
        ] {
            let path = format!("{path}{rest}");
            let shown = self.get(&path).await;
            expected.push((path, shown));
        }
        expected
    }

    async fn assert_unchanged(&self, expected: &[(String, Value)]) {
        let port = regex::Regex::new(r"127\.0\.0\.1:\d+").unwrap();
        let without_port = |value: &Value| port.replace_all(&value.to_string(), "").into_owned();
        for (path, before) in expected {
            assert_eq!(
                without_port(&self.get(path).await),
                without_port(before),
                "{path}"
            );
        }
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &pid])
                .status()
                .unwrap()
                .success()
        );
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn state_survives_a_stop() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = Program::start(folder.path());
    let expected = first.fill().await;
    first.signal("-TERM");
    assert!(first.child.wait().unwrap().success());
    let second = Program::start(folder.path());
    assert_eq!(second.token, first.token);
    second.assert_unchanged(&expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_state_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = Program::start(folder.path());
    let expected = first.fill().await;
    first.signal("-KILL");
    first.child.wait().unwrap();
    let second = Program::start(folder.path());
    second.assert_unchanged(&expected).await;
    // IDs are not reused after a restart.
    let again = second
        .post("/groups", &json!({ "name": "more", "path": "more" }))
        .await;
    assert!(again["id"].as_u64().unwrap() > 2);
}

#[tokio::test]
async fn data_folder_is_locked() {
    let folder = tempfile::tempdir().unwrap();
    let first = Emulator::builder()
        .data(folder.path())
        .start()
        .await
        .unwrap();
    let second = Emulator::builder().data(folder.path()).start().await;
    assert!(matches!(second, Err(Error::InUse { .. })));
    first.stop().await;
    Emulator::builder()
        .data(folder.path())
        .start()
        .await
        .unwrap();
}
