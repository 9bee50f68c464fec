//! The calls that a server received, and call budgets.

use std::fmt::{self, Display, Formatter};

use serde::Deserialize;

/// A request that a server received.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Call {
    /// The number; later calls have higher ones.
    pub number: u64,
    /// The HTTP method in capitals; `LIST` for list calls to Vault.
    pub method: String,
    /// The path as sent, without the query.
    pub path: String,
    /// For GitLab the route without `/api/v4`, such as `/projects/{id}`; for git the service; for
    /// Vault the path without `/v1`.
    pub route: String,
    /// The query, without tokens.
    pub query: String,
    /// The status of the response; `None` if there was none.
    pub status: Option<u16>,
}

impl Call {
    /// Returns whether the call could change anything.
    pub fn is_write(&self) -> bool {
        !matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS" | "LIST")
    }
}

impl Display for Call {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.method, self.path)?;
        if !self.query.is_empty() {
            write!(formatter, "?{}", self.query)?;
        }
        match self.status {
            Some(status) => write!(formatter, " -> {status}"),
            None => formatter.write_str(" -> no response"),
        }
    }
}

/// The calls of a step, in order of arrival.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calls(Vec<Call>);

impl Calls {
    /// Wraps calls in order of arrival.
    pub fn new(calls: Vec<Call>) -> Self {
        Self(calls)
    }

    /// Returns the calls that could change something.
    #[must_use]
    pub fn writes(&self) -> Self {
        self.filter(Call::is_write)
    }

    /// Returns the calls with a method and route, such as `GET /projects/{id}`.
    #[must_use]
    pub fn to_route(&self, method_and_route: &str) -> Self {
        self.filter(|call| method_and_route.split_once(' ') == Some((&call.method, &call.route)))
    }

    /// Returns the calls that satisfy a predicate.
    #[must_use]
    pub fn filter(&self, keep: impl Fn(&Call) -> bool) -> Self {
        Self(self.0.iter().filter(|call| keep(call)).cloned().collect())
    }

    /// Returns the calls as a slice.
    pub fn as_slice(&self) -> &[Call] {
        &self.0
    }

    /// Returns the number of calls.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Asserts that the number of calls is within a budget.
    ///
    /// # Panics
    ///
    /// Panics if it is not, with a list of the calls.
    #[track_caller]
    pub fn assert_calls(&self, budget: Budget) {
        assert!(
            budget.allows(self.count()),
            "{} calls, but {budget} are allowed:\n{self}",
            self.count()
        );
    }
}

impl Display for Calls {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|call| writeln!(formatter, "{call}"))
    }
}

/// The number of calls that a step may make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    least: usize,
    most: usize,
}

/// Allows up to `most` calls.
pub fn at_most(most: usize) -> Budget {
    Budget { least: 0, most }
}

/// Requires at least `least` calls.
pub fn at_least(least: usize) -> Budget {
    Budget {
        least,
        most: usize::MAX,
    }
}

/// Requires exactly `count` calls.
pub fn exactly(count: usize) -> Budget {
    Budget {
        least: count,
        most: count,
    }
}

impl Budget {
    fn allows(self, count: usize) -> bool {
        (self.least..=self.most).contains(&count)
    }
}

impl Display for Budget {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match (self.least, self.most) {
            (least, most) if least == most => write!(formatter, "exactly {most}"),
            (0, most) => write!(formatter, "at most {most}"),
            (least, _) => write!(formatter, "at least {least}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls() -> Calls {
        let call = |number, method: &str, route: &str| Call {
            number,
            method: method.to_owned(),
            path: format!("/api/v4{route}"),
            route: route.to_owned(),
            query: String::new(),
            status: Some(200),
        };
        Calls::new(vec![call(1, "GET", "/user"), call(2, "POST", "/groups")])
    }

    #[test]
    fn budgets_bound_the_number_of_calls() {
        calls().assert_calls(at_most(2));
        calls().assert_calls(at_least(2));
        calls().writes().assert_calls(exactly(1));
        calls().to_route("GET /user").assert_calls(exactly(1));
    }

    #[test]
    #[should_panic(expected = "POST /api/v4/groups -> 200")]
    fn an_exceeded_budget_lists_the_calls() {
        calls().assert_calls(at_most(1));
    }
}
