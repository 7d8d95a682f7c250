//! Calls that Meta makes by itself.

use instagram_simulator::{SignedBy, UserIdKind, accounts};
use jiff::Timestamp;

use super::{Answer, TestApp, client};

/// Posts as Meta's server does: a form, and nothing that a browser would add.
pub(crate) async fn tell(app: &TestApp, path: &str, signed_request: &str) -> Answer {
    let form = client().post(format!("{}{path}", app.url)).form(&[("signed_request", signed_request)]);
    Answer::of(form).await
}

/// Returns the signed request that Meta sends about the record shop.
pub(crate) fn signed(app: &TestApp, issued_at: Timestamp) -> String {
    signed_as(app, UserIdKind::AppScoped, issued_at)
}

/// The same, with an id of this kind.
pub(crate) fn signed_as(app: &TestApp, kind: UserIdKind, issued_at: Timestamp) -> String {
    app.instagram.signed_request(accounts::RECORD_SHOP, SignedBy::AppSecret, kind, issued_at)
}
