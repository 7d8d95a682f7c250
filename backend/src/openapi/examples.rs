//! An example of every body, made from the types themselves: what the types cannot hold cannot stand here.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use shared::{
    ApiKey, ApiKeysAnswer, BrowserSession, CallbackAnswer, ChangePassword, Connection, ConnectionAnswer,
    ConnectionEvent, ConnectionStatus, ConnectionsAnswer, CreateApiKey, CreateHostLink, CreatedApiKey,
    CurrentSessionAnswer, DeleteAccount, EndAnswer, ErrorBody, ErrorCode, EventKind, EventOutcome,
    EventsAnswer, HistoryAnswer, HistoryPoint, HostLinkAnswer, Integration, IntegrationsAnswer,
    ListedConnection, LoginAnswer, Provider, ProviderProfile, SaveAnswer, SaveConnection, SavedConnection,
    Scope, SelectConnection, Sensitive, SessionAnswer, SessionsAnswer, SignIn, SignUp, TokenAnswer, User,
    UserConnection, UserConnectionsAnswer, UserProfile, permission,
};

/// A value that fits a schema.
pub(super) struct Example {
    /// The schema's name.
    pub(super) schema: &'static str,
    /// The value.
    pub(super) value: Value,
}

impl Example {
    fn of(schema: &'static str, value: &impl Serialize) -> Option<Self> {
        // A type that cannot be written as JSON would be a route that always fails. The tests miss its example.
        Some(Self { schema, value: serde_json::to_value(value).ok()? })
    }

    fn success(schema: &'static str, answer: &impl Serialize) -> Option<Self> {
        let Value::Object(answer) = serde_json::to_value(answer).ok()? else { return None };
        let value = Map::from_iter([("ok".to_owned(), true.into())]).into_iter().chain(answer).collect();
        Some(Self { schema, value })
    }
}

const CONNECTED: Timestamp = Timestamp::constant(1_795_705_227, 871_000_000);
const SYNCED: Timestamp = Timestamp::constant(1_795_705_828, 214_000_000);
const EXPIRES: Timestamp = Timestamp::constant(1_800_889_171, 843_000_000);

const ACCOUNT: &str = "17841400000000000";
const USER: &str = "usr_5f0c6a1e8d2b4f7a9c3e1d5b7f9a2c4e";

/// All of them.
pub(super) fn all() -> Vec<Example> {
    let found = people().into_iter().chain(connecting()).chain(connections()).chain(keys()).chain(programs());
    found.chain([Example::of("ErrorBody", &failure())]).flatten().collect()
}

fn failure() -> ErrorBody {
    ErrorBody {
        ok: false,
        error: "No active Instagram connection found".to_owned(),
        code: ErrorCode::NotConnected,
        request_id: "0193a1f2-7c4e-7b1d-9e1a-2f6c8d4b5a3e".to_owned(),
        fields: None,
        reason: None,
        missing: None,
        retry_after: None,
    }
}

fn text(text: &str) -> Sensitive {
    text.to_owned().into()
}

fn people() -> [Option<Example>; 7] {
    let email = "ada@example.com".to_owned();
    let name = Some("Ada Lovelace".to_owned());
    let password = text("correct horse battery");
    let user = User {
        id: USER.to_owned(),
        email: Some(email.clone()),
        name: name.clone(),
        created_at: CONNECTED.into(),
    };
    let session = BrowserSession {
        id: "ses_7d1e5c3a9b8f4e2d6c0a1b3f5e7d9c2a".to_owned(),
        created_at: CONNECTED.into(),
        last_used_at: SYNCED.into(),
        expires_at: EXPIRES.into(),
        user_agent: Some("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0".to_owned()),
        current: true,
    };
    [
        Example::of("SignUp", &SignUp { email: email.clone(), password: password.clone(), name }),
        Example::of("SignIn", &SignIn { email, password: password.clone() }),
        Example::success("CurrentSessionAnswer", &CurrentSessionAnswer { user: Some(user.clone()) }),
        Example::success("SessionAnswer", &SessionAnswer { user }),
        Example::success("SessionsAnswer", &SessionsAnswer { sessions: vec![session] }),
        Example::of(
            "ChangePassword",
            &ChangePassword {
                current_password: password.clone(),
                new_password: text("staple battery horse"),
                revoke_api_keys: false,
            },
        ),
        Example::of("DeleteAccount", &DeleteAccount { password }),
    ]
}

fn connecting() -> [Option<Example>; 4] {
    let auth_url = "https://www.instagram.com/oauth/authorize?client_id=…&state=…".to_owned();
    let handle = text("sealed.v1.k1.MEWXgMIz7rSwsTo67z5U…");
    let expires_in = 5_183_944;
    let user = UserProfile {
        id: ACCOUNT.to_owned(),
        username: "wreckshoprecords".to_owned(),
        name: Some("Wreck Shop Records".to_owned()),
        profile_picture_url: Some("https://scontent.cdninstagram.com/v/t51.2885-19/1.jpg".to_owned()),
        biography: Some("Vinyl Records & Digital Beats".to_owned()),
        website: Some("wreckshop.com".to_owned()),
        followers_count: Some(15_420),
        follows_count: Some(823),
        media_count: Some(456),
    };
    let save = SaveConnection {
        user_id: USER.to_owned(),
        access_token: handle.clone(),
        provider_account_id: ACCOUNT.to_owned(),
        expires_in: Some(expires_in),
        user: Some(user.clone()),
    };
    let callback = CallbackAnswer {
        access_token: handle,
        user_id: ACCOUNT.to_owned(),
        expires_in,
        user,
        return_to: Some("/integrations".to_owned()),
        expected_username: None,
    };
    let saved = SavedConnection {
        id: "6a6ecf14d35d3c1b0f4ab1f0".to_owned(),
        username: "wreckshoprecords".to_owned(),
        followers: Some(15_420),
        connected_at: CONNECTED.into(),
        expires_at: EXPIRES.into(),
    };
    [
        Example::of("LoginAnswer", &LoginAnswer { redirect_to: auth_url.clone(), auth_url }),
        Example::success("CallbackAnswer", &callback),
        Example::of("SaveConnection", &save),
        Example::success("SaveAnswer", &SaveAnswer { connection: saved }),
    ]
}

/// A connection as it is read.
fn connection() -> Connection {
    Connection {
        id: "6a6ecf14d35d3c1b0f4ab1f0".to_owned(),
        username: "wreckshoprecords".to_owned(),
        name: Some("Wreck Shop Records".to_owned()),
        profile_picture_url: Some("https://scontent.cdninstagram.com/v/t51.2885-19/1.jpg".to_owned()),
        profile_url: Some("https://www.instagram.com/wreckshoprecords/".to_owned()),
        of_provider: ProviderProfile::Instagram {
            biography: Some("Vinyl Records & Digital Beats".to_owned()),
            website: Some("wreckshop.com".to_owned()),
            following: Some(823),
            media_count: Some(456),
        },
        followers: Some(15_420),
        connected_at: CONNECTED.into(),
        last_sync: SYNCED.into(),
        expires_at: EXPIRES.into(),
        needs_refresh: false,
        status: ConnectionStatus::Active,
        scopes: permission::ALL[..2].iter().map(|&name| name.to_owned()).collect(),
        missing_scopes: vec![permission::MANAGE_MESSAGES.to_owned()],
        last_error: None,
        needs_reauthorization_since: None,
    }
}

fn connections() -> [Option<Example>; 3] {
    let point = HistoryPoint {
        at: SYNCED.into(),
        followers: Some(15_420),
        following: Some(823),
        media_count: Some(456),
    };
    let event = ConnectionEvent {
        id: "evt_019ab2d8a2f67a0c8e5f6f1f1f7c2b11".to_owned(),
        kind: EventKind::Synced,
        at: SYNCED.into(),
        outcome: EventOutcome::Succeeded,
        message: "The profile was read from Instagram.".to_owned(),
    };
    [
        Example::success("ConnectionAnswer", &ConnectionAnswer { connection: connection() }),
        Example::success("HistoryAnswer", &HistoryAnswer { points: vec![point], next_cursor: None }),
        Example::success("EventsAnswer", &EventsAnswer { events: vec![event], next_cursor: None }),
    ]
}

fn programs() -> [Option<Example>; 6] {
    let listed = ListedConnection { user_id: "user-123".to_owned(), connection: connection() };
    let next_cursor = Some("NmE2ZWNmMTRkMzVkM2MxYjBmNGFiMWYw".to_owned());
    let connections = vec![UserConnection { current: true, connection: connection() }];
    let integrations = Provider::ALL.map(|provider| Integration {
        provider,
        configured: provider == Provider::Instagram,
        connections: if provider == Provider::Instagram { vec![connection()] } else { Vec::new() },
    });
    let integrations = integrations.to_vec();
    let token = TokenAnswer {
        access_token: text("IG…"),
        token_type: "bearer".to_owned(),
        expires_at: EXPIRES.into(),
        instagram_user_id: Some(ACCOUNT.to_owned()),
        spotify_user_id: None,
        scopes: connection().scopes,
    };
    [
        Example::success("ConnectionsAnswer", &ConnectionsAnswer { connections: vec![listed], next_cursor }),
        Example::success("UserConnectionsAnswer", &UserConnectionsAnswer { connections }),
        Example::success("IntegrationsAnswer", &IntegrationsAnswer { integrations }),
        Example::success("EndAnswer", &EndAnswer { revoke_url: None }),
        Example::of("SelectConnection", &SelectConnection { connection_id: connection().id }),
        Example::success("TokenAnswer", &token),
    ]
}

fn keys() -> [Option<Example>; 5] {
    let name = "Nightly report".to_owned();
    let key = ApiKey {
        id: "key_2c9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f".to_owned(),
        name: name.clone(),
        scopes: vec![Scope::ConnectionsRead],
        hint: "igc_live_Jk3v".to_owned(),
        created_at: CONNECTED.into(),
        expires_at: Some(EXPIRES.into()),
        last_used_at: None,
    };
    let create = CreateApiKey {
        name,
        scopes: vec![Scope::ConnectionsRead.as_str().to_owned()],
        expires_at: Some(shared::Timestamp::from(EXPIRES).to_string()),
        password: Some(text("correct horse battery")),
    };
    let link = CreateHostLink {
        user_id: "user-123".to_owned(),
        name: Some("Ada Lovelace".to_owned()),
        return_to: Some("/integrations".to_owned()),
    };
    let made = HostLinkAnswer {
        url: text("https://connect.example.com/auth/host?token=…"),
        expires_at: SYNCED.into(),
    };
    [
        Example::of("CreateApiKey", &create),
        Example::success(
            "CreatedApiKey",
            &CreatedApiKey { api_key: key.clone(), key: text("igc_live_Jk3v…") },
        ),
        Example::success("ApiKeysAnswer", &ApiKeysAnswer { api_keys: vec![key] }),
        Example::of("CreateHostLink", &link),
        Example::success("HostLinkAnswer", &made),
    ]
}
