//! Permissions of every kind of caller on every route. A route without a row fails the test.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use instagram_simulator::accounts;
use reqwest::{Method, Url};
use serde_json::{Value, json};

use crate::support::{PASSWORD, Person, TestApp};

/// A user of the host application, who is connected.
const HOST_USER: &str = "user-123";

/// The kinds of caller, in the order of a row's columns. "A" is somebody with a local account, whom all but the two
/// `service` columns ask about; those ask about the host's user.
const CALLERS: [&str; 9] = [
    "anonymous",
    "A about A",
    "B about A",
    "A's key with the scope",
    "A's key without the scope",
    "service key with the scope",
    "service key without the scope",
    "service key about A",
    OVER,
];

/// Callers with a key that has expired or was revoked, a person's or the host's: all are answered alike.
const OVER: &str = "key that is over";

/// Every route with the scope that it needs of a key (or, where it needs none, any), and what each caller is answered. Where
/// being let in would change what the next one finds, the request is one that is let in and then refused for its content.
#[rustfmt::skip]
const ROWS: &[(&str, &str, [u16; 9])] = &[
    // Anybody's.
    ("GET /healthz",                                          "connections:read",  [200; 9]),
    ("HEAD /healthz",                                         "connections:read",  [200; 9]),
    ("GET /readyz",                                           "connections:read",  [200; 9]),
    ("HEAD /readyz",                                          "connections:read",  [200; 9]),
    ("GET /api/openapi.json",                                 "connections:read",  [200; 9]),
    ("HEAD /api/openapi.json",                                "connections:read",  [200; 9]),
    ("GET /api/docs",                                         "connections:read",  [200; 9]),
    ("HEAD /api/docs",                                        "connections:read",  [200; 9]),
    ("POST /api/users",                                       "connections:read",  [422; 9]),
    ("POST /api/session",                                     "connections:read",  [200; 9]),
    ("GET /auth/host",                                        "connections:read",  [400; 9]),
    ("POST /auth/host",                                       "connections:read",  [415; 9]),
    ("POST /auth/instagram/deauthorize",                      "connections:read",  [415; 9]),
    ("POST /auth/instagram/data-deletion",                    "connections:read",  [415; 9]),
    ("GET /auth/instagram/data-deletion/{code}",              "connections:read",  [404; 9]),
    ("HEAD /auth/instagram/data-deletion/{code}",             "connections:read",  [404; 9]),
    // Only for somebody who is signed in.                                          anon   A    B   key   -  serv   -   on A  over
    ("GET /api/session",                                      "connections:read",  [401, 200, 200, 403, 403, 403, 403, 403, 401]),
    ("DELETE /api/session",                                   "connections:read",  [401, 200, 200, 403, 403, 403, 403, 403, 401]),
    ("GET /api/api-keys",                                     "connections:read",  [401, 200, 200, 403, 403, 403, 403, 403, 401]),
    ("POST /api/api-keys",                                    "connections:read",  [401, 422, 422, 403, 403, 403, 403, 403, 401]),
    ("DELETE /api/api-keys/{id}",                             "connections:read",  [401, 404, 404, 403, 403, 403, 403, 403, 401]),
    ("GET /api/sessions",                                     "connections:read",  [401, 200, 200, 403, 403, 403, 403, 403, 401]),
    ("DELETE /api/sessions",                                  "connections:read",  [401, 200, 200, 403, 403, 403, 403, 403, 401]),
    ("DELETE /api/sessions/{id}",                             "connections:read",  [401, 404, 404, 403, 403, 403, 403, 403, 401]),
    ("PUT /api/users/me/password",                            "connections:read",  [401, 422, 422, 403, 403, 403, 403, 403, 401]),
    ("DELETE /api/users/me",                                  "connections:read",  [401, 401, 401, 403, 403, 403, 403, 403, 401]),
    // Only for the host application.
    ("POST /api/sessions",                                    "sessions:create",   [401, 403, 403, 403, 403, 201, 403, 201, 401]),
    ("DELETE /api/users/{userId}/sessions",                   "sessions:create",   [401, 403, 403, 403, 403, 200, 403, 200, 401]),
    ("GET /api/connections",                                  "connections:read",  [401, 403, 403, 403, 403, 200, 403, 200, 401]),
    // About a user. The host has a user of A's id as well, and that one is not connected.
    ("GET /auth/{provider}/login",                             "connections:write", [401, 200, 403, 200, 403, 200, 403, 200, 401]),
    ("GET /auth/{provider}/callback",                          "connections:write", [401, 400, 403, 400, 403, 400, 403, 400, 401]),
    ("POST /api/integrations/{provider}/callback",             "connections:write", [401, 422, 403, 422, 403, 422, 403, 422, 401]),
    ("GET /api/integrations/{provider}",                       "connections:read",  [401, 200, 404, 200, 403, 403, 403, 403, 401]),
    ("GET /api/integrations/{provider}/{userId}",              "connections:read",  [401, 200, 403, 200, 403, 200, 403, 404, 401]),
    ("DELETE /api/integrations/{provider}/{userId}",           "connections:write", [401, 200, 403, 200, 403, 200, 403, 404, 401]),
    ("GET /api/integrations/{provider}/{userId}/connections",  "connections:read",  [401, 200, 403, 200, 403, 200, 403, 200, 401]),
    ("PUT /api/integrations/{provider}/{userId}/current",     "connections:write", [401, 404, 403, 404, 403, 404, 403, 404, 401]),
    ("GET /api/integrations",                                 "connections:read",  [401, 200, 200, 200, 403, 403, 403, 403, 401]),
    ("GET /api/users/{userId}/integrations",                  "connections:read",  [401, 200, 403, 200, 403, 200, 403, 200, 401]),
    ("DELETE /api/integrations/{provider}/{userId}/connections/{id}", "connections:write", [401, 404, 403, 404, 403, 404, 403, 404, 401]),
    ("POST /api/integrations/{provider}/{userId}/refresh",     "connections:write", [401, 429, 403, 429, 403, 429, 403, 404, 401]),
    ("POST /api/integrations/{provider}/{userId}/sync",        "connections:write", [401, 200, 403, 200, 403, 200, 403, 404, 401]),
    ("GET /api/integrations/{provider}/{userId}/history",      "connections:read",  [401, 200, 403, 200, 403, 200, 403, 404, 401]),
    ("GET /api/integrations/{provider}/{userId}/events",       "connections:read",  [401, 200, 403, 200, 403, 200, 403, 404, 401]),
    ("GET /api/integrations/{provider}/{userId}/token",        "tokens:read",       [401, 403, 403, 200, 403, 200, 403, 404, 401]),
    ("GET /api/integrations/{provider}/{userId}/proxy/{path}", "connections:read",  [401, 200, 403, 200, 403, 200, 403, 404, 401]),
    ("POST /api/integrations/{provider}/{userId}/proxy/{path}", "messages:manage",  [401, 200, 403, 200, 403, 200, 403, 404, 401]),
    ("DELETE /api/integrations/{provider}/{userId}/proxy/{path}", "messages:manage", [401, 400, 403, 400, 403, 400, 403, 404, 401]),
];

const PERSONAL: [&str; 5] =
    ["connections:read", "connections:write", "content:publish", "messages:manage", "tokens:read"];
const SERVICE: [&str; 6] = [
    "connections:read",
    "connections:write",
    "content:publish",
    "messages:manage",
    "tokens:read",
    "sessions:create",
];

fn without<'a>(all: &[&'a str], scope: &str) -> Vec<&'a str> {
    all.iter().copied().filter(|other| *other != scope).collect()
}

/// The people and programs that ask.
struct World {
    app: TestApp,
    a: Person,
    /// Program that signs the host's user in.
    host: Person,
    of_host: Person,
    /// Keys that are over, and what they were.
    over: Vec<(&'static str, String)>,
    /// Those made so far, by the column and the scope.
    keys: HashMap<(usize, &'static str), String>,
}

impl World {
    async fn new() -> Self {
        let app = TestApp::start();
        let a = app.with_user("ada").await;
        app.with_user("bob").await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let end = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(1);
        let body = json!({
            "name": "ends", "scopes": PERSONAL, "expiresAt": end.to_string(), "password": PASSWORD,
        });
        let expired = text(&a.post("/api/api-keys", body).await.body["key"]);
        let revoked = a.personal_key(&PERSONAL).await;
        let id = text(&a.get("/api/api-keys").await.body["apiKeys"][0]["id"]);
        assert_eq!(a.delete(&format!("/api/api-keys/{id}")).await.status, 200);
        let create = ["keys", "create-service", "--name", "host", "--scope", &SERVICE.join(","), "--json"];
        let created = |more: &[&str]| -> Value {
            serde_json::from_str(&app.operate(&[&create, more].concat())).unwrap()
        };
        let expired_service = text(&created(&["--expires-in-days", "1"])["key"]);
        let revoked_service = created(&[]);
        app.operate(&["keys", "revoke-service", revoked_service["apiKey"]["id"].as_str().unwrap()]);
        app.clock.advance(Duration::from_secs(25 * 3600));
        let over = vec![
            ("expired key", expired),
            ("revoked key", revoked),
            ("expired service key", expired_service),
            ("revoked service key", text(&revoked_service["key"])),
        ];

        let host = app.with_key(&app.service_key(&["sessions:create"]));
        let of_host = app.anonymous();
        Self { app, a, host, of_host, over, keys: HashMap::new() }
    }

    /// The callers of a column and what they are called, for a route that needs this scope.
    async fn callers(&mut self, column: usize, scope: &'static str) -> Vec<(&'static str, Person)> {
        if CALLERS[column] == OVER {
            return self.over.iter().map(|(name, key)| (*name, self.app.with_key(key))).collect();
        }
        vec![(CALLERS[column], self.caller(column, scope).await)]
    }

    async fn caller(&mut self, column: usize, scope: &'static str) -> Person {
        match CALLERS[column] {
            "anonymous" => self.app.anonymous(),
            "A about A" => self.signed_in("ada@example.com").await,
            "B about A" => self.signed_in("bob@example.com").await,
            with_key => {
                let made = self.keys.get(&(column, scope)).cloned();
                let key = match (made, with_key) {
                    (Some(key), _) => key,
                    (_, "A's key with the scope") => self.a.personal_key(&PERSONAL).await,
                    (_, "A's key without the scope") => self.a.personal_key(&without(&PERSONAL, scope)).await,
                    (_, "service key without the scope") => self.app.service_key(&without(&SERVICE, scope)),
                    _ => self.app.service_key(&SERVICE),
                };
                self.keys.insert((column, scope), key.clone());
                self.app.with_key(&key)
            }
        }
    }

    /// With a session of its own, which the request may end.
    async fn signed_in(&self, email: &str) -> Person {
        let person = self.app.anonymous();
        let answer = person.post("/api/session", json!({"email": email, "password": PASSWORD})).await;
        assert_eq!(answer.status, 200, "{answer}");
        person
    }

    /// A and the host's user are signed in and connected, whatever was done before.
    async fn connect(&mut self) {
        if self.a.get("/api/session").await.status == 401 {
            let mut anew = self.signed_in("ada@example.com").await;
            anew.id.clone_from(&self.a.id);
            self.a = anew;
        }
        if self.of_host.get("/api/session").await.status == 401 {
            let link = self.host.post("/api/sessions", json!({"userId": HOST_USER})).await;
            let link = Url::parse(link.body["url"].as_str().unwrap()).unwrap();
            self.of_host = self.app.anonymous();
            let path = format!("{}?{}", link.path(), link.query().unwrap());
            assert_eq!(self.of_host.follow_link(&path).await.status, 303);
            self.of_host.id = HOST_USER.to_owned();
        }
        for (person, account) in [(&self.a, accounts::RECORD_SHOP), (&self.of_host, accounts::CREATOR)] {
            if person.connection().await.status != 200 {
                assert_eq!(self.app.connect(person, account).await.status, 200);
            }
        }
    }

    /// The id that the caller of a column asks about.
    fn about(&self, column: usize) -> &str {
        let is_hosts =
            matches!(CALLERS[column], "service key with the scope" | "service key without the scope");
        if is_hosts { HOST_USER } else { &self.a.id }
    }
}

/// Returns the request that is sent to a route, about a user: path with query, and body.
fn request(route: &str, about: &str) -> (String, Option<Value>) {
    let (_, path) = route.split_once(' ').unwrap();
    let path = path
        .replace("{provider}", "instagram")
        .replace("{userId}", about)
        .replace("{id}", "key_0")
        .replace("{code}", "x");
    let graph_path = match route.split(' ').next() {
        Some("POST") => "me/messages",
        // There is nothing of this id.
        Some("DELETE") => "1",
        _ => "me",
    };
    let path = path.replace("{path}", graph_path);
    assert!(!path.contains('{'), "{route}: what is to stand for the name?");
    let query = match route {
        "GET /auth/{provider}/login" | "GET /auth/{provider}/callback" => format!("?userId={about}"),
        _ => String::new(),
    };
    let body = match route {
        "POST /api/users" => Some(json!({"email": "", "password": ""})),
        "POST /api/session" => Some(json!({"email": "ada@example.com", "password": PASSWORD})),
        "PUT /api/users/me/password" => Some(json!({"currentPassword": PASSWORD, "newPassword": "short"})),
        "DELETE /api/users/me" => Some(json!({"password": "not the password"})),
        "POST /api/api-keys" => Some(json!({"name": "", "scopes": []})),
        "POST /api/integrations/{provider}/{userId}/proxy/{path}" => {
            Some(json!({"recipient": {"id": "42"}, "message": {"text": "hi"}}))
        }
        "POST /api/sessions" => Some(json!({"userId": about})),
        "PUT /api/integrations/{provider}/{userId}/current" => Some(json!({"connectionId": "x"})),
        "POST /api/integrations/{provider}/callback" => {
            Some(json!({"userId": about, "access_token": "sealed.v1.x", "user_id": "1"}))
        }
        _ => None,
    };
    (format!("{path}{query}"), body)
}

#[actix_web::test]
async fn every_caller_gets_what_is_theirs_and_no_more() {
    let mut world = World::new().await;
    let mut wrong = Vec::new();
    for &(route, scope, expected) in ROWS {
        for (column, expected) in expected.into_iter().enumerate() {
            world.connect().await;
            for (caller, person) in world.callers(column, scope).await {
                let (path, body) = request(route, world.about(column));
                let method: Method = route.split(' ').next().unwrap().parse().unwrap();
                let mut request = person.request(method, &path);
                if let Some(body) = body {
                    request = request.json(&body);
                }
                let status = request.send().await.unwrap().status().as_u16();
                if status != expected {
                    wrong.push(format!("{route}, {caller}: {status} instead of {expected}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_route_has_a_row() {
    let served: BTreeSet<_> = backend::app::served_routes().into_iter().collect();
    let listed: BTreeSet<_> = ROWS.iter().map(|(route, ..)| (*route).to_owned()).collect();
    assert_eq!(served.difference(&listed).collect::<Vec<_>>(), [""; 0], "served, without a row");
    assert_eq!(listed.difference(&served).collect::<Vec<_>>(), [""; 0], "a row, not served");
    assert_eq!(listed.len(), ROWS.len(), "a route has one row");
}
