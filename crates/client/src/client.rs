//! The calls.

use futures_util::{Stream, TryStreamExt, stream};
use reqwest::Method;
use serde::Serialize;
use serde_json::Value;
use shared::{
    ApiKey, ApiKeysAnswer, CallbackAnswer, Connection, ConnectionAnswer, ConnectionsAnswer, CreateHostLink,
    EndAnswer, ErrorCode, EventsAnswer, HistoryAnswer, HostLinkAnswer, Integration, IntegrationsAnswer,
    ListedConnection, LoginAnswer, Provider, SaveAnswer, SaveConnection, SavedConnection, SelectConnection,
    TokenAnswer, UserConnection, UserConnectionsAnswer, without_fragment,
};

use crate::error::{ConfigError, Error};
use crate::queries::{ConnectionsFilter, EventsPage, HistoryPage, Login};
use crate::retries::Retries;
use crate::transport::{Call, Transport};

/// A client of one service with one key. Clones share their connections.
///
/// With a service key, `user_id` is the host application's own id of the user; with a personal key it is `me`. What goes wrong
/// is an [`Error`]: the codes that each call can meet are those of its route in the service's `/api/docs`.
#[derive(Clone, Debug)]
pub struct Client {
    transport: Transport,
    provider: Provider,
}

impl Client {
    /// For the service at this address (`https://connect.example.com`), with a key (`igc_live_…`).
    ///
    /// The key goes over the wire with every call: an address with http is for a machine's own and for private networks.
    ///
    /// # Errors
    /// When the address or the key cannot be one, or the operating system has no certificates.
    pub fn new(base_url: &str, key: &str) -> Result<Self, ConfigError> {
        Ok(Self { transport: Transport::new(base_url, key)?, provider: Provider::Instagram })
    }

    /// The same client, with other retries.
    #[must_use]
    pub fn with_retries(mut self, retries: Retries) -> Self {
        self.transport.retries = retries;
        self
    }

    /// The same client, for the connections with another provider: all calls about a connection are about that one's then. Without
    /// this they are about Instagram's.
    #[must_use]
    pub fn with_provider(mut self, provider: Provider) -> Self {
        self.provider = provider;
        self
    }

    /// Makes a link that signs one browser in, once and within ten minutes, as this user: the web app does the rest. The person
    /// is asked first, by a page that names the user. Needs `sessions:create`.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn create_host_link(&self, wanted: &CreateHostLink) -> Result<HostLinkAnswer, Error> {
        self.transport.call(Method::POST, ["api", "sessions"])?.creating(wanted).send().await
    }

    /// Ends all sessions of this user at the web app and the links that wait to be opened; with `revoke_keys`, revokes the API
    /// keys that the user has made there. Returns the keys that there are afterwards: they go on working. Needs
    /// `sessions:create`.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn end_sessions(&self, user_id: &str, revoke_keys: bool) -> Result<Vec<ApiKey>, Error> {
        let call = self.transport.call(Method::DELETE, ["api", "users", user_id, "sessions"])?;
        let ApiKeysAnswer { api_keys } = call.query(&[("revokeApiKeys", revoke_keys)]).send().await?;
        Ok(api_keys)
    }

    /// Begins a connection without the web app: where to send the person's browser. Needs `connections:write`, like the next
    /// two.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn login_url(&self, user_id: &str, login: &Login) -> Result<LoginAnswer, Error> {
        let call = self.transport.call(Method::GET, ["auth", self.provider.as_str(), "login"])?;
        call.query(&[("userId", user_id)]).query(login).send().await
    }

    /// Turns what the provider sent the browser back with into a handle that can be saved. A state and a code
    /// are used up by it, so it is not made again when the answer does not come: the person begins anew then.
    /// The `#_` that Instagram ends the address with may still be there: it is taken off.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn exchange(&self, user_id: &str, code: &str, state: &str) -> Result<CallbackAnswer, Error> {
        let call = self.transport.call(Method::GET, ["auth", self.provider.as_str(), "callback"])?;
        let (code, state) = (without_fragment(code), without_fragment(state));
        call.query(&[("userId", user_id), ("code", code), ("state", state)]).only_once().send().await
    }

    /// Saves what [`Client::exchange`] gave.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn save(&self, user_id: &str, granted: CallbackAnswer) -> Result<SavedConnection, Error> {
        let body = SaveConnection {
            user_id: user_id.to_owned(),
            access_token: granted.access_token,
            provider_account_id: granted.user_id,
            expires_in: Some(granted.expires_in),
            user: Some(granted.user),
        };
        let call =
            self.transport.call(Method::POST, ["api", "integrations", self.provider.as_str(), "callback"])?;
        let SaveAnswer { connection } = call.creating(&body).send().await?;
        Ok(connection)
    }

    /// All that the user has connected, with every provider, by one request. Needs `connections:read`.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn integrations(&self, user_id: &str) -> Result<Vec<Integration>, Error> {
        let call = self.transport.call(Method::GET, ["api", "users", user_id, "integrations"])?;
        let IntegrationsAnswer { integrations } = call.send().await?;
        Ok(integrations)
    }

    /// Makes one of the user's connections the one in use, which calls about the user's connection mean. Needs `connections:write`.
    ///
    /// # Errors
    /// See [`Error`]; `not_found` where the user has none of this id.
    pub async fn select(&self, user_id: &str, connection_id: &str) -> Result<Connection, Error> {
        let body = SelectConnection { connection_id: connection_id.to_owned() };
        let call = self.of(user_id, Method::PUT, ["current"])?;
        let ConnectionAnswer { connection } = call.creating(&body).send().await?;
        Ok(connection)
    }

    /// The user's connection; `None` when there is none. Needs `connections:read`, like all that reads.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn connection(&self, user_id: &str) -> Result<Option<Connection>, Error> {
        match self.of(user_id, Method::GET, [])?.send().await {
            Ok(ConnectionAnswer { connection }) => Ok(Some(connection)),
            Err(error) if error.code() == Some(ErrorCode::NotConnected) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The user's connections, the one in use first: several, where they connected several accounts. Needs
    /// `connections:read`.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn connections_of(&self, user_id: &str) -> Result<Vec<UserConnection>, Error> {
        let UserConnectionsAnswer { connections } =
            self.of(user_id, Method::GET, ["connections"])?.send().await?;
        Ok(connections)
    }

    /// The connections of all users of the host application, asked for page by page as they are read. For service keys.
    ///
    /// An error ends the stream.
    pub fn connections(
        &self,
        filter: ConnectionsFilter,
    ) -> impl Stream<Item = Result<ListedConnection, Error>> + '_ {
        // `Some` while there is another page: the first has no cursor.
        let pages = stream::try_unfold(Some(None), move |place: Option<Option<String>>| async move {
            let Some(cursor) = place else { return Ok(None) };
            let call = self.transport.call(Method::GET, ["api", "connections"])?;
            let page: ConnectionsAnswer = call.query(&filter).query(&Cursor { cursor }).send().await?;
            let connections = stream::iter(page.connections.into_iter().map(Ok));
            Ok::<_, Error>(Some((connections, page.next_cursor.map(Some))))
        });
        pages.try_flatten()
    }

    /// Refreshes the token of the user's connection now. The service does so by itself in time; Instagram
    /// does only once a token is a day old. Needs `connections:write`.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn refresh(&self, user_id: &str) -> Result<Connection, Error> {
        let ConnectionAnswer { connection } = self.of(user_id, Method::POST, ["refresh"])?.send().await?;
        Ok(connection)
    }

    /// Reads the profile of the user's connection from the provider now. Needs `connections:write`.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn sync(&self, user_id: &str) -> Result<Connection, Error> {
        let ConnectionAnswer { connection } = self.of(user_id, Method::POST, ["sync"])?.send().await?;
        Ok(connection)
    }

    /// Ends the user's connection. That there is none is what was wanted, and no error. Needs `connections:write`.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn disconnect(&self, user_id: &str) -> Result<(), Error> {
        match self.of(user_id, Method::DELETE, [])?.send().await {
            Ok(EndAnswer { .. }) => Ok(()),
            Err(error) if error.code() == Some(ErrorCode::NotConnected) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Ends one of the user's connections. Needs `connections:write`.
    ///
    /// # Errors
    /// See [`Error`]; `not_found` where the user has none of this id, as after an earlier try whose answer was lost.
    pub async fn disconnect_one(&self, user_id: &str, connection_id: &str) -> Result<(), Error> {
        let EndAnswer { .. } =
            self.of(user_id, Method::DELETE, ["connections", connection_id])?.send().await?;
        Ok(())
    }

    /// The counts of the user's connection over time.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn history(&self, user_id: &str, page: &HistoryPage) -> Result<HistoryAnswer, Error> {
        self.of(user_id, Method::GET, ["history"])?.query(page).send().await
    }

    /// Returns the events of the user's connection.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn events(&self, user_id: &str, page: &EventsPage) -> Result<EventsAnswer, Error> {
        self.of(user_id, Method::GET, ["events"])?.query(page).send().await
    }

    /// Returns the provider's own access token. Each time is an event that the user sees; keep it nowhere.
    /// Needs `tokens:read`.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn token(&self, user_id: &str) -> Result<TokenAnswer, Error> {
        self.of(user_id, Method::GET, ["token"])?.send().await
    }

    /// Asks the provider itself, with the token of the user's connection: `me`, `me/media` and what else
    /// `/api/docs` names. The answer is the provider's.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn graph_get(
        &self,
        user_id: &str,
        path: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Value, Error> {
        let path = ["proxy"].into_iter().chain(path.split('/'));
        self.of(user_id, Method::GET, path)?.query(parameters).send().await
    }

    /// A call about one user's connection.
    fn of<'a>(
        &self,
        user_id: &'a str,
        method: Method,
        below: impl IntoIterator<Item = &'a str>,
    ) -> Result<Call, Error> {
        let path = ["api", "integrations", self.provider.as_str(), user_id];
        self.transport.call(method, path.into_iter().chain(below))
    }
}

/// The place at which a page begins.
#[derive(Serialize)]
struct Cursor {
    cursor: Option<String>,
}
