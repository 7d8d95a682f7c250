//! The routes of the API by name, for a person or a program to call. A path is written here once; where a request has a header
//! of its own, it is made with these.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Answer, Person};

pub(crate) const USERS: &str = "/api/users";
pub(crate) const ACCOUNT: &str = "/api/users/me";
pub(crate) const SESSION: &str = "/api/session";
pub(crate) const SESSIONS: &str = "/api/sessions";
pub(crate) const API_KEYS: &str = "/api/api-keys";
pub(crate) const CONNECTIONS: &str = "/api/connections";
pub(crate) const HOST_LINK: &str = "/auth/host";
pub(crate) const LOGIN: &str = "/auth/instagram/login";
pub(crate) const CALLBACK: &str = "/auth/instagram/callback";
pub(crate) const DEAUTHORIZE: &str = "/auth/instagram/deauthorize";
pub(crate) const DATA_DELETION: &str = "/auth/instagram/data-deletion";
/// Saves what the callback answered.
pub(crate) const SAVE: &str = "/api/integrations/instagram/callback";
/// All that the caller has connected.
pub(crate) const INTEGRATIONS: &str = "/api/integrations";
/// The caller's own connection. Those of a user are below it.
pub(crate) const INSTAGRAM: &str = "/api/integrations/instagram";
/// The caller's own connection, as a user's.
pub(crate) const MY_INSTAGRAM: &str = "/api/integrations/instagram/me";

/// Accounts and sessions.
impl Person {
    pub(crate) async fn sign_up(&self, body: Value) -> Answer {
        self.post(USERS, body).await
    }

    pub(crate) async fn sign_in(&self, email: &str, password: &str) -> Answer {
        self.post(SESSION, json!({"email": email, "password": password})).await
    }

    /// Asks for the signed-in user.
    pub(crate) async fn session(&self) -> Answer {
        self.get(SESSION).await
    }

    pub(crate) async fn sign_out(&self) -> Answer {
        self.delete(SESSION).await
    }

    pub(crate) async fn sessions(&self) -> Answer {
        self.get(SESSIONS).await
    }

    pub(crate) async fn end_session(&self, id: &str) -> Answer {
        self.delete(&format!("{SESSIONS}/{id}")).await
    }

    pub(crate) async fn end_other_sessions(&self) -> Answer {
        self.delete(SESSIONS).await
    }

    pub(crate) async fn change_password(&self, body: Value) -> Answer {
        Answer::of(self.request(Method::PUT, &format!("{ACCOUNT}/password")).json(&body)).await
    }

    pub(crate) async fn delete_account(&self, body: Value) -> Answer {
        Answer::of(self.request(Method::DELETE, ACCOUNT).json(&body)).await
    }
}

/// Keys.
impl Person {
    pub(crate) async fn api_keys(&self) -> Answer {
        self.get(API_KEYS).await
    }

    pub(crate) async fn create_key(&self, body: Value) -> Answer {
        self.post(API_KEYS, body).await
    }

    pub(crate) async fn revoke_key(&self, id: &str) -> Answer {
        self.delete(&format!("{API_KEYS}/{id}")).await
    }
}

/// Requests of a host application.
impl Person {
    pub(crate) async fn create_link(&self, body: Value) -> Answer {
        self.post(SESSIONS, body).await
    }

    pub(crate) async fn end_sessions_of(&self, user_id: &str, query: &str) -> Answer {
        self.delete(&with_query(format!("{USERS}/{user_id}/sessions"), query)).await
    }

    pub(crate) async fn connections(&self, query: &str) -> Answer {
        self.get(&with_query(CONNECTIONS.to_owned(), query)).await
    }
}

/// Connecting.
impl Person {
    pub(crate) async fn begin_login(&self, query: &str) -> Answer {
        self.get(&with_query(LOGIN.to_owned(), query)).await
    }

    pub(crate) async fn callback(&self, query: &str) -> Answer {
        self.get(&with_query(CALLBACK.to_owned(), query)).await
    }

    pub(crate) async fn save_connection(&self, body: Value) -> Answer {
        self.post(SAVE, body).await
    }

    /// The person's own connection, read.
    pub(crate) async fn connection(&self) -> Answer {
        self.instagram().read().await
    }

    /// The person's own connection with Instagram.
    pub(crate) fn instagram(&self) -> Integration<'_> {
        self.integration("instagram")
    }

    /// A user's connection with Instagram.
    pub(crate) fn instagram_of(&self, user_id: &str) -> Integration<'_> {
        self.integration_of("instagram", user_id)
    }

    /// The person's own connection with Spotify.
    pub(crate) fn spotify(&self) -> Integration<'_> {
        self.integration("spotify")
    }

    /// The person's own connection with a provider.
    pub(crate) fn integration<'a>(&'a self, provider: &'a str) -> Integration<'a> {
        self.integration_of(provider, "me")
    }

    /// A user's connection with a provider.
    pub(crate) fn integration_of<'a>(&'a self, provider: &'a str, user_id: &str) -> Integration<'a> {
        let path = format!("{INTEGRATIONS}/{provider}/{user_id}");
        Integration { person: self, provider, path, connection_id: None }
    }

    /// All that the person has connected.
    pub(crate) async fn integrations(&self) -> Answer {
        self.get(INTEGRATIONS).await
    }
}

/// The path of a user's connection with Instagram.
pub(crate) fn instagram(user_id: &str) -> String {
    format!("{INSTAGRAM}/{user_id}")
}

/// The path of a call that is passed on to Instagram for the caller.
pub(crate) fn proxied(path: &str) -> String {
    format!("{MY_INSTAGRAM}/proxy/{path}")
}

/// Requests about a user's connection with a provider.
#[derive(Clone)]
pub(crate) struct Integration<'a> {
    person: &'a Person,
    provider: &'a str,
    path: String,
    /// `None`: the one in use.
    connection_id: Option<&'a str>,
}

/// Connecting.
impl Integration<'_> {
    pub(crate) async fn begin_login(self, query: &str) -> Answer {
        self.person.get(&with_query(format!("/auth/{}/login", self.provider), query)).await
    }

    /// Returns the address that the browser is sent to.
    pub(crate) async fn auth_url(self, query: &str) -> String {
        let login = self.begin_login(query).await;
        login.body["authUrl"].as_str().unwrap_or_else(|| panic!("{login}")).to_owned()
    }

    pub(crate) async fn callback(self, query: &str) -> Answer {
        self.person.get(&with_query(format!("/auth/{}/callback", self.provider), query)).await
    }

    /// Saves what the callback answered, as the web app does.
    pub(crate) async fn save(self, exchanged: &Value) -> Answer {
        let path = format!("{INTEGRATIONS}/{}/callback", self.provider);
        self.person.post(&path, self.person.save_body(exchanged)).await
    }
}

impl<'a> Integration<'a> {
    /// The one of this id.
    pub(crate) fn with_id(self, connection_id: &'a str) -> Self {
        Self { connection_id: Some(connection_id), ..self }
    }

    /// The path of something below the connection, or of itself.
    pub(crate) fn path(&self, below: &str) -> String {
        let path = format!("{}{below}", self.path);
        let Some(id) = self.connection_id else { return path };
        let separator = if path.contains('?') { '&' } else { '?' };
        format!("{path}{separator}connectionId={id}")
    }

    pub(crate) async fn read(self) -> Answer {
        self.person.get(&self.path("")).await
    }

    /// The connection alone.
    pub(crate) async fn shown(self) -> Value {
        let answer = self.read().await;
        assert_eq!(answer.status, 200, "{answer}");
        answer.body["connection"].clone()
    }

    /// All of the user's with this provider.
    pub(crate) async fn all(self) -> Answer {
        self.list("connections", "").await
    }

    /// Makes another the one in use.
    pub(crate) async fn select(self, connection_id: &str) -> Answer {
        let body = json!({ "connectionId": connection_id });
        Answer::of(self.person.request(Method::PUT, &self.path("/current")).json(&body)).await
    }

    pub(crate) async fn disconnect(self) -> Answer {
        self.person.delete(&self.path("")).await
    }

    /// The provider's own token.
    pub(crate) async fn token(self) -> Answer {
        self.person.get(&self.path("/token")).await
    }

    pub(crate) async fn refresh(self) -> Answer {
        self.act("refresh").await
    }

    pub(crate) async fn sync(self) -> Answer {
        self.act("sync").await
    }

    /// `refresh` or `sync`.
    pub(crate) async fn act(self, action: &str) -> Answer {
        self.person.post(&self.path(&format!("/{action}")), json!({})).await
    }

    /// A call that is passed on to the provider.
    pub(crate) async fn proxy(self, path: &str) -> Answer {
        self.person.get(&self.path(&format!("/proxy/{path}"))).await
    }

    pub(crate) async fn history(self, query: &str) -> Answer {
        self.list("history", query).await
    }

    pub(crate) async fn events(self, query: &str) -> Answer {
        self.list("events", query).await
    }

    /// The types of the connection's events, the oldest first.
    pub(crate) async fn event_types(self) -> Vec<String> {
        let answer = self.events("").await;
        let events = answer.body["events"].as_array().unwrap_or_else(|| panic!("{answer}"));
        events.iter().rev().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    }

    /// `history`, `events` or `connections`.
    pub(crate) async fn list(self, list: &str, query: &str) -> Answer {
        self.person.get(&self.path(&with_query(format!("/{list}"), query))).await
    }
}

fn with_query(path: String, query: &str) -> String {
    if query.is_empty() { path } else { format!("{path}?{query}") }
}
