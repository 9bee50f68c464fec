//! A writer that always commits just before others do.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use nautes_model::ProductId;
use tokio::net::TcpListener;

use super::world::{World, project};
use crate::backends::gitlab::{FileAction, GitLab, NewCommit};

/// A way to the emulator on which, before each commit passes, a manifest is added by hand that the
/// kustomization does not list.
pub(super) struct Opponent {
    gitlab: GitLab,
    destination: String,
    product: ProductId,
    project: u64,
    client: reqwest::Client,
    commits: AtomicU32,
}

impl Opponent {
    /// Starts, and returns the URL of the way.
    pub(super) async fn start(world: &World) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let opponent = Arc::new(Self {
            gitlab: world.gitlab(),
            destination: world.emulator.url.clone(),
            product: world.product,
            project: world.project,
            client: reqwest::Client::new(),
            commits: AtomicU32::new(0),
        });
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let opponent = Arc::clone(&opponent);
                let service = service_fn(move |request| {
                    let opponent = Arc::clone(&opponent);
                    async move { Ok::<_, Infallible>(opponent.pass(request).await) }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        url
    }

    async fn pass(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (mut parts, body) = request.into_parts();
        if parts.method == "POST" && parts.uri.path().ends_with("/repository/commits") {
            self.commit().await;
        }
        parts.headers.remove(header::HOST);
        let answer = self
            .client
            .request(parts.method, format!("{}{}", self.destination, parts.uri))
            .headers(parts.headers)
            .body(body.collect().await.unwrap().to_bytes())
            .send()
            .await
            .unwrap();
        let mut response = Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            if ![header::CONTENT_LENGTH, header::TRANSFER_ENCODING].contains(name) {
                response = response.header(name, value);
            }
        }
        let body = answer.bytes().await.unwrap();
        response.body(Full::from(body)).unwrap()
    }

    async fn commit(&self) {
        let name = format!("theirs-{}", self.commits.fetch_add(1, Ordering::Relaxed));
        let text = nautes_model::manifest::render(&project(self.product, &name, ""));
        let commit = NewCommit {
            branch: "main".into(),
            commit_message: "By hand".into(),
            author_name: None,
            author_email: None,
            actions: vec![FileAction::Create {
                file_path: format!("projects/{name}/{name}.yaml"),
                content: text.into(),
            }],
        };
        let made = self.gitlab.create_commit(self.project, &commit).await;
        made.unwrap();
    }
}
