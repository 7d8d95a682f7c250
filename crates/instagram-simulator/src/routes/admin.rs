//! The admin routes of Instagram's own: revoking, and Meta's calls to the service. The README shows each call.

use actix_web::{HttpResponse, web};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use simulator_kit::no_account;
use url::Url;

use super::WorldData;
use crate::options::UserIdKind;
use crate::signed_request::{self, SignedBy};
use crate::world::World;

pub(super) fn configure(app: &mut web::ServiceConfig) {
    let account = |path: &str| format!("/__simulator/accounts/{{username}}/{path}");
    app.route(&account("revoke"), web::post().to(revoke))
        .route(&account("deauthorize"), web::post().to(deauthorize))
        .route(&account("data-deletion"), web::post().to(data_deletion));
}

#[derive(Deserialize)]
struct Revocation {
    /// The `error_subcode` that dead tokens answer with.
    subcode: i64,
}

async fn revoke(
    world: WorldData,
    username: web::Path<String>,
    revocation: web::Json<Revocation>,
) -> HttpResponse {
    let mut world = world.lock();
    let Some(account) = world.base.accounts.place(&username) else { return no_account() };
    world.revoke(account, revocation.subcode);
    HttpResponse::NoContent().finish()
}

/// Describes a call of Meta's to the app's service.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MetaCall {
    /// The address at which the service takes the call.
    url: Url,
    /// The one of the account's ids that it names.
    #[serde(default)]
    user_id_kind: UserIdKind,
    /// Seconds since 1970. Default: the simulator's now.
    issued_at: Option<i64>,
}

/// The person removes the app: their tokens die, and Meta says so to the service.
async fn deauthorize(
    world: WorldData,
    username: web::Path<String>,
    call: web::Json<MetaCall>,
) -> HttpResponse {
    let signed = {
        let mut world = world.lock();
        world.base.accounts.place(&username).map(|account| {
            world.revoke(account, APP_REMOVED);
            sign(&world, account, &call)
        })
    };
    deliver(signed, &call).await
}

/// The person wants their data deleted.
async fn data_deletion(
    world: WorldData,
    username: web::Path<String>,
    call: web::Json<MetaCall>,
) -> HttpResponse {
    let signed = {
        let world = world.lock();
        world.base.accounts.place(&username).map(|account| sign(&world, account, &call))
    };
    deliver(signed, &call).await
}

/// The `error_subcode` of tokens whose app the person removed.
const APP_REMOVED: i64 = 458;

fn sign(world: &World, account: usize, call: &MetaCall) -> String {
    let given = call.issued_at.and_then(|seconds| Timestamp::from_second(seconds).ok());
    let issued_at = given.unwrap_or_else(|| world.base.now());
    world.signed_request(account, SignedBy::AppSecret, call.user_id_kind, issued_at)
}

/// Sends it to the service, and tells what the service answered.
async fn deliver(signed_request: Option<String>, call: &MetaCall) -> HttpResponse {
    let Some(signed_request) = signed_request else { return no_account() };
    match signed_request::post(&call.url, &signed_request).await {
        Ok(answer) => HttpResponse::Ok().json(json!({
            "signed_request": signed_request, "status": answer.status, "body": answer.body,
        })),
        Err(error) => {
            HttpResponse::BadGateway().json(json!({ "signed_request": signed_request, "error": error }))
        }
    }
}
