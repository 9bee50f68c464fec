//! Pagination by offset or by key.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderName, StatusCode, header};
use serde_json::Value;

use super::api_error::{ApiError, ErrorBody};
use super::call::Call;
use super::reply::{ApiResult, Reply};

const DEFAULT_PER_PAGE: usize = 20;
const MAX_PER_PAGE: usize = 100;
/// Longer lists have no totals.
const MAX_COUNTED: usize = 10_000;

/// Describes keyset pagination of a list.
pub(crate) struct Keyset<T> {
    /// The parameter with the token of the last row seen.
    pub(crate) parameter: &'static str,
    /// Returns the key of a row.
    pub(crate) key: fn(&T) -> String,
    /// Returns whether a text that is not a token identifies a row.
    pub(crate) matches_token: fn(&T, &str) -> bool,
}

impl<T> Keyset<T> {
    /// Returns the opaque token of a row.
    fn token(&self, row: &T) -> String {
        URL_SAFE_NO_PAD.encode((self.key)(row))
    }
}

/// Whether a list has totals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Totals {
    /// Totals up to [`MAX_COUNTED`] rows.
    Shown,
    /// No totals; a full page always has a next page.
    Unknown,
}

impl Call<'_> {
    /// Returns one page of a list.
    pub(crate) fn page<T>(&self, rows: &[T], show: impl Fn(&T) -> Value) -> ApiResult {
        self.page_of(rows, Totals::Shown, show)
    }

    /// Returns one page of a list, with or without totals.
    pub(crate) fn page_of<T>(
        &self,
        rows: &[T],
        totals: Totals,
        show: impl Fn(&T) -> Value,
    ) -> ApiResult {
        if self.is_keyset()? {
            return Err(ApiError::new(
                StatusCode::METHOD_NOT_ALLOWED,
                ErrorBody::Error(
                    "Keyset pagination is not yet available for this type of request".to_owned(),
                ),
            ));
        }
        let per_page = self.per_page()?;
        let page = usize::try_from(self.raw.read::<Option<u64>>("page")?.unwrap_or(1))
            .unwrap_or(usize::MAX)
            .max(1);
        let start = (page - 1).saturating_mul(per_page);
        let items: Vec<Value> = rows.iter().skip(start).take(per_page).map(show).collect();

        let pages = rows.len().div_ceil(per_page).max(1);
        let has_next = match totals {
            Totals::Shown => page < pages,
            Totals::Unknown => items.len() == per_page,
        };
        let is_counted = totals == Totals::Shown && rows.len() <= MAX_COUNTED;
        let previous = (page > 1).then(|| page - 1);
        let next = has_next.then(|| page + 1);

        let mut links = Vec::new();
        let mut link = |page: usize, relation: &str| {
            let page = page.to_string();
            let per_page = per_page.to_string();
            let url = self.url_with(&[("page", &page), ("per_page", &per_page)]);
            links.push(format!("<{url}>; rel=\"{relation}\""));
        };
        if let Some(previous) = previous {
            link(previous, "prev");
        }
        if let Some(next) = next {
            link(next, "next");
        }
        link(1, "first");
        if is_counted {
            link(pages, "last");
        }

        let number = |number: Option<usize>| number.map_or_else(String::new, |n| n.to_string());
        let mut headers = vec![
            ("x-page", page.to_string()),
            ("x-per-page", per_page.to_string()),
            ("x-next-page", number(next)),
            ("x-prev-page", number(previous)),
        ];
        if is_counted {
            headers.push(("x-total", rows.len().to_string()));
            headers.push(("x-total-pages", pages.to_string()));
        }
        let mut reply = Reply::ok(Value::Array(items)).with_header(header::LINK, &links.join(", "));
        for (name, value) in headers {
            reply = reply.with_header(HeaderName::from_static(name), &value);
        }
        Ok(reply)
    }

    /// Returns one page by key if the caller asked for keyset pagination, else by offset. Rows must
    /// be in the requested order.
    pub(crate) fn page_by_key<T>(
        &self,
        rows: &[T],
        keyset: &Keyset<T>,
        show: impl Fn(&T) -> Value,
    ) -> ApiResult {
        if !self.is_keyset()? {
            return self.page(rows, show);
        }
        let per_page = self.per_page()?;
        let start = match self.raw.read::<Option<String>>(keyset.parameter)? {
            None => 0,
            Some(token) => rows
                .iter()
                .position(|row| keyset.token(row) == token || (keyset.matches_token)(row, &token))
                .map_or(rows.len(), |at| at + 1),
        };
        let items = rows.get(start..).unwrap_or_default();
        let page = items.get(..per_page).unwrap_or(items);
        let mut reply = Reply::ok(Value::Array(page.iter().map(show).collect()));
        if page.len() < items.len()
            && let Some(last) = page.last()
        {
            let token = keyset.token(last);
            let per_page = per_page.to_string();
            let url = self.url_with(&[(keyset.parameter, &token), ("per_page", &per_page)]);
            reply = reply.with_header(header::LINK, &format!("<{url}>; rel=\"next\""));
        }
        Ok(reply)
    }

    fn is_keyset(&self) -> Result<bool, ApiError> {
        Ok(self.raw.read::<Option<String>>("pagination")?.as_deref() == Some("keyset"))
    }

    fn per_page(&self) -> Result<usize, ApiError> {
        let requested = self.raw.read::<Option<u64>>("per_page")?.unwrap_or(0);
        Ok(match usize::try_from(requested).unwrap_or(usize::MAX) {
            0 => DEFAULT_PER_PAGE,
            requested => requested.min(MAX_PER_PAGE),
        })
    }

    /// Returns the URL of this call with some query parameters replaced.
    fn url_with(&self, replaced: &[(&str, &str)]) -> String {
        let kept = self.query.split('&').filter(|pair| {
            let name = pair.split('=').next().unwrap_or_default();
            !pair.is_empty()
                && name != "private_token"
                && !replaced.iter().any(|(other, _)| *other == name)
        });
        let query: Vec<String> = kept
            .map(str::to_owned)
            .chain(
                replaced
                    .iter()
                    .map(|(name, value)| format!("{name}={value}")),
            )
            .collect();
        format!("{}{}?{}", self.instance.url(), self.path, query.join("&"))
    }
}
