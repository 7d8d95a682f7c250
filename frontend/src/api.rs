//! A typed client for the HTTP API. This is the only file that knows its URLs.

use gloo_net::http::{Method, RequestBuilder};
use leptos::prelude::location;
use serde::Serialize;
use serde::de::DeserializeOwned;
use shared::{
    ApiKey, ApiKeysAnswer, BrowserSession, CallbackAnswer, ChangePassword, Connection, ConnectionAnswer,
    CreateApiKey, CreatedApiKey, CurrentSessionAnswer, DeleteAccount, EndAnswer, ErrorBody, ErrorCode,
    EventsAnswer, HistoryAnswer, HistoryPoint, Integration, IntegrationsAnswer, LoginAnswer, SaveAnswer,
    SaveConnection, SelectConnection, SessionAnswer, SessionsAnswer, SignIn, SignUp, User,
};
use web_sys::{AbortSignal, RequestCredentials};

use crate::callback::CallbackQuery;
use crate::connect::Purpose;
use crate::json;
use crate::providers::Provider;

/// Milliseconds until a request counts as lost. Longer than the two calls of ten seconds that the server makes to a
/// provider while it exchanges a code.
const TIMEOUT_MS: u32 = 45_000;

/// Points of a history that one request asks for: the server's maximum.
const POINTS_PER_REQUEST: &str = "1000";

/// Limits the requests for one history. Ten years of one point a day need fewer.
const MOST_HISTORY_REQUESTS: u8 = 5;

/// Reason for which a call has no answer.
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
    /// Nobody is signed in, and the server need not be asked to say so. Needs no sentence: whoever gets it asks to sign in.
    pub fn signed_out() -> Self {
        Self::Refused(Box::new(ErrorBody {
            ok: false,
            error: String::new(),
            code: ErrorCode::Unauthenticated,
            request_id: String::new(),
            fields: None,
            reason: None,
            missing: None,
            retry_after: None,
        }))
    }

    /// The machine code, where the server gave one.
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Refused(body) => Some(body.code),
            Self::Unreachable | Self::Unreadable => None,
        }
    }

    /// Tells whether the failure is the connection's own state by now: it needs a new authorization, or is
    /// disconnected. Reading the connection again shows which.
    pub fn is_of_connection(&self) -> bool {
        let code = self.code();
        matches!(code, Some(ErrorCode::NeedsReauthorization | ErrorCode::NotConnected | ErrorCode::NotFound))
    }
}

/// Returns who is signed in; `None` where nobody is. The browser writes every 401 to its console as an error, and to be signed
/// out is none.
pub async fn session() -> Result<Option<User>, ApiFailure> {
    let answer = call(Method::GET, "/api/session", &[("optional", "true")], None).await?;
    Ok(read::<CurrentSessionAnswer>(&answer)?.user)
}

/// Signs a person in.
pub async fn sign_in(body: &SignIn) -> Result<User, ApiFailure> {
    let body = write(body)?;
    Ok(read::<SessionAnswer>(&call(Method::POST, "/api/session", &[], Some(body)).await?)?.user)
}

/// Makes an account and signs the person in.
pub async fn sign_up(body: &SignUp) -> Result<User, ApiFailure> {
    let body = write(body)?;
    Ok(read::<SessionAnswer>(&call(Method::POST, "/api/users", &[], Some(body)).await?)?.user)
}

/// Ends the session, here and on the server.
pub async fn sign_out() -> Result<(), ApiFailure> {
    call(Method::DELETE, "/api/session", &[], None).await.map(drop)
}

/// Returns the address to which the browser is sent to connect an account of the provider.
///
/// `return_to` is the path to come back to; `connection_id` the connection to reconnect.
pub async fn login_url(
    provider: &Provider,
    return_to: &str,
    purpose: Purpose,
    connection_id: Option<&str>,
) -> Result<String, ApiFailure> {
    let fresh_sign_in = match purpose {
        Purpose::Connect => None,
        Purpose::Reconnect => Some(("reconnect", "true")),
        Purpose::AnotherAccount => Some(("forceReauth", "true")),
    };
    let which = connection_id.map(|id| ("connectionId", id));
    let query: Vec<_> = [("returnTo", return_to)].into_iter().chain(fresh_sign_in).chain(which).collect();
    let answer = call(Method::GET, &format!("/auth/{}/login", provider.slug()), &query, None).await?;
    Ok(read::<LoginAnswer>(&answer)?.auth_url)
}

/// Trades what the provider put into the address for a sealed handle and a profile. Works once for a `state`.
pub async fn exchange(provider: &Provider, query: &CallbackQuery) -> Result<CallbackAnswer, ApiFailure> {
    let query: Vec<_> = query.pairs().collect();
    read(&call(Method::GET, &format!("/auth/{}/callback", provider.slug()), &query, None).await?)
}

/// Saves what [`exchange`] gave. Returns the connection's id.
pub async fn save(provider: &Provider, body: &SaveConnection) -> Result<String, ApiFailure> {
    let body = write(body)?;
    let answer = call(Method::POST, &integration(provider, "/callback"), &[], Some(body)).await?;
    Ok(read::<SaveAnswer>(&answer)?.connection.id)
}

/// All that the signed-in person has connected: for each provider, the connection in use first, then the others, the one
/// connected last first.
pub async fn integrations() -> Result<Vec<Integration>, ApiFailure> {
    let answer = call(Method::GET, "/api/integrations", &[], None).await?;
    Ok(read::<IntegrationsAnswer>(&answer)?.integrations)
}

/// The signed-in person's connections with one provider, the one in use first.
pub async fn connections(provider: &Provider) -> Result<Vec<Connection>, ApiFailure> {
    let own = integrations().await?.into_iter().find(|integration| integration.provider == provider.id);
    Ok(own.map(|integration| integration.connections).unwrap_or_default())
}

/// Makes the connection of this id the one in use.
pub async fn select(provider: &Provider, id: &str) -> Result<(), ApiFailure> {
    let body = write(&SelectConnection { connection_id: id.to_owned() })?;
    call(Method::PUT, &integration(provider, "/me/current"), &[], Some(body)).await.map(drop)
}

/// Has the server read the profile from the provider now.
pub async fn sync(provider: &Provider, id: &str) -> Result<Connection, ApiFailure> {
    let path = integration(provider, "/me/sync");
    let answer = call(Method::POST, &path, &[("connectionId", id)], None).await?;
    Ok(read::<ConnectionAnswer>(&answer)?.connection)
}

/// Has the server refresh its access at the provider now; `rate_limited` while that is too young.
pub async fn refresh(provider: &Provider, id: &str) -> Result<Connection, ApiFailure> {
    let path = integration(provider, "/me/refresh");
    let answer = call(Method::POST, &path, &[("connectionId", id)], None).await?;
    Ok(read::<ConnectionAnswer>(&answer)?.connection)
}

/// The account's counts over time, the oldest first; `from` is a time as the API writes it. Without an `id`, it is the
/// connection in use.
pub async fn history(
    provider: &Provider,
    id: Option<&str>,
    from: Option<String>,
) -> Result<Vec<HistoryPoint>, ApiFailure> {
    let path = integration(provider, "/me/history");
    let mut points = Vec::new();
    let mut cursor = None::<String>;
    for _ in 0..MOST_HISTORY_REQUESTS {
        let mut query = vec![("limit", POINTS_PER_REQUEST)];
        query.extend(id.map(|id| ("connectionId", id)));
        query.extend(from.as_deref().map(|from| ("from", from)));
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let answer = call(Method::GET, &path, &query, None).await?;
        let answer = read::<HistoryAnswer>(&answer)?;
        points.extend(answer.points);
        cursor = answer.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    Ok(points)
}

/// Returns the connection's events, the newest first, from `cursor` on if it is given. Without an `id`, it is the connection
/// in use.
pub async fn events(
    provider: &Provider,
    id: Option<&str>,
    cursor: Option<&str>,
) -> Result<EventsAnswer, ApiFailure> {
    let query = [id.map(|id| ("connectionId", id)), cursor.map(|cursor| ("cursor", cursor))];
    let query: Vec<_> = query.into_iter().flatten().collect();
    read(&call(Method::GET, &integration(provider, "/me/events"), &query, None).await?)
}

/// Ends one of the signed-in person's connections. Returns the address where the person removes the app at the provider, where
/// nobody can do it for them.
pub async fn disconnect(provider: &Provider, id: &str) -> Result<Option<String>, ApiFailure> {
    let answer = end(&integration(provider, "/me/connections/"), id).await?;
    Ok(answer.and_then(|answer| json::read::<EndAnswer>(&answer)?.revoke_url))
}

/// The person's API keys, the newest first, ended ones included.
pub async fn api_keys() -> Result<Vec<ApiKey>, ApiFailure> {
    Ok(read::<ApiKeysAnswer>(&call(Method::GET, "/api/api-keys", &[], None).await?)?.api_keys)
}

/// Makes an API key. What the key itself is, only this answer says.
pub async fn create_api_key(body: &CreateApiKey) -> Result<CreatedApiKey, ApiFailure> {
    let body = write(body)?;
    read(&call(Method::POST, "/api/api-keys", &[], Some(body)).await?)
}

/// Ends an API key.
pub async fn revoke_api_key(id: &str) -> Result<(), ApiFailure> {
    end("/api/api-keys/", id).await.map(drop)
}

/// Returns the browser sessions of the signed-in person.
pub async fn sessions() -> Result<Vec<BrowserSession>, ApiFailure> {
    Ok(read::<SessionsAnswer>(&call(Method::GET, "/api/sessions", &[], None).await?)?.sessions)
}

/// Ends one of the person's sessions.
pub async fn end_session(id: &str) -> Result<(), ApiFailure> {
    end("/api/sessions/", id).await.map(drop)
}

/// Ends all of the person's sessions but this one.
pub async fn end_other_sessions() -> Result<(), ApiFailure> {
    call(Method::DELETE, "/api/sessions", &[], None).await.map(drop)
}

/// Changes the person's password. Returns the API keys that there are afterwards.
pub async fn change_password(body: &ChangePassword) -> Result<Vec<ApiKey>, ApiFailure> {
    let body = write(body)?;
    let answer = call(Method::PUT, "/api/users/me/password", &[], Some(body)).await?;
    Ok(read::<ApiKeysAnswer>(&answer)?.api_keys)
}

/// Deletes the person's account, and all that is theirs.
pub async fn delete_account(body: &DeleteAccount) -> Result<(), ApiFailure> {
    let body = write(body)?;
    call(Method::DELETE, "/api/users/me", &[], Some(body)).await.map(drop)
}

/// Returns a path of the provider's connections.
fn integration(provider: &Provider, rest: &str) -> String {
    format!("/api/integrations/{}{rest}", provider.slug())
}

/// Ends the one of this id. One that has ended already is what was wanted; there is no answer then.
async fn end(of: &str, id: &str) -> Result<Option<String>, ApiFailure> {
    let path = format!("{of}{}", js_sys::encode_uri_component(id));
    match call(Method::DELETE, &path, &[], None).await {
        Err(failure) if failure.code() == Some(ErrorCode::NotFound) => Ok(None),
        answer => answer.map(Some),
    }
}

/// Makes one call and answers with the body of its success. The only place that talks to the network; everything that
/// depends on a type is done outside of it, so that it is compiled once.
async fn call(
    method: Method,
    path: &str,
    query: &[(&str, &str)],
    body: Option<String>,
) -> Result<String, ApiFailure> {
    let builder = RequestBuilder::new(&format!("{}{path}", origin()))
        .method(method)
        .query(query.iter().copied())
        .header("Accept", "application/json")
        // The session is a cookie; in development the API is on another port, which is another origin.
        .credentials(RequestCredentials::Include)
        .abort_signal(Some(&AbortSignal::timeout_with_u32(TIMEOUT_MS)));
    let request = match body {
        Some(body) => builder.header("Content-Type", "application/json").body(body),
        None => builder.build(),
    };
    // Building a request fails for a malformed URL only: a wrong BACKEND_URL, so the server cannot be reached.
    let response = request.map_err(|_| ApiFailure::Unreachable)?.send().await;
    let response = response.map_err(|_| ApiFailure::Unreachable)?;
    let text = response.text().await.map_err(|_| ApiFailure::Unreachable)?;
    if response.ok() { Ok(text) } else { Err(refusal(json::read(&text))) }
}

fn write(body: &impl Serialize) -> Result<String, ApiFailure> {
    json::write(body).ok_or(ApiFailure::Unreadable)
}

fn read<T: DeserializeOwned>(answer: &str) -> Result<T, ApiFailure> {
    json::read(answer).ok_or(ApiFailure::Unreadable)
}

/// Returns the failure that an unsuccessful answer describes; `Unreadable` for an answer outside the error
/// contract.
fn refusal(body: Option<ErrorBody>) -> ApiFailure {
    body.map_or(ApiFailure::Unreadable, |body| ApiFailure::Refused(Box::new(body)))
}

/// Returns the address of the API's reference for programmers.
pub fn reference() -> String {
    format!("{}/api/docs", origin())
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
        assert_eq!(refusal(serde_json::from_str(body).ok()).code(), Some(ErrorCode::NotConnected));
        assert_eq!(refusal(serde_json::from_str("<html>Bad gateway</html>").ok()), ApiFailure::Unreadable);
    }
}
