//! Answers admission and conversion reviews.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::{Settings, WebhookAnswer};

/// The namespace and name of a Service.
type ServiceName = (String, String);

/// Serves the webhooks of a Service, for ever.
pub(super) async fn serve(
    listener: TcpListener,
    tls: TlsAcceptor,
    service: ServiceName,
    settings: watch::Receiver<Settings>,
) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve_connection(
            stream,
            tls.clone(),
            service.clone(),
            settings.clone(),
        ));
    }
}

async fn serve_connection(
    stream: TcpStream,
    tls: TlsAcceptor,
    service: ServiceName,
    settings: watch::Receiver<Settings>,
) {
    let Ok(stream) = tls.accept(stream).await else {
        return;
    };
    let respond = service_fn(|request| {
        let answer = settings.borrow().webhooks.get(&service).cloned();
        respond(request, answer.unwrap_or_default())
    });
    // The API server makes the call again, or reports that it failed.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), respond)
        .await;
}

async fn respond(
    request: Request<Incoming>,
    answer: WebhookAnswer,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = request.into_body().collect().await;
    let body = body
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    let review: Value = serde_json::from_slice(&body).unwrap_or_default();
    let is_conversion = review.get("kind") == Some(&json!("ConversionReview"));
    let response = if is_conversion {
        convert(&review)
    } else {
        if let WebhookAnswer::Delay(time) = answer {
            tokio::time::sleep(time).await;
        }
        admit(&review, &answer)
    };
    let text = json!({
        "apiVersion": review.get("apiVersion"),
        "kind": review.get("kind"),
        "response": response,
    });
    Ok(Response::new(Full::from(text.to_string())))
}

/// Answers an admission review, as in the API `admission.k8s.io/v1`.
fn admit(review: &Value, answer: &WebhookAnswer) -> Value {
    let uid = review.pointer("/request/uid");
    match answer {
        WebhookAnswer::Allow | WebhookAnswer::Delay(_) => json!({ "uid": uid, "allowed": true }),
        WebhookAnswer::Refuse(message) => json!({
            "uid": uid,
            "allowed": false,
            "status": { "code": 403, "message": message },
        }),
    }
}

/// Answers a conversion review, as in the API `apiextensions.k8s.io/v1`: only the version changes.
fn convert(review: &Value) -> Value {
    let wanted = review.pointer("/request/desiredAPIVersion");
    let objects = review.pointer("/request/objects").and_then(Value::as_array);
    let converted = objects.into_iter().flatten().map(|object| {
        let mut object = object.clone();
        if let (Some(version), Some(wanted)) = (object.get_mut("apiVersion"), wanted) {
            *version = wanted.clone();
        }
        object
    });
    json!({
        "uid": review.pointer("/request/uid"),
        "result": { "status": "Success" },
        "convertedObjects": converted.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_has_the_message_and_the_id_of_the_review() {
        let review = json!({ "request": { "uid": "1" } });
        let refusal = admit(&review, &WebhookAnswer::Refuse("not today".to_owned()));
        assert_eq!(refusal["uid"], "1");
        assert_eq!(refusal["allowed"], false);
        assert_eq!(refusal["status"]["message"], "not today");
        assert_eq!(admit(&review, &WebhookAnswer::Allow)["allowed"], true);
    }

    #[test]
    fn a_conversion_changes_the_version() {
        let review = json!({ "request": {
            "uid": "1",
            "desiredAPIVersion": "example.com/v2",
            "objects": [{ "apiVersion": "example.com/v1", "spec": { "size": 1 } }],
        } });
        let converted = &convert(&review)["convertedObjects"][0];
        let expected = json!({ "apiVersion": "example.com/v2", "spec": { "size": 1 } });
        assert_eq!(*converted, expected);
    }
}
