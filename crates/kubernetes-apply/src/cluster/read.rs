//! Reading objects.

use serde_json::Value;

use super::discovery::escape;
use super::{ApiError, Cluster, Resource};
use crate::connection::ApiRequest;
use crate::object::{Kind, Object};

/// How much of an object is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Detail {
    /// Only its `metadata`.
    Metadata,
    /// All of it.
    Full,
}

/// How many objects one answer to a LIST holds.
const PAGE: usize = 500;

impl Detail {
    fn accept(self, list: bool) -> &'static str {
        match (self, list) {
            (Self::Full, _) => "application/json",
            (Self::Metadata, false) => {
                "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
            }
            (Self::Metadata, true) => {
                "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
            }
        }
    }
}

impl Cluster {
    /// Reads an object; `None` if the cluster says that it does not exist.
    ///
    /// A kind that is not served, a missing right or a page of a proxy is an error: it says nothing about
    /// the object.
    pub async fn find(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        name: &str,
        detail: Detail,
    ) -> Result<Option<Object>, ApiError> {
        let resource = self.resource(kind).await?;
        self.find_in(&resource, namespace, name, detail).await
    }

    pub(crate) async fn find_in(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        name: &str,
        detail: Detail,
    ) -> Result<Option<Object>, ApiError> {
        let request = ApiRequest::get(resource.path(namespace, name)).accept(detail.accept(false));
        match self.connection.send(&request).await {
            Ok((_, json)) => read_object(resource, json).map(Some),
            Err(error) if error.status().is_some_and(|it| it.says_gone(name)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Lists the objects of a kind with a label selector such as `tier=web`, which may be empty; in one
    /// namespace, or with `None` in all.
    pub async fn list(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        selector: &str,
        detail: Detail,
    ) -> Result<Vec<Object>, ApiError> {
        let resource = self.resource(kind).await?;
        self.list_in(&resource, namespace, selector, detail).await
    }

    pub(crate) async fn list_in(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        selector: &str,
        detail: Detail,
    ) -> Result<Vec<Object>, ApiError> {
        let query = match selector {
            "" => String::new(),
            selector => format!("&labelSelector={}", escape(selector)),
        };
        self.list_query(resource, namespace, &query, detail).await
    }

    /// Lists with a query that begins with `&`.
    pub(crate) async fn list_query(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        query: &str,
        detail: Detail,
    ) -> Result<Vec<Object>, ApiError> {
        let path = resource.collection(namespace);
        let mut objects = Vec::new();
        let mut page = format!("{path}?limit={PAGE}{query}");
        loop {
            let request = ApiRequest::get(page).accept(detail.accept(true));
            let mut list = match self.connection.send(&request).await {
                Ok((_, list)) => list,
                Err(error) if error.is_refused_for("Expired") && !objects.is_empty() => {
                    // The list is too old to go on with: once more, in one piece.
                    objects.clear();
                    let request =
                        ApiRequest::get(format!("{path}?{}", query.trim_start_matches('&')))
                            .accept(detail.accept(true));
                    self.connection.send(&request).await?.1
                }
                Err(error) => return Err(error.into()),
            };
            let items = match list.get_mut("items").map(Value::take) {
                Some(Value::Array(items)) => items,
                Some(Value::Null) => Vec::new(),
                _ => return Err(ApiError::UnexpectedAnswer(request.call.to_string())),
            };
            for item in items {
                objects.push(read_object(resource, item)?);
            }
            match list.pointer("/metadata/continue").and_then(Value::as_str) {
                Some(next) if !next.is_empty() => {
                    page = format!("{path}?limit={PAGE}{query}&continue={}", escape(next));
                }
                _ => return Ok(objects),
            }
        }
    }
}

/// Makes an object of an answer. Items of lists and partial objects do not say their kind.
pub(super) fn read_object(resource: &Resource, mut json: Value) -> Result<Object, ApiError> {
    if let Some(object) = json.as_object_mut() {
        let api_version = resource.kind.api_version.to_string();
        object.insert("apiVersion".to_owned(), api_version.into());
        object.insert("kind".to_owned(), resource.kind.kind.clone().into());
    }
    Object::new(json).map_err(|_| ApiError::UnexpectedAnswer(resource.kind.to_string()))
}
