//! Configuration: what a wrong value is told.

use backend::config::{Config, EncryptionConfig, Variables};

use crate::support::KEYS;

fn refusal(pairs: &[(&str, &str)]) -> String {
    let all = [("TOKEN_ENCRYPTION_KEYS", KEYS)].into_iter().chain(pairs.iter().copied());
    Config::from_env(&Variables::from_iter(all)).unwrap_err().to_string()
}

#[test]
fn a_wrong_value_names_its_variable_and_what_it_accepts() {
    for (variable, value) in [
        ("BIND_ADDRESS", "localhost"),
        ("PUBLIC_URL", "localhost:4002"),
        ("PUBLIC_URL", "https://user:hunter2@host"),
        ("PUBLIC_URL", "http://host/path"),
        ("PUBLIC_URL", "http://host/?query"),
        ("FRONTEND_URL", "ftp://host"),
        ("FRONTEND_URL", "http://localhost:5176/app/"),
        ("FRONTEND_DIST", "/nowhere"),
        ("DATABASE_URL", "postgres://user:hunter2@host/db"),
        ("DATABASE_URL", "sqlite:./data/"),
        ("INSTAGRAM_APP_ID", "hunter2"),
        ("INSTAGRAM_APP_ID", "1377811407203207,"),
        ("INSTAGRAM_APP_ID", "\u{661}\u{662}"),
        ("INSTAGRAM_REDIRECT_URI", "hunter2"),
        ("INSTAGRAM_REDIRECT_URI", "http://localhost:4002/auth/instagram/callback#hunter2"),
        ("INSTAGRAM_AUTHORIZE_URL", "nonsense"),
        ("INSTAGRAM_GRAPH_VERSION", "25"),
        ("INSTAGRAM_GRAPH_VERSION", "v25"),
        ("INSTAGRAM_GRAPH_VERSION", "v25/../x"),
        ("INSTAGRAM_TIMEOUT_SECONDS", "0"),
        ("INSTAGRAM_TIMEOUT_SECONDS", "soon"),
        ("INSTAGRAM_TIMEOUT_SECONDS", "NaN"),
        ("REFRESH_WINDOW_DAYS", "60"),
        ("REFRESH_POLL_SECONDS", "often"),
        ("LOG_FORMAT", "xml"),
        ("RUST_LOG", "backend=="),
        ("TOKEN_ENCRYPTION_KEYS", "hunter2"),
        ("BOOTSTRAP_SERVICE_KEY", "hunter2"),
        ("BOOTSTRAP_SERVICE_KEY", "igc_live_hunter2"),
    ] {
        let message = refusal(&[(variable, value)]);
        assert!(message.starts_with(&format!("{variable}: expected ")), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
}

#[test]
fn production_needs_a_key_of_its_own() {
    let start = |pairs: &[(&str, &str)]| Config::from_env(&Variables::from_iter(pairs.iter().copied()));
    let config = start(&[]).unwrap();
    assert!(matches!(config.encryption, EncryptionConfig::File { .. }));
    for pairs in
        [[("PUBLIC_URL", "https://connect.example.com")], [("DATABASE_URL", "mongodb://localhost/app")]]
    {
        let message = start(&pairs).unwrap_err().to_string();
        assert!(message.starts_with("TOKEN_ENCRYPTION_KEYS: expected"), "{message}");
    }
}

/// The variables of the service, as the documentation's tables name them.
fn documented() -> Vec<&'static str> {
    let tables = include_str!("../../../docs/configuration.md").split("## Of the tools").next().unwrap();
    let names = tables.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
    names.map(|(name, _)| name).filter(|name| !name.contains('`')).collect()
}

#[test]
fn quotation_marks_around_a_value_are_named_with_their_variable() {
    let names = documented();
    assert!(names.len() >= 27 && names.contains(&"INSTAGRAM_APP_SECRET"), "{names:?}");
    for name in names {
        for (value, mark) in [
            ("\"hunter2\"", '"'),
            ("'hunter2'", '\''),
            ("“hunter2”", '“'),
            ("hunter2\"", '"'),
            (" \"hunter2", '"'),
            ("\"\"", '"'),
        ] {
            assert_eq!(
                refusal(&[(name, value)]),
                format!(
                    "{name}: expected a value without quotation marks; this one has a {mark} at its beginning or end"
                )
            );
        }
    }
}
