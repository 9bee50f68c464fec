//! How endpoints are called: one answer, no answer, raw bytes, or all pages of a list.

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use gitlab::api::Endpoint;
use gitlab::api::common::NameOrId;
use http::{HeaderMap, HeaderValue, Method, Response, header};
use serde::de::DeserializeOwned;
use url::Url;

use super::GitLab;
use super::error::{Error, Kind};
use super::status::check_status;
use crate::backends::http::{
    Call, FieldError, FieldErrors, MAX_ANSWER, Request, TransportError, WhenLimited, parse_json,
};

/// Entries per page; GitLab gives no more.
pub(crate) const PAGE: usize = 100;

/// Pages that are requested at the same time.
const PAGES_AT_ONCE: usize = 4;

impl GitLab {
    /// Calls an endpoint whose answer is JSON.
    pub(super) async fn query<T: DeserializeOwned>(
        &self,
        endpoint: &impl Endpoint,
    ) -> Result<T, Error> {
        let request = self.request(endpoint)?;
        let call = request.call.clone();
        parse(&call, &self.send(request).await?)
    }

    /// Calls an endpoint whose answer does not matter beyond its success.
    pub(super) async fn perform(&self, endpoint: &impl Endpoint) -> Result<(), Error> {
        self.send(self.request(endpoint)?).await.map(drop)
    }

    /// Calls an endpoint whose answer is a file of at most `max_answer` bytes.
    pub(super) async fn bytes(
        &self,
        endpoint: &impl Endpoint,
        when_limited: WhenLimited,
        max_answer: usize,
    ) -> Result<Bytes, Error> {
        let request = Request {
            when_limited,
            max_answer,
            ..self.request(endpoint)?
        };
        self.send(request).await.map(Response::into_body)
    }

    /// Gets all pages of a list: the first one says how many there are, the others are requested
    /// together. Where it does not (`lib/gitlab/pagination`: more than 10,000 entries), one
    /// page after the other until one is short.
    pub(super) async fn list<T: DeserializeOwned>(
        &self,
        endpoint: &(impl Endpoint + Sync),
    ) -> Result<Vec<T>, Error> {
        let (mut entries, headers) = self.page(endpoint, 1).await?;
        if let Some(pages) = total_pages(&headers) {
            let rest: Vec<Vec<T>> = stream::iter(2..=pages)
                .map(|number| async move { Ok::<_, Error>(self.page(endpoint, number).await?.0) })
                .buffered(PAGES_AT_ONCE)
                .try_collect()
                .await?;
            entries.extend(rest.into_iter().flatten());
            return Ok(entries);
        }
        let mut last = entries.len();
        let mut number = 2;
        while last == PAGE {
            let (page, _) = self.page(endpoint, number).await?;
            last = page.len();
            entries.extend(page);
            number += 1;
        }
        Ok(entries)
    }

    /// Gets one page of a list, counted from 1.
    pub(super) async fn page<T: DeserializeOwned>(
        &self,
        endpoint: &impl Endpoint,
        number: usize,
    ) -> Result<(Vec<T>, HeaderMap), Error> {
        let mut request = self.request(endpoint)?;
        request
            .url
            .query_pairs_mut()
            .append_pair("per_page", &PAGE.to_string())
            .append_pair("page", &number.to_string());
        let call = request.call.clone();
        let answer = self.send(request).await?;
        let entries = parse(&call, &answer)?;
        Ok((entries, answer.into_parts().0.headers))
    }

    /// Unwraps an endpoint of the `gitlab` crate, whose builders fail only if we forget a field.
    pub(super) fn endpoint<E>(
        &self,
        endpoint: Result<E, impl std::error::Error + Send + Sync + 'static>,
    ) -> Result<E, Error> {
        endpoint.map_err(|source| {
            let call = Call::new(Method::GET, self.api.url());
            Error::caused_by(call, TransportError::Unsendable, source)
        })
    }

    fn request(&self, endpoint: &impl Endpoint) -> Result<Request, Error> {
        let method = endpoint.method();
        let mut url = self.api.join(&endpoint.endpoint()).map_err(|source| {
            let call = Call::new(method.clone(), self.api.url());
            Error::caused_by(call, TransportError::Unsendable, source)
        })?;
        let call = Call::new(method.clone(), &url);
        let path = self.api.path_of(&url).unwrap_or_default();
        let route = format!("{method} {}", route(path));
        endpoint.parameters().add_to_url(&mut url);
        let body = endpoint
            .body()
            .map_err(|source| Error::caused_by(call.clone(), TransportError::Unsendable, source))?;
        let mut headers = HeaderMap::new();
        let body = body.map(|(mime, data)| {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(mime));
            data
        });
        Ok(Request {
            call,
            url,
            headers,
            body: body.unwrap_or_default().into(),
            route,
            // RFC 9110 section 9.2.2: repeating one of these does what a single one does.
            repeatable: matches!(
                method,
                Method::GET | Method::HEAD | Method::PUT | Method::DELETE
            ),
            when_limited: WhenLimited::Wait,
            max_answer: MAX_ANSWER,
            method,
        })
    }

    async fn send(&self, request: Request) -> Result<Response<Bytes>, Error> {
        let check = |answer: Response<Bytes>| {
            let named_limit = self.http.named_limit(answer.headers());
            check_status(&request.call, answer, named_limit)
        };
        let answer = self.http.send(&request, check).await?;
        if request.method != Method::GET {
            let call = &request.call;
            tracing::info!(method = %call.method, path = request.url.path(), request_id = request_id(&answer), "changed something in GitLab");
        }
        Ok(answer)
    }

    /// Returns whether a read was redirected within this GitLab, which is how it answers by a path
    /// that a project had before (GitLab `lib/api/helpers.rb`).
    pub(super) fn is_former_path(&self, error: &Error) -> bool {
        let Kind::Transport(TransportError::Redirected {
            location: Some(location),
        }) = error.kind()
        else {
            return false;
        };
        let call = error.call();
        let next = Url::parse(&call.url).and_then(|url| url.join(location));
        call.method == Method::GET && next.is_ok_and(|next| self.api.path_of(&next).is_some())
    }

    /// Refuses the answer to a look-up by path that has another path.
    pub(super) fn check_path(
        &self,
        endpoint: &impl Endpoint,
        asked: &NameOrId<'_>,
        found: &str,
    ) -> Result<(), Error> {
        match asked {
            NameOrId::Name(path) if !path.eq_ignore_ascii_case(found) => {
                let text = format!("GitLab answered with {found} when asked for {path}");
                let answered = FieldErrors(vec![FieldError { field: None, text }]);
                let call = self.request(endpoint)?.call;
                Err(Error::refused(call, Kind::NotFound, answered))
            }
            _ => Ok(()),
        }
    }
}

fn parse<T: DeserializeOwned>(call: &Call, answer: &Response<Bytes>) -> Result<T, Error> {
    parse_json(answer.body()).map_err(|source| {
        let call = call.answered_with(answer.headers());
        Error::caused_by(call, TransportError::UnexpectedBody, source)
    })
}

fn request_id(answer: &Response<Bytes>) -> Option<&str> {
    answer.headers().get("x-request-id")?.to_str().ok()
}

fn total_pages(headers: &HeaderMap) -> Option<usize> {
    headers.get("x-total-pages")?.to_str().ok()?.parse().ok()
}

/// Returns the path of an endpoint with every identifier replaced by `:id`.
fn route(path: &str) -> String {
    let segments = path.split('/').enumerate().map(|(index, segment)| {
        let is_identifier =
            index == 1 || segment.contains('%') || segment.chars().all(|c| c.is_ascii_hexdigit());
        if is_identifier { ":id" } else { segment }
    });
    segments.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_has_no_identifiers() {
        assert_eq!(
            route("projects/7/repository/archive.tar.gz"),
            "projects/:id/repository/archive.tar.gz"
        );
        assert_eq!(route("projects/a%2Fb/hooks/31"), "projects/:id/hooks/:id");
        assert_eq!(route("groups"), "groups");
    }
}
