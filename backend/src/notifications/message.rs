//! Content of a webhook.

use connection_store::{Delivery, Subject};
use serde::Serialize;
use shared::{EventKind, Provider};

use domain::user_id::{is_local, public_user_id};

/// The body. It is made from the stored delivery alone, so that each try sends the same bytes.
#[derive(Serialize)]
struct Body<'a> {
    r#type: String,
    timestamp: shared::Timestamp,
    data: Data<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    connection_id: &'a str,
    /// As its own application knows the user: see [`public_user_id`].
    user_id: &'a str,
    /// A host's id can be, letter for letter, that of a local account.
    user_kind: UserKind,
    provider: Provider,
    #[serde(skip_serializing_if = "Option::is_none")]
    instagram_user_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spotify_user_id: Option<&'a str>,
}

/// Whose id it is.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum UserKind {
    /// Of an account that was made here.
    Local,
    /// The host application's own.
    Host,
}

/// The body as it is sent.
pub(super) fn body(delivery: &Delivery) -> serde_json::Result<Vec<u8>> {
    let is_new = delivery.kind == EventKind::Connected.as_str();
    let what = if is_new { "created" } else { &delivery.kind };
    let Subject::Connection { provider, id: connection_id } = &delivery.subject;
    let id_of = |of| (*provider == of).then_some(delivery.provider_account_id.as_str());
    serde_json::to_vec(&Body {
        r#type: format!("connection.{what}"),
        timestamp: delivery.at.into(),
        data: Data {
            connection_id,
            user_id: public_user_id(&delivery.user_id),
            user_kind: if is_local(&delivery.user_id) { UserKind::Local } else { UserKind::Host },
            provider: *provider,
            instagram_user_id: id_of(Provider::Instagram),
            spotify_user_id: id_of(Provider::Spotify),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn sent(kind: &str, user_id: &str) -> String {
        sent_of(Provider::Instagram, kind, user_id)
    }

    fn sent_of(provider: Provider, kind: &str, user_id: &str) -> String {
        let delivery = Delivery {
            event_id: "evt_1".into(),
            receiver: "r".into(),
            kind: kind.into(),
            at: Timestamp::from_millisecond(1_762_788_600_070).unwrap(),
            subject: Subject::Connection { provider, id: "c".into() },
            user_id: user_id.into(),
            provider_account_id: "17841400000000000".into(),
            attempts: 1,
        };
        String::from_utf8(body(&delivery).unwrap()).unwrap()
    }

    #[test]
    fn a_body_says_what_happened_to_which_connection() {
        let data = r#""data":{"connectionId":"c","userId":"usr_a","userKind":"local","provider":"instagram","instagramUserId":"17841400000000000"}}"#;
        let expected =
            format!(r#"{{"type":"connection.created","timestamp":"2025-11-10T15:30:00.070Z",{data}"#);
        assert_eq!(sent("connected", "usr_a"), expected);
        for kind in ["refreshed", "needs_reauthorization", "disconnected", "deleted"] {
            assert!(sent(kind, "usr_a").starts_with(&format!(r#"{{"type":"connection.{kind}","#)));
        }
    }

    #[test]
    fn an_account_of_spotifys_is_named_as_such() {
        let body = sent_of(Provider::Spotify, "refreshed", "usr_a");
        assert!(body.ends_with(r#""provider":"spotify","spotifyUserId":"17841400000000000"}}"#), "{body}");
    }

    #[test]
    fn a_hosts_user_is_named_as_the_host_does() {
        for (stored, own) in [("user-123", "user-123"), ("host:usr_a", "usr_a"), ("host:host:x", "host:x")] {
            let body = sent("refreshed", stored);
            assert!(body.contains(&format!(r#""userId":"{own}","userKind":"host""#)), "{body}");
        }
    }
}
