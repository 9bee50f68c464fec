//! The token of a client: obtained with the first call, renewed in the background, replaced when it is
//! refused.

use std::sync::{Arc, Weak};
use std::time::Duration;

use http::HeaderValue;
use serde::{Deserialize, Deserializer};
use tokio::sync::Mutex;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

use super::Options;
use super::error::{Error, Kind};
use super::login::Login;
use super::request::{Request, Verb};
use super::transport::{Answer, Transport};
use crate::backends::http::{SetupError, TransportError, UserAgent};
use crate::secret::{self, Secret};

/// What calls share.
#[derive(Debug)]
pub(super) struct Session {
    transport: Transport,
    login: Login,
    /// The token if it is given, and not the result of a login.
    static_token: Option<HeaderValue>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    token: Option<Token>,
    /// The failed login, and when it failed.
    failed_login: Option<(Instant, Error)>,
    renewal: Option<Renewal>,
}

/// A token in use. Its header is left out of debug output.
#[derive(Clone, Debug)]
struct Token {
    header: HeaderValue,
    /// When to renew or replace it; `None` if it never expires.
    due: Option<Instant>,
    /// How long it was valid when it was obtained.
    lifetime: Duration,
    renewable: bool,
}

/// The task that renews the token; it ends with the session.
#[derive(Debug)]
struct Renewal(AbortHandle);

impl Drop for Renewal {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Vault's answer to a login or a renewal.
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

/// Vault's answer to a look-up of a token.
#[derive(Deserialize)]
struct LookedUp {
    data: TokenData,
}

#[derive(Default, Deserialize)]
struct TokenData {
    ttl: u64,
    #[serde(default)]
    renewable: bool,
}

fn secret_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    String::deserialize(deserializer).map(Secret::from)
}

impl Session {
    pub(super) fn new(options: Options, user_agent: &UserAgent) -> Result<Self, SetupError> {
        let static_token = match &options.login {
            Login::Token(token) => Some(secret::header_value("", token)),
            _ => None,
        };
        let static_token = static_token.transpose();
        Ok(Self {
            static_token: static_token.map_err(|source| SetupError::Header {
                name: "token",
                source,
            })?,
            transport: Transport::new(&options, user_agent)?,
            login: options.login,
            state: Mutex::default(),
        })
    }

    pub(super) fn held_for(&self) -> Duration {
        self.transport.held_for()
    }

    /// Makes a call without a body at a path below a mount.
    pub(super) fn request(&self, verb: Verb, mount: &str, path: &str) -> Request {
        self.transport.request(verb, mount, path)
    }

    /// Sends a request, with a new token if the old one turns out to be refused.
    pub(super) async fn send(self: &Arc<Self>, request: &Request) -> Result<Answer, Error> {
        let token = self.token().await?;
        let error = match self.transport.send(request, Some(&token.header)).await {
            Err(error) if matches!(error.kind(), Kind::Forbidden { .. }) => error,
            outcome => return outcome,
        };
        if !matches!(self.look_up(&token.header).await, Ok(None)) {
            return Err(error);
        }
        if self.static_token.is_some() {
            let rule = request.rule();
            return Err(error.with_kind(Kind::Unauthorized { rule }));
        }
        self.discard(&token).await;
        let token = self.token().await?;
        self.transport.send(request, Some(&token.header)).await
    }

    /// Returns the token, after a login or a renewal if that is due.
    ///
    /// Concurrent callers share one login. A login that Vault refused is not tried again, because an
    /// account would be locked after a few attempts.
    async fn token(self: &Arc<Self>) -> Result<Token, Error> {
        let started = Instant::now();
        let mut state = self.state.lock().await;
        if let Some(token) = self.renew_if_due(&mut state).await {
            self.ensure_renewal(&mut state);
            return Ok(token);
        }
        if let Some((at, error)) = &state.failed_login
            && (*at >= started || *error.kind() == Kind::LoginRefused)
        {
            return Err(error.clone());
        }
        match self.log_in().await {
            Ok(token) => {
                state.token = Some(token.clone());
                state.renewal = None;
                self.ensure_renewal(&mut state);
                Ok(token)
            }
            Err(error) => {
                state.failed_login = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    /// Discards a token, unless another has replaced it.
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
        if let Some(header) = &self.static_token {
            let data = self.look_up(header).await?.unwrap_or_default();
            return Ok(Token::new(header.clone(), data.ttl, data.renewable));
        }
        let Some(request) = self.login.request(&self.transport.api)? else {
            let look_up = self.request(Verb::Read, "auth/token", "lookup-self");
            return Err(Error::new(look_up.http.call, TransportError::Unsendable));
        };
        let answer = self.transport.send(&request, None).await;
        let answer = answer.map_err(|error| match error.kind() {
            Kind::Forbidden { .. } | Kind::NoMount { .. } | Kind::Invalid => {
                error.with_kind(Kind::LoginRefused)
            }
            _ => error,
        })?;
        if !answer.is_found() {
            return Err(answer.not_found().with_kind(Kind::LoginRefused));
        }
        issued_token(&answer)
    }

    /// Starts the background renewal of a token that expires, unless it is running. It may have ended
    /// with the runtime that it was started in.
    fn ensure_renewal(self: &Arc<Self>, state: &mut State) {
        let expires = state
            .token
            .as_ref()
            .is_some_and(|token| token.due.is_some());
        let running = state
            .renewal
            .as_ref()
            .is_some_and(|task| !task.0.is_finished());
        if expires && !running {
            let task = tokio::spawn(keep_renewed(Arc::downgrade(self)));
            state.renewal = Some(Renewal(task.abort_handle()));
        }
    }

    /// Returns the token after renewing it if that is due; `None` if there is none.
    async fn renew_if_due(&self, state: &mut State) -> Option<Token> {
        let token = state.token.clone()?;
        if token.due.is_none_or(|due| Instant::now() < due) {
            return Some(token);
        }
        let renewed = self.renew_or_relogin(token).await;
        Some(state.token.insert(renewed).clone())
    }

    /// Renews a token that is about to expire, or replaces it if that is possible and needed.
    ///
    /// A token that cannot be renewed stays in use: calls fail when it has expired.
    async fn renew_or_relogin(&self, token: Token) -> Token {
        let renewed = if token.renewable {
            self.renew(&token).await
        } else {
            None
        };
        let expires_soon = renewed
            .as_ref()
            .is_none_or(|renewed| renewed.lifetime < token.lifetime / 2);
        if expires_soon && self.static_token.is_none() {
            match self.log_in().await {
                Ok(token) => return token,
                Err(error) => tracing::warn!(%error, "vault login failed, the old token is kept"),
            }
        }
        renewed.unwrap_or_else(|| {
            let try_again = token.renewable || self.static_token.is_none();
            Token {
                due: try_again.then(|| Instant::now() + token.lifetime / 6),
                ..token
            }
        })
    }

    async fn renew(&self, token: &Token) -> Option<Token> {
        let request = self.request(Verb::Write, "auth/token", "renew-self");
        let answer = self.transport.send(&request, Some(&token.header)).await;
        match answer.and_then(|answer| issued_token(&answer)) {
            Ok(renewed) => Some(renewed),
            Err(error) => {
                tracing::warn!(%error, "the vault token cannot be renewed");
                None
            }
        }
    }

    /// Looks up a token; `None` if Vault does not know it, or does not let it look itself up.
    async fn look_up(&self, header: &HeaderValue) -> Result<Option<TokenData>, Error> {
        let request = self.request(Verb::Read, "auth/token", "lookup-self");
        match self.transport.send(&request, Some(header)).await {
            Ok(answer) => Ok(Some(answer.read::<LookedUp>()?.data)),
            Err(error) if matches!(error.kind(), Kind::Forbidden { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Renews the token of a session whenever that is due, until there is no such token or session.
async fn keep_renewed(session: Weak<Session>) {
    loop {
        let due = {
            let Some(session) = session.upgrade() else {
                return;
            };
            let mut state = session.state.lock().await;
            session
                .renew_if_due(&mut state)
                .await
                .and_then(|token| token.due)
        };
        let Some(due) = due else {
            return;
        };
        sleep_until(due).await;
    }
}

fn issued_token(answer: &Answer) -> Result<Token, Error> {
    let auth = answer.read::<Issued>()?.auth;
    let header = secret::header_value("", &auth.client_token).map_err(|_| answer.unexpected())?;
    Ok(Token::new(header, auth.lease_duration, auth.renewable))
}

impl Token {
    /// Makes a token that is valid for so many seconds; 0 if it never expires.
    fn new(header: HeaderValue, seconds: u64, renewable: bool) -> Self {
        let lifetime = Duration::from_secs(seconds);
        Self {
            header,
            due: (seconds > 0).then(|| Instant::now() + lifetime * 2 / 3),
            lifetime,
            renewable,
        }
    }
}
