//! The token of a client: got with the first call, renewed in time, replaced when it is refused.

use std::time::Duration;

use http::HeaderValue;
use serde::{Deserialize, Deserializer};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::secret::{self, Secret};

use super::error::{Call, Error, Kind};
use super::login::Login;
use super::options::{Options, SetupError};
use super::request::{Request, Verb};
use super::transport::{Answer, Transport};

/// Everything that calls share.
#[derive(Debug)]
pub(super) struct Session {
    transport: Transport,
    login: Login,
    given: Option<HeaderValue>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    token: Option<Token>,
    /// The failed login, and when it failed.
    failed: Option<(Instant, Error)>,
}

/// A token in use. Its header is left out of debug output.
#[derive(Clone, Debug)]
struct Token {
    header: HeaderValue,
    /// Until when it has to be renewed or replaced; none if it lives on without.
    due: Option<Instant>,
    /// How long it was to live when it was got.
    life: Duration,
    renewable: bool,
}

/// What Vault says of a token that it issued or renewed.
#[derive(Deserialize)]
struct Issued {
    auth: Auth,
}

#[derive(Deserialize)]
struct Auth {
    #[serde(deserialize_with = "secret_text")]
    client_token: Secret,
    lease_duration: u64,
    renewable: bool,
}

/// What Vault says of a token that is looked up.
#[derive(Deserialize)]
struct LookedUp {
    data: Facts,
}

#[derive(Deserialize)]
struct Facts {
    ttl: u64,
    #[serde(default)]
    renewable: bool,
}

fn secret_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    String::deserialize(deserializer).map(Secret::from)
}

impl Session {
    pub(super) fn new(options: Options) -> Result<Self, SetupError> {
        let given = match &options.login {
            Login::Token(token) => {
                Some(secret::header_value("", token).map_err(SetupError::Token)?)
            }
            _ => None,
        };
        Ok(Self {
            transport: Transport::new(&options)?,
            login: options.login,
            given,
            state: Mutex::default(),
        })
    }

    /// How a request is named in errors.
    pub(super) fn call(&self, request: &Request) -> Call {
        self.transport.call(request)
    }

    /// Makes a call, with a new token if the old one turns out to be refused.
    pub(super) async fn send(&self, request: &Request) -> Result<Answer, Error> {
        let token = self.token().await?;
        let failure = match self.transport.send(request, Some(&token.header)).await {
            Err(failure) if matches!(failure.kind(), Kind::Forbidden { .. }) => failure,
            other => return other,
        };
        if !matches!(self.look_up(&token.header).await, Ok(None)) {
            return Err(failure);
        }
        if self.given.is_some() {
            let rule = request.rule();
            return Err(failure.as_kind(Kind::Unauthorized { rule }));
        }
        self.discard(&token).await;
        let token = self.token().await?;
        self.transport.send(request, Some(&token.header)).await
    }

    /// The token, after a login or a renewal if that is due.
    ///
    /// Who calls while another logs in gets the other's result. A login that Vault refused is not
    /// tried again: an account would be locked after a few attempts.
    async fn token(&self) -> Result<Token, Error> {
        let begun = Instant::now();
        let mut state = self.state.lock().await;
        if let Some(token) = &state.token {
            if token.due.is_none_or(|due| Instant::now() < due) {
                return Ok(token.clone());
            }
            let kept = self.prolong(token.clone()).await;
            return Ok(state.token.insert(kept).clone());
        }
        if let Some((at, error)) = &state.failed
            && (*at >= begun || *error.kind() == Kind::LoginRefused)
        {
            return Err(error.clone());
        }
        match self.log_in().await {
            Ok(token) => Ok(state.token.insert(token).clone()),
            Err(error) => {
                state.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    /// Forgets a token, unless another has taken its place.
    async fn discard(&self, token: &Token) {
        let mut state = self.state.lock().await;
        if state
            .token
            .as_ref()
            .is_some_and(|kept| kept.header == token.header)
        {
            state.token = None;
        }
    }

    async fn log_in(&self) -> Result<Token, Error> {
        if let Some(header) = &self.given {
            let facts = self.look_up(header).await?;
            let facts = facts.unwrap_or(Facts {
                ttl: 0,
                renewable: false,
            });
            return Ok(Token::new(header.clone(), facts.ttl, facts.renewable));
        }
        let request = self.login.request(|request| self.call(request))?;
        let Some(request) = request else {
            let lookup = Request::new(Verb::Read, "auth/token", "lookup-self");
            return Err(Error::new(self.call(&lookup), Kind::Unsendable));
        };
        let answer = self.transport.send(&request, None).await;
        let answer = answer.map_err(|failure| match failure.kind() {
            Kind::Forbidden { .. } | Kind::NoMount { .. } | Kind::Invalid => {
                failure.as_kind(Kind::LoginRefused)
            }
            _ => failure,
        })?;
        if !answer.is_found() {
            return Err(answer.not_found().as_kind(Kind::LoginRefused));
        }
        issued(&answer)
    }

    /// Renews a token that is about to end, or replaces it if that is possible and needed.
    ///
    /// A token that cannot be prolonged is used on: the calls will tell when it has ended.
    async fn prolong(&self, token: Token) -> Token {
        let renewed = if token.renewable {
            self.renew(&token).await
        } else {
            None
        };
        let ends_soon = renewed
            .as_ref()
            .is_none_or(|renewed| renewed.life < token.life / 2);
        if ends_soon && self.given.is_none() {
            match self.log_in().await {
                Ok(token) => return token,
                Err(error) => tracing::debug!(%error, "vault login failed, the old token is kept"),
            }
        }
        renewed.unwrap_or_else(|| {
            let again = token.renewable || self.given.is_none();
            Token {
                due: again.then(|| Instant::now() + token.life / 6),
                ..token
            }
        })
    }

    async fn renew(&self, token: &Token) -> Option<Token> {
        let request = Request::new(Verb::Write, "auth/token", "renew-self");
        let answer = self.transport.send(&request, Some(&token.header)).await;
        match answer.and_then(|answer| issued(&answer)) {
            Ok(renewed) => Some(renewed),
            Err(error) => {
                tracing::debug!(%error, "vault token cannot be renewed");
                None
            }
        }
    }

    /// What Vault knows of a token; nothing if it does not know it, or does not let it ask.
    async fn look_up(&self, header: &HeaderValue) -> Result<Option<Facts>, Error> {
        let request = Request::new(Verb::Read, "auth/token", "lookup-self");
        match self.transport.send(&request, Some(header)).await {
            Ok(answer) => Ok(Some(answer.read::<LookedUp>()?.data)),
            Err(error) if matches!(error.kind(), Kind::Forbidden { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn issued(answer: &Answer) -> Result<Token, Error> {
    let auth = answer.read::<Issued>()?.auth;
    let header = secret::header_value("", &auth.client_token).map_err(|_| answer.unexpected())?;
    Ok(Token::new(header, auth.lease_duration, auth.renewable))
}

impl Token {
    /// A token that lives for so many seconds; 0 for one that does not end.
    fn new(header: HeaderValue, seconds: u64, renewable: bool) -> Self {
        let life = Duration::from_secs(seconds);
        Self {
            header,
            due: (seconds > 0).then(|| Instant::now() + life * 2 / 3),
            life,
            renewable,
        }
    }
}
