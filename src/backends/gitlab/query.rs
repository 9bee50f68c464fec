//! How endpoints are driven: one answer, no answer, raw bytes, or all pages of a list.

use futures_util::{StreamExt, TryStreamExt, stream};
use gitlab::api::{self, ApiError, AsyncQuery, Endpoint};
use http::{HeaderMap, header};
use serde::de::DeserializeOwned;

use super::GitLab;
use super::error::{Error, Kind};
use super::transport::{Outgoing, WhenLimited, call};

/// Entries per page; GitLab gives no more.
const PAGE: usize = 100;

/// Pages that are asked for at the same time.
const PAGES_AT_ONCE: usize = 4;

impl GitLab {
    /// Calls an endpoint whose answer is JSON.
    pub(super) async fn query<E, T>(&self, endpoint: &E) -> Result<T, Error>
    where
        E: Endpoint + Sync,
        T: DeserializeOwned + 'static,
    {
        endpoint
            .query_async(&*self.transport)
            .await
            .map_err(|error| self.error(endpoint, error))
    }

    /// Calls an endpoint whose answer does not matter beyond its success.
    pub(super) async fn perform<E: Endpoint + Sync>(&self, endpoint: &E) -> Result<(), Error> {
        api::ignore(endpoint)
            .query_async(&*self.transport)
            .await
            .map_err(|error| self.error(endpoint, error))
    }

    /// Calls an endpoint whose answer is a file.
    pub(super) async fn bytes<E: Endpoint + Sync>(
        &self,
        endpoint: &E,
        when_limited: WhenLimited,
    ) -> Result<bytes::Bytes, Error> {
        let outgoing = self.outgoing(endpoint)?;
        Ok(self
            .transport
            .send(&outgoing, when_limited)
            .await?
            .into_body())
    }

    /// Gets all pages of a list: the first one tells how many there are, the others are asked for
    /// together. Where GitLab does not tell (`app/.../pagination`: more than 10,000 entries), one
    /// page after the other until one is short.
    pub(super) async fn list<E, T>(&self, endpoint: &E) -> Result<Vec<T>, Error>
    where
        E: Endpoint + Sync,
        T: DeserializeOwned,
    {
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
    pub(super) async fn page<E, T>(
        &self,
        endpoint: &E,
        number: usize,
    ) -> Result<(Vec<T>, HeaderMap), Error>
    where
        E: Endpoint + Sync,
        T: DeserializeOwned,
    {
        let mut outgoing = self.outgoing(endpoint)?;
        outgoing
            .url
            .query_pairs_mut()
            .append_pair("per_page", &PAGE.to_string())
            .append_pair("page", &number.to_string());
        let response = self.transport.send(&outgoing, WhenLimited::Wait).await?;
        let request_id = response.headers().get("x-request-id");
        let entries = serde_json::from_slice(response.body()).map_err(|source| {
            let call = call(&outgoing.method, &outgoing.url, request_id);
            Error::new(call, Kind::UnexpectedBody).caused_by(source)
        })?;
        Ok((entries, response.into_parts().0.headers))
    }

    fn outgoing<E: Endpoint>(&self, endpoint: &E) -> Result<Outgoing, Error> {
        let root = self.transport.address();
        let mut url = root.endpoint(&endpoint.endpoint()).map_err(|source| {
            let call = call(&endpoint.method(), root.root(), None);
            Error::new(call, Kind::Unsendable).caused_by(source)
        })?;
        endpoint.parameters().add_to_url(&mut url);
        let mut headers = HeaderMap::new();
        let body = endpoint.body().map_err(|source| {
            Error::new(call(&endpoint.method(), &url, None), Kind::Unsendable).caused_by(source)
        })?;
        let body = body.map(|(mime, data)| {
            headers.insert(header::CONTENT_TYPE, http::HeaderValue::from_static(mime));
            data
        });
        Ok(Outgoing {
            method: endpoint.method(),
            url,
            headers,
            body: body.unwrap_or_default().into(),
        })
    }

    /// The transport has judged every answer already; what is left is an answer that cannot be
    /// read, or a request that could not be put together.
    fn error<E: Endpoint>(&self, endpoint: &E, error: ApiError<Error>) -> Error {
        let root = self.transport.address();
        let url = root
            .endpoint(&endpoint.endpoint())
            .unwrap_or_else(|_| root.root().clone());
        let call = call(&endpoint.method(), &url, None);
        match error {
            ApiError::Client { source } => source,
            error @ (ApiError::GitlabService { .. } | ApiError::DataType { .. }) => {
                Error::new(call, Kind::UnexpectedBody).caused_by(error)
            }
            error => Error::new(call, Kind::Unsendable).caused_by(error),
        }
    }
}

/// A builder of the `gitlab` crate can only fail when we forgot a required field.
pub(super) fn built<E>(
    gitlab: &GitLab,
    endpoint: Result<E, impl std::error::Error + Send + Sync + 'static>,
) -> Result<E, Error> {
    endpoint.map_err(|source| {
        let call = call(&http::Method::GET, gitlab.transport.address().root(), None);
        Error::new(call, Kind::Unsendable).caused_by(source)
    })
}

fn total_pages(headers: &HeaderMap) -> Option<usize> {
    headers.get("x-total-pages")?.to_str().ok()?.parse().ok()
}
