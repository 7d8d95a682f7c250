//! The operators' commands: the binary itself, beside a service that has made the data.

use std::process::Command;

use connection_store::test_support::MongoServer;
use instagram_simulator::accounts;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::callers::instagram;
use crate::support::{APP_SECRET, KEYS, Person, TestApp, instagram_variables};

/// A second key, and what must be seen of neither: the base64 part.
const NEW_KEY: &str = "new:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";

/// Output of a command.
struct Printed {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Printed {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|why| panic!("{why}: {} {}", self.out, self.err))
    }

    /// The one check of this name, as `status: message → advice`.
    fn check(&self, name: &str) -> String {
        let json = self.json();
        let checks: Vec<&Value> =
            json["checks"].as_array().unwrap().iter().filter(|check| check["name"] == name).collect();
        assert_eq!(checks.len(), 1, "{name}: {json:#}");
        let text = |field: &str| checks[0][field].as_str().unwrap_or_default().to_owned();
        format!("{}: {} → {}", text("status"), text("message"), text("advice"))
    }
}

/// Runs the binary in a folder with nothing but these variables. No command may print a secret.
fn run_in(folder: &TempDir, variables: &[(&str, &str)], arguments: &[&str]) -> Printed {
    let output = Command::new(env!("CARGO_BIN_EXE_instagram-connect"))
        .env_clear()
        .current_dir(folder.path())
        .envs(variables.iter().copied())
        .args(arguments)
        .output()
        .unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    let of_keys = [KEYS, NEW_KEY].map(|key| key.split_once(':').unwrap().1);
    for secret in [APP_SECRET, "IGAA", "v1.test.", "v1.new.", "canary"].into_iter().chain(of_keys) {
        assert!(!out.contains(secret), "a secret ({secret:.6}…) is in the output of {arguments:?}: {out}");
        assert!(!err.contains(secret), "a secret ({secret:.6}…) is in the errors of {arguments:?}: {err}");
    }
    assert!(!out.contains('\u{1b}'), "no colour where nobody looks: {out}");
    Printed { code: output.status.code(), out, err }
}

/// Runs the binary on the data and the Instagram of a service, with some variables changed.
fn run_with(app: &TestApp, changes: &[(&str, &str)], arguments: &[&str]) -> Printed {
    let database = format!("sqlite:{}", app.database_file().display());
    let of_instagram = instagram_variables(&app.instagram);
    let mut variables = vec![("DATABASE_URL", database.as_str())];
    variables.extend(of_instagram.iter().map(|(name, value)| (*name, value.as_str())));
    variables.extend_from_slice(changes);
    run_in(&app.folder, &variables, arguments)
}

fn run(app: &TestApp, arguments: &[&str]) -> Printed {
    run_with(app, &[], arguments)
}

async fn id_of(person: &Person) -> String {
    person.connection().await.body["connection"]["id"].as_str().unwrap().to_owned()
}

#[test]
fn commands_make_no_database() {
    let folder = tempfile::tempdir().unwrap();
    let commands: [&[&str]; 8] = [
        &["keys", "status"],
        &["keys", "create-service", "--name", "host", "--scope", "tokens:read"],
        &["keys", "list-service"],
        &["keys", "revoke-service", "x"],
        &["connections", "list"],
        &["connections", "show", "x"],
        &["connections", "disconnect", "x", "--yes"],
        &["connections", "erase", "x", "--yes"],
    ];
    for arguments in commands {
        let printed = run_in(&folder, &[], arguments);
        assert_eq!(printed.code, Some(1), "{arguments:?}");
        assert_eq!(
            printed.err,
            "instagram-connect: there is no database at ./data/instagram.db (DATABASE_URL)\n"
        );
    }
    let doctor = run_in(&folder, &[("INSTAGRAM_GRAPH_URL", "http://127.0.0.1:9")], &["doctor", "--json"]);
    assert_eq!(doctor.code, Some(1));
    assert!(doctor.check("database").starts_with("failed: there is no database at ./data/instagram.db"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was made");
}

#[actix_web::test]
async fn service_keys_are_made_listed_and_revoked() {
    let app = TestApp::start();
    assert_eq!(run(&app, &["keys", "list-service"]).out, "There are no service keys.\n");
    let create = |more: &[&str]| run(&app, &[&["keys", "create-service", "--name", "host"], more].concat());
    let made =
        create(&["--scope", "connections:read", "--scope", "tokens:read,connections:read", "--json"]).json();
    let (key, id) = (made["key"].as_str().unwrap(), made["apiKey"]["id"].as_str().unwrap());
    assert_eq!(made["apiKey"]["scopes"], serde_json::json!(["connections:read", "tokens:read"]));
    assert_eq!(made["apiKey"]["expiresAt"], Value::Null);
    let path = &instagram("user-123");
    assert_eq!(app.with_key(key).get(path).await.failure(), "404 not_connected");

    let ending = create(&["--scope", "connections:read", "--expires-in-days", "1"]);
    assert_eq!(ending.out.lines().count(), 1, "the key alone: {}", ending.out);
    let ending = ending.out.trim();
    assert_eq!(app.with_key(ending).get(path).await.failure(), "404 not_connected");
    let list = run(&app, &["keys", "list-service", "--json"]);
    assert_eq!(list.json()["apiKeys"].as_array().unwrap().len(), 2);
    assert!(!list.out.contains(key) && !list.out.contains(ending));
    assert!(run(&app, &["keys", "list-service"]).out.contains("connections:read, tokens:read"));
    app.clock.advance(std::time::Duration::from_secs(24 * 3600));
    assert_eq!(app.with_key(ending).get(path).await.failure(), "401 unauthenticated");

    let revoke = || run(&app, &["keys", "revoke-service", id]);
    assert_eq!(revoke().out, format!("{id} is revoked.\n"));
    assert_eq!(app.with_key(key).get(path).await.failure(), "401 unauthenticated");
    assert_eq!((revoke().code, revoke().err.lines().count()), (Some(1), 1));

    // A person's own key is not the operator's to name here.
    let ada = app.with_user("ada").await;
    ada.personal_key(&["connections:read"]).await;
    let of_ada = ada.api_keys().await.body["apiKeys"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(run(&app, &["keys", "revoke-service", &of_ada]).code, Some(1));
    for wrong in [&["--scope", "connections"][..], &[], &["--scope", "tokens:read", "--expires-in-days", "0"]]
    {
        assert_eq!(create(wrong).code, Some(2), "{wrong:?}");
    }
    let reserved = run(&app, &["keys", "create-service", "--name", "bootstrap", "--scope", "tokens:read"]);
    assert_eq!(reserved.code, Some(2));
}

#[actix_web::test]
async fn keys_status_tells_what_each_key_is_still_needed_for() {
    let (app, _ada) = TestApp::connected().await;
    let only = run(&app, &["keys", "status", "--json"]).json();
    assert_eq!(
        only["keys"],
        serde_json::json!([{"id": "test", "role": "encrypts", "tokens": 1, "answers": false}])
    );
    assert_eq!(only["next"], serde_json::json!([]));

    let both = format!("{NEW_KEY},{KEYS}");
    let changed = [("TOKEN_ENCRYPTION_KEYS", both.as_str())];
    let text = run_with(&app, &changed, &["keys", "status"]);
    assert_eq!(text.code, Some(0), "{}", text.err);
    assert!(text.out.contains("Keep test: 1 token is still sealed with it."), "{}", text.out);

    let lost = run_with(&app, &[("TOKEN_ENCRYPTION_KEYS", NEW_KEY)], &["keys", "status"]);
    assert!(lost.out.contains("Restore this key, or the people have to reconnect."), "{}", lost.out);

    let unused = format!("{KEYS},{NEW_KEY}");
    let unused = run_with(&app, &[("TOKEN_ENCRYPTION_KEYS", &unused)], &["keys", "status"]);
    assert!(unused.out.contains("new can be removed now."), "{}", unused.out);
}

#[actix_web::test]
async fn connections_are_listed_and_shown_by_any_of_their_ids() {
    let (app, ada) = TestApp::connected().await;
    let bob = app.with_user("bob").await;
    app.connect(&bob, accounts::CREATOR).await;
    let list = run(&app, &["connections", "list", "--json"]).json();
    assert_eq!(list["connections"].as_array().unwrap().len(), 2, "{list}");
    let of_ada = run(&app, &["connections", "list", "--user", &ada.id, "--json"]).json();
    let first = &of_ada["connections"][0];
    assert_eq!((&first["username"], &first["status"]), (&accounts::RECORD_SHOP.into(), &"active".into()));
    assert_eq!(of_ada["connections"].as_array().unwrap().len(), 1);
    let limited = run(&app, &["connections", "list", "--limit", "1", "--json"]).json();
    assert_eq!(limited["connections"].as_array().unwrap().len(), 1);

    let text = run(&app, &["connections", "list"]);
    let id = id_of(&ada).await;
    let line = text.out.lines().find(|line| line.contains(&id)).unwrap();
    for part in [ada.id.as_str(), "@wreckshoprecords", "17841400000000000", "active"] {
        assert!(line.contains(part), "{part} in {line}");
    }

    let app_scoped = first["appScopedUserId"].as_str().unwrap();
    for name in [id.as_str(), &ada.id, "17841400000000000", app_scoped] {
        let shown = run(&app, &["connections", "show", name, "--json"]).json();
        assert_eq!(shown["connections"].as_array().unwrap().len(), 1, "{name}: {shown}");
        assert_eq!(shown["connections"][0]["id"], id.as_str());
        assert_eq!(shown["connections"][0]["events"][0]["type"], "connected", "{shown}");
    }
    assert!(run(&app, &["connections", "show", &id]).out.contains("was connected."));
    let nobody = run(&app, &["connections", "show", "nobody"]);
    assert_eq!((nobody.code, nobody.err.lines().count()), (Some(1), 1), "{}", nobody.err);
    // Who lost the keys still sees whose connections there are.
    let without_key =
        run_with(&app, &[("TOKEN_ENCRYPTION_KEYS", NEW_KEY)], &["connections", "list", "--json"]);
    assert_eq!(without_key.json()["connections"][0]["status"], "needs_reauthorization");
}

#[actix_web::test]
async fn a_list_longer_than_a_page_is_whole() {
    let (app, ada) = TestApp::connected().await;
    let database = rusqlite::Connection::open(app.database_file()).unwrap();
    let columns: Vec<String> = database
        .prepare("SELECT name FROM pragma_table_info('instagram_connections')")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let values: Vec<String> = columns
        .iter()
        .map(|column| match column.as_str() {
            "id" => "printf('%024x', n)".to_owned(),
            "provider_account_id" => "'made-up-' || n".to_owned(),
            column => format!("c.{column}"),
        })
        .collect();
    let copy = format!(
        "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 450)
         INSERT INTO instagram_connections ({}) SELECT {} FROM numbers, instagram_connections c WHERE c.user_id = ?1",
        columns.join(", "),
        values.join(", "),
    );
    database.execute(&copy, [&ada.id]).unwrap();
    let list = run(&app, &["connections", "list", "--json"]).json();
    let ids: std::collections::BTreeSet<&str> =
        list["connections"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 451);
    let limited = run(&app, &["connections", "list", "--json", "--limit", "203"]).json();
    assert_eq!(limited["connections"].as_array().unwrap().len(), 203);
}

#[actix_web::test]
async fn a_disconnect_by_an_operator_is_one_like_the_owners() {
    let (app, ada) = TestApp::connected().await;
    let id = id_of(&ada).await;
    let unasked = run(&app, &["connections", "disconnect", &id]);
    assert_eq!(unasked.code, Some(1));
    assert!(unasked.err.contains("add --yes"), "{}", unasked.err);
    assert_eq!(ada.connection().await.status, 200, "nothing was changed");

    let done = run(&app, &["connections", "disconnect", &id, "--yes"]);
    assert_eq!((done.code, done.err.as_str()), (Some(0), ""), "{}", done.out);
    assert_eq!(ada.connection().await.failure(), "404 not_connected");
    let shown = run(&app, &["connections", "show", &id, "--json"]).json();
    let event = &shown["connections"][0]["events"][0];
    assert_eq!(
        (&event["type"], &event["message"]),
        (&"disconnected".into(), &"@wreckshoprecords was disconnected.".into())
    );
    assert_eq!(shown["connections"][0]["status"], "disconnected");
    let again = run(&app, &["connections", "disconnect", &id, "--yes"]);
    assert!(again.err.contains("has ended already"), "{}", again.err);
    assert_eq!(run(&app, &["connections", "list"]).out, "There are no connections.\n");
    assert!(run(&app, &["connections", "list", "--all"]).out.contains("disconnected"));
}

#[actix_web::test]
async fn an_account_is_erased_by_either_of_its_ids() {
    let (app, ada) = TestApp::connected().await;
    let bob = app.with_user("bob").await;
    app.connect(&bob, accounts::CREATOR).await;
    let list = run(&app, &["connections", "list", "--user", &bob.id, "--json"]).json();
    let app_scoped = list["connections"][0]["appScopedUserId"].as_str().unwrap().to_owned();
    for (person, account) in [(&ada, "17841400000000000"), (&bob, app_scoped.as_str())] {
        let id = id_of(person).await;
        let unasked = run(&app, &["connections", "erase", account]);
        assert!(unasked.code == Some(1) && unasked.err.contains("add --yes"), "{}", unasked.err);
        assert_eq!(person.connection().await.status, 200, "nothing was changed");
        let done = run(&app, &["connections", "erase", account, "--yes", "--json"]);
        assert_eq!((done.code, done.json()["erased"].as_u64()), (Some(0), Some(1)), "{}", done.err);
        assert_eq!(person.connection().await.failure(), "404 not_connected");
        assert_eq!(run(&app, &["connections", "show", &id]).code, Some(1), "not even ended");
        let again = run(&app, &["connections", "erase", account, "--yes"]);
        assert!(again.err.contains("nothing is stored about an account"), "{}", again.err);
    }
    assert_eq!(run(&app, &["connections", "list", "--all"]).out, "There are no connections.\n");
}

#[actix_web::test]
async fn doctor_finds_nothing_wrong_where_nothing_is() {
    let (app, _ada) = TestApp::connected().await;
    let doctor = run(&app, &["doctor"]);
    assert_eq!(doctor.code, Some(0), "{}{}", doctor.out, doctor.err);
    for line in [
        "OAuth redirect URI         http://localhost:4002/auth/instagram/callback\n",
        "deauthorize callback URL   http://localhost:4002/auth/instagram/deauthorize\n",
        "data deletion request URL  http://localhost:4002/auth/instagram/data-deletion\n",
        "http://localhost:4002/webhooks/instagram  (not served by this version yet)\n",
        "✓ ok       app id and secret  Instagram knows them",
        "✓ ok       tokens             1, all sealed with the first key; 1 were tried and open",
        "✓ ok       spotify app        not set up, so nobody can connect Spotify",
        "15 checks: 15 ok, 0 to look at, 0 failed\n",
    ] {
        assert!(doctor.out.contains(line), "{line} in {}", doctor.out);
    }
    let json = run(&app, &["doctor", "--json"]).json();
    assert_eq!((&json["ok"], &json["summary"]["failed"]), (&true.into(), &0.into()), "{json:#}");
    assert_eq!(json["urls"]["dataDeletion"], "http://localhost:4002/auth/instagram/data-deletion");
    for (name, is_served) in [("deauthorize", true), ("dataDeletion", true), ("webhook", false)] {
        let path = json["urls"][name].as_str().unwrap().strip_prefix("http://localhost:4002").unwrap();
        let answer = app.anonymous().post(path, Value::Null).await;
        assert_eq!(answer.status != 404, is_served, "{path}: {answer}");
    }
    assert_eq!(json["urls"]["webhookIsServed"], false);
}

#[actix_web::test]
async fn doctor_names_the_cause_of_each_failure() {
    let (app, _ada) = TestApp::connected().await;
    let cases: [(&str, &str, &str, &str, &str); 8] = [
        (
            "INSTAGRAM_APP_SECRET",
            "canary-wrong",
            "app id and secret",
            "and not the secret",
            "INSTAGRAM_APP_SECRET",
        ),
        ("INSTAGRAM_APP_ID", "99", "app id and secret", "does not know the app id 99", "Meta app id"),
        (
            "INSTAGRAM_GRAPH_URL",
            "http://127.0.0.1:9",
            "graph API",
            "refuses the connection",
            "INSTAGRAM_GRAPH_URL",
        ),
        ("INSTAGRAM_TOKEN_URL", "http://nowhere.invalid", "token endpoint", "cannot be resolved", "DNS"),
        (
            "INSTAGRAM_AUTHORIZE_URL",
            "https://api.instagram.com/oauth/authorize",
            "authorize page",
            "isn't available",
            "https://www.instagram.com/oauth/authorize",
        ),
        (
            "INSTAGRAM_REDIRECT_URI",
            "http://localhost:4002/auth/instagram/callback/",
            "redirect URI",
            "a slash at its end is too many",
            "set INSTAGRAM_REDIRECT_URI",
        ),
        ("TOKEN_ENCRYPTION_KEYS", NEW_KEY, "tokens", "1 of 1 are sealed with keys that are not", "restore"),
        (
            "TOKEN_ENCRYPTION_KEYS",
            "test:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=",
            "tokens",
            "1 of 1 that were tried do not open",
            "another key behind it",
        ),
    ];
    for (variable, value, check, message, advice) in cases {
        let doctor = run_with(&app, &[(variable, value)], &["doctor", "--json"]);
        let found = doctor.check(check);
        assert_eq!(doctor.code, Some(1), "{found}");
        assert!(found.starts_with("failed: "), "{found}");
        assert!(found.contains(message) && found.contains(advice), "{found}");
        assert!(doctor.check("database").starts_with("ok: "), "the rest is told");
    }
}

#[actix_web::test]
async fn a_wrong_value_keeps_doctor_from_nothing_else() {
    let (app, _ada) = TestApp::connected().await;
    let changes =
        [("LOG_FORMAT", "canary"), ("FRONTEND_DIST", "/canary"), ("REFRESH_POLL_SECONDS", "canary")];
    let doctor = run_with(&app, &changes, &["doctor", "--json"]);
    assert_eq!(doctor.code, Some(1));
    let json = doctor.json();
    let told = |variable: &str| {
        json["checks"].as_array().unwrap().iter().any(|check| {
            check["name"] == "configuration" && check["message"].as_str().unwrap().starts_with(variable)
        })
    };
    assert!(changes.iter().all(|(variable, _)| told(variable)), "{json:#}");
    for check in ["database", "tokens", "graph API", "app id and secret", "redirect URI"] {
        assert!(doctor.check(check).starts_with("ok: "), "{}", doctor.check(check));
    }
    assert_eq!(json["urls"]["redirect"], "http://localhost:4002/auth/instagram/callback");

    std::fs::write(app.folder.path().join(".env"), "this is no line of variables").unwrap();
    let doctor = run(&app, &["doctor", "--json"]);
    assert!(doctor.check("configuration").contains(".env"), "{}", doctor.out);
    assert!(doctor.check("database").starts_with("ok: "));
}

#[test]
fn a_database_that_is_away_is_told_without_its_password() {
    let folder = tempfile::tempdir().unwrap();
    let database = ("DATABASE_URL", "mongodb://ann:canary-password@127.0.0.1:9/app");
    let variables =
        [database, ("TOKEN_ENCRYPTION_KEYS", KEYS), ("INSTAGRAM_GRAPH_URL", "http://127.0.0.1:9")];
    let doctor = run_in(&folder, &variables, &["doctor", "--json"]);
    assert!(doctor.check("database").contains("no server can be reached"), "{}", doctor.check("database"));
    let list = run_in(&folder, &variables, &["connections", "list"]);
    assert!(
        list.err.starts_with("instagram-connect: DATABASE_URL: the database does not answer"),
        "{}",
        list.err
    );
}

#[actix_web::test]
async fn doctor_tells_an_instagram_that_is_away_from_a_wrong_secret() {
    let (app, _ada) = TestApp::connected().await;
    let away = "http://127.0.0.1:9";
    let changes =
        ["INSTAGRAM_GRAPH_URL", "INSTAGRAM_TOKEN_URL", "INSTAGRAM_AUTHORIZE_URL"].map(|name| (name, away));
    let doctor = run_with(&app, &changes, &["doctor", "--json"]);
    for check in ["graph API", "token endpoint", "authorize page"] {
        assert!(
            doctor.check(check).starts_with("failed: http://127.0.0.1:9 refuses"),
            "{}",
            doctor.check(check)
        );
    }
    let app_check = doctor.check("app id and secret");
    assert!(app_check.starts_with("warning: not checked, since Instagram does not answer"), "{app_check}");
    assert!(doctor.check("tokens").starts_with("ok: "), "the rest is told");
}

#[actix_web::test]
async fn doctor_looks_at_spotify_where_it_is_set_up() {
    let app = TestApp::start();
    let config = spotify_simulator::Config {
        client_secret: "canary-client-secret".to_owned(),
        ..spotify_simulator::Config::default()
    };
    let spotify = spotify_simulator::Simulator::start(config.clone()).unwrap();
    let (accounts, api) = (spotify.accounts_url(), spotify.api_url());
    let usual = [
        ("SPOTIFY_CLIENT_ID", config.client_id.as_str()),
        ("SPOTIFY_CLIENT_SECRET", &config.client_secret),
        ("SPOTIFY_REDIRECT_URI", &config.redirect_uris[0]),
        ("SPOTIFY_ACCOUNTS_URL", &accounts),
        ("SPOTIFY_API_URL", &api),
    ];
    let with =
        |changes: &[(&str, &str)], arguments| run_with(&app, &[&usual[..], changes].concat(), arguments);

    let well = with(&[], &["doctor"]);
    assert_eq!(well.code, Some(0), "{}", well.out);
    for line in [
        "  Redirect URI               http://127.0.0.1:4002/auth/spotify/callback\n",
        "five at most, before",
        "✓ ok       client id and secret  Spotify knows them",
        "19 checks: 19 ok, 0 to look at, 0 failed\n",
    ] {
        assert!(well.out.contains(line), "{line} in {}", well.out);
    }
    let json = with(&[], &["doctor", "--json"]).json();
    assert_eq!(json["urls"]["spotifyRedirect"], config.redirect_uris[0].as_str());

    let away = "http://127.0.0.1:9";
    for (variable, value, check, message) in [
        (
            "SPOTIFY_CLIENT_SECRET",
            "canary-wrong",
            "client id and secret",
            "and not the secret → SPOTIFY_CLIENT_SECRET",
        ),
        ("SPOTIFY_CLIENT_ID", "99", "client id and secret", "does not know the client id 99"),
        ("SPOTIFY_CLIENT_SECRET", "", "spotify app", "not set: SPOTIFY_CLIENT_SECRET"),
        ("SPOTIFY_ACCOUNTS_URL", away, "spotify accounts", "refuses the connection"),
        ("SPOTIFY_API_URL", away, "spotify API", "is SPOTIFY_API_URL right?"),
        (
            "SPOTIFY_REDIRECT_URI",
            "https://elsewhere.example/x",
            "spotify redirect URI",
            "set SPOTIFY_REDIRECT_URI",
        ),
    ] {
        let doctor = with(&[(variable, value)], &["doctor", "--json"]);
        let found = doctor.check(check);
        assert!(doctor.code == Some(1) && found.starts_with("failed: "), "{found}");
        assert!(found.contains(message), "{found}");
        assert!(doctor.check("app id and secret").starts_with("ok: "), "the rest is told");
    }
    let unasked =
        with(&[("SPOTIFY_ACCOUNTS_URL", away)], &["doctor", "--json"]).check("client id and secret");
    assert!(unasked.starts_with("warning: not checked, since Spotify does not answer"), "{unasked}");
    // Errors of the token endpoint may have no words.
    spotify.set_options(spotify_simulator::Options { descriptions: false, ..Default::default() });
    let wordless = with(&[("SPOTIFY_CLIENT_SECRET", "canary-wrong")], &["doctor", "--json"]);
    assert!(wordless.check("client id and secret").contains("or refuses its secret: invalid_client"));
}

#[actix_web::test]
async fn doctor_minds_who_can_read_the_key_file() {
    use std::os::unix::fs::PermissionsExt;
    let (app, _ada) = TestApp::connected().await;
    let file = app.folder.path().join("test.db.keys");
    let unset = [("TOKEN_ENCRYPTION_KEYS", "")];
    let lost = run_with(&app, &unset, &["doctor", "--json"]);
    assert!(lost.check("keys").contains("restore it from its backup"), "{}", lost.check("keys"));
    assert!(lost.check("tokens").starts_with("failed: the key file"), "{}", lost.check("tokens"));
    assert!(!file.exists(), "no new key is made");
    std::fs::write(&file, KEYS).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let open = run_with(&app, &unset, &["doctor", "--json"]);
    assert!(open.check("keys").contains("has mode 644"), "{}", open.check("keys"));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o644, "doctor only looks");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(run_with(&app, &unset, &["doctor"]).code, Some(0));
}

#[actix_web::test]
async fn commands_work_on_mongodb_and_say_when_it_is_away() {
    let mut server = MongoServer::start_own();
    let database = server.fresh_database_url();
    let folder = tempfile::tempdir().unwrap();
    let fresh = [("DATABASE_URL", database.as_str()), ("TOKEN_ENCRYPTION_KEYS", KEYS)];
    let nothing = run_in(&folder, &fresh, &["connections", "list"]);
    assert!(nothing.err.contains("holds nothing of this service"), "{}", nothing.err);

    let app = TestApp::start_with(&[("DATABASE_URL", &database)]);
    let ada = app.with_connection().await;
    let on_mongodb = [("DATABASE_URL", database.as_str())];
    let id = id_of(&ada).await;
    let list = run_with(&app, &on_mongodb, &["connections", "list", "--json"]).json();
    assert_eq!(list["connections"][0]["id"], id.as_str());
    let status = run_with(&app, &on_mongodb, &["keys", "status", "--json"]).json();
    assert_eq!(status["keys"][0]["tokens"], 1);
    let doctor = run_with(&app, &on_mongodb, &["doctor", "--json"]);
    assert_eq!(doctor.code, Some(0), "{}", doctor.out);
    assert!(doctor.check("database").starts_with("ok: MongoDB: "), "{}", doctor.check("database"));
    let done = run_with(&app, &on_mongodb, &["connections", "disconnect", &id, "--yes"]);
    assert_eq!(done.code, Some(0), "{}", done.err);
    assert_eq!(ada.connection().await.failure(), "404 not_connected");

    server.stop();
    let away = run_with(&app, &on_mongodb, &["doctor", "--json"]);
    assert_eq!(away.code, Some(1));
    let check = away.check("database");
    assert!(check.starts_with("failed: ") && check.contains("no server can be reached"), "{check}");
    assert!(away.check("app id and secret").starts_with("ok: "), "the rest is told");
    let list = run_with(&app, &on_mongodb, &["connections", "list"]);
    assert_eq!((list.code, list.err.lines().count()), (Some(1), 1), "{}", list.err);
}
