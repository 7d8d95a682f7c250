//! A typed client for the HTTP API. This is the only file that knows its URLs.

use std::fmt;

use gloo_net::http::{Method, Request, RequestBuilder, Response};
use leptos::prelude::location;
use serde::de::DeserializeOwned;
use shared::{
    CallbackAnswer, Connection, ConnectionAnswer, ErrorBody, ErrorCode, LoginAnswer, SaveAnswer, SaveConnection,
    SavedConnection, SessionAnswer, SignIn, SignUp, User,
};
use web_sys::{AbortSignal, RequestCredentials};

use crate::callback::CallbackQuery;

/// Milliseconds until a request counts as lost. Longer than the two calls of ten seconds that the server makes to
/// Instagram while it exchanges a code.
const TIMEOUT_MS: u32 = 45_000;

/// Why a call has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiFailure {
    /// The server said no, and why.
    Refused(Box<ErrorBody>),
    /// No answer came: no network, no server, or it took too long.
    Unreachable,
    /// An answer came that is not of the contract. A proxy's error page, for example.
    Unreadable,
}

impl ApiFailure {
    /// The machine code, where the server gave one.
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Refused(body) => Some(body.code),
            Self::Unreachable | Self::Unreadable => None,
        }
    }
}

/// Who is signed in.
pub async fn session() -> Result<User, ApiFailure> {
    Ok(read::<SessionAnswer>(request(Method::GET, "/api/session")).await?.user)
}

/// Signs a person in.
pub async fn sign_in(body: &SignIn) -> Result<User, ApiFailure> {
    Ok(write::<SessionAnswer>(request(Method::POST, "/api/session"), body).await?.user)
}

/// Makes an account and signs the person in.
pub async fn sign_up(body: &SignUp) -> Result<User, ApiFailure> {
    Ok(write::<SessionAnswer>(request(Method::POST, "/api/users"), body).await?.user)
}

/// Ends the session, here and on the server.
pub async fn sign_out() -> Result<(), ApiFailure> {
    done(request(Method::DELETE, "/api/session")).await
}

/// Where to send the browser to connect an Instagram account.
///
/// `return_to` is the path to come back to. `another_account` makes Instagram ask for a sign-in again.
pub async fn login_url(return_to: &str, another_account: bool) -> Result<String, ApiFailure> {
    let mut login = request(Method::GET, "/auth/instagram/login").query([("returnTo", return_to)]);
    if another_account {
        login = login.query([("forceReauth", "true")]);
    }
    Ok(read::<LoginAnswer>(login).await?.auth_url)
}

/// Trades what Instagram put into the address for a sealed handle and a profile. Works once for a `state`.
pub async fn exchange(query: &CallbackQuery) -> Result<CallbackAnswer, ApiFailure> {
    read(request(Method::GET, "/auth/instagram/callback").query(query.pairs())).await
}

/// Saves what [`exchange`] gave.
pub async fn save(body: &SaveConnection) -> Result<SavedConnection, ApiFailure> {
    let save = request(Method::POST, "/api/integrations/instagram/callback");
    Ok(write::<SaveAnswer>(save, body).await?.connection)
}

/// The signed-in person's connection; `not_connected` where there is none.
pub async fn connection() -> Result<Connection, ApiFailure> {
    Ok(read::<ConnectionAnswer>(request(Method::GET, "/api/integrations/instagram")).await?.connection)
}

/// Ends the signed-in person's connection.
pub async fn disconnect() -> Result<(), ApiFailure> {
    done(request(Method::DELETE, "/api/integrations/instagram/me")).await
}

fn request(method: Method, path: &str) -> RequestBuilder {
    RequestBuilder::new(&format!("{}{path}", origin()))
        .method(method)
        .header("Accept", "application/json")
        // The session is a cookie; in development the API is on another port, which is another origin.
        .credentials(RequestCredentials::Include)
        .abort_signal(Some(&AbortSignal::timeout_with_u32(TIMEOUT_MS)))
}

async fn read<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, ApiFailure> {
    answer(send(request.build()).await?).await
}

async fn write<T: DeserializeOwned>(request: RequestBuilder, body: &impl serde::Serialize) -> Result<T, ApiFailure> {
    answer(send(request.json(body)).await?).await
}

async fn send<E: fmt::Debug>(request: Result<Request, E>) -> Result<Response, ApiFailure> {
    // Building a request fails for a malformed URL only: a wrong BACKEND_URL, so the server cannot be reached.
    let request = request.map_err(|_| ApiFailure::Unreachable)?;
    request.send().await.map_err(|_| ApiFailure::Unreachable)
}

/// A call whose success says all there is to say.
async fn done(request: RequestBuilder) -> Result<(), ApiFailure> {
    text(send(request.build()).await?).await.map(drop)
}

async fn answer<T: DeserializeOwned>(response: Response) -> Result<T, ApiFailure> {
    serde_json::from_str(&text(response).await?).map_err(|_| ApiFailure::Unreadable)
}

/// The body of a success; anything else is a failure.
async fn text(response: Response) -> Result<String, ApiFailure> {
    let text = response.text().await.map_err(|_| ApiFailure::Unreachable)?;
    if response.ok() { Ok(text) } else { Err(refusal(&text)) }
}

/// Reads the error contract.
fn refusal(text: &str) -> ApiFailure {
    match serde_json::from_str(text) {
        Ok(body) => ApiFailure::Refused(Box::new(body)),
        Err(_) => ApiFailure::Unreadable,
    }
}

/// The API's origin: fixed at build time, else found from the page's address.
fn origin() -> String {
    if let Some(url) = option_env!("BACKEND_URL") {
        return url.trim_end_matches('/').to_owned();
    }
    let page = location();
    let part = |part: Result<String, _>| part.unwrap_or_default();
    development_backend(&part(page.protocol()), &part(page.hostname()), &part(page.port()))
}

/// `trunk serve` shows the page on port 5176 while the backend listens on 4002. Everywhere else one origin serves both.
fn development_backend(protocol: &str, hostname: &str, port: &str) -> String {
    if port == "5176" { format!("{protocol}//{hostname}:4002") } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_is_on_the_pages_own_origin_but_for_the_development_port() {
        assert_eq!(development_backend("http:", "localhost", "5176"), "http://localhost:4002");
        assert_eq!(development_backend("https:", "connect.example", ""), "");
        assert_eq!(development_backend("http:", "localhost", "4002"), "");
    }

    #[test]
    fn a_failure_keeps_its_code_and_a_proxys_page_has_none() {
        let body = r#"{"ok":false,"error":"No.","code":"not_connected","requestId":"r1"}"#;
        assert_eq!(refusal(body).code(), Some(ErrorCode::NotConnected));
        assert_eq!(refusal("<html>Bad gateway</html>"), ApiFailure::Unreadable);
    }
}
