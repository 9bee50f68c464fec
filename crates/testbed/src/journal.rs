//! The calls that a server received, and how many of them a step may make.

use std::fmt::{self, Display, Formatter};

use serde::Deserialize;

/// One request that a server received.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Call {
    /// Its number; later calls have higher ones.
    pub number: u64,
    /// The HTTP method, in capitals; `LIST` for a listing of Vault's.
    pub method: String,
    /// The path as it was sent, without the query.
    pub path: String,
    /// The route without `/api/v4`, such as `/projects/{id}`; for git its service; for Vault the
    /// path without `/v1`.
    pub route: String,
    /// The query, without tokens.
    pub query: String,
    /// The status of the answer; none if there was no answer.
    pub status: Option<u16>,
}

impl Call {
    /// Whether it could change anything.
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
            None => formatter.write_str(" -> no answer"),
        }
    }
}

/// The calls of one step, in the order of their arrival.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calls(Vec<Call>);

impl Calls {
    /// Wraps calls in the order of their arrival.
    pub fn new(calls: Vec<Call>) -> Self {
        Self(calls)
    }

    /// Keeps those that could change something.
    #[must_use]
    pub fn writes(&self) -> Self {
        self.only(Call::is_write)
    }

    /// Keeps those of one kind, named by method and route, such as `GET /projects/{id}`.
    #[must_use]
    pub fn of(&self, kind: &str) -> Self {
        self.only(|call| kind.split_once(' ') == Some((&call.method, &call.route)))
    }

    /// Keeps those that `keep` wants.
    #[must_use]
    pub fn only(&self, keep: impl Fn(&Call) -> bool) -> Self {
        Self(self.0.iter().filter(|call| keep(call)).cloned().collect())
    }

    /// The calls themselves.
    pub fn as_slice(&self) -> &[Call] {
        &self.0
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Asserts that a step kept its budget.
    ///
    /// # Panics
    /// If it did not; the message lists the calls.
    #[track_caller]
    pub fn assert_calls(&self, budget: Budget) {
        assert!(
            budget.allows(self.count()),
            "{} calls, allowed are {budget}:\n{self}",
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

/// How many calls a step may make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    least: usize,
    most: usize,
}

/// Allows `most` calls or fewer.
pub fn at_most(most: usize) -> Budget {
    Budget { least: 0, most }
}

/// Asks for `least` calls or more.
pub fn at_least(least: usize) -> Budget {
    Budget {
        least,
        most: usize::MAX,
    }
}

/// Asks for exactly `count` calls.
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
        calls().of("GET /user").assert_calls(exactly(1));
    }

    #[test]
    #[should_panic(expected = "POST /api/v4/groups -> 200")]
    fn an_exceeded_budget_lists_the_calls() {
        calls().assert_calls(at_most(1));
    }
}
