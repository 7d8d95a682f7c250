//! `/api/integrations`, and several accounts of one user with each provider.

use std::time::Duration;

use instagram_simulator::accounts as shops;
use reqwest::Method;
use serde_json::{Value, json};
use spotify_simulator::{Consent, accounts};

use crate::support::{Answer, Both, Person, TestApp, query_of};

const PROVIDERS: [&str; 2] = ["instagram", "spotify"];

/// Three accounts of this provider, connected in this order.
async fn three(both: &Both, person: &Person, provider: &str) -> [String; 3] {
    let named = match provider {
        "instagram" => [shops::RECORD_SHOP, shops::CREATOR, shops::SPARSE],
        _ => [accounts::LISTENER, accounts::UNNAMED, accounts::NOT_ASCII],
    };
    let mut ids = Vec::new();
    for account in named {
        ids.push(both.connect_with(person, provider, account).await);
    }
    ids.try_into().unwrap()
}

fn listed(answer: &Answer) -> Vec<(String, bool)> {
    let all = answer.body["connections"].as_array().unwrap_or_else(|| panic!("{answer}"));
    all.iter()
        .map(|one| (one["id"].as_str().unwrap().to_owned(), one["current"].as_bool().unwrap()))
        .collect()
}

/// Checks which connection is in use, everywhere that it shows.
async fn assert_current(person: &Person, provider: &str, id: &str) {
    assert_eq!(person.integration(provider).shown().await["id"], *id, "{provider}");
    let all = listed(&person.integration(provider).all().await);
    assert_eq!(all[0], (id.to_owned(), true), "it comes first: {all:?}");
    assert!(all[1..].iter().all(|(_, current)| !current), "{all:?}");
    let place = PROVIDERS.iter().position(|one| *one == provider).unwrap();
    let overview = person.integrations().await;
    assert_eq!(overview.body["integrations"][place]["connections"][0]["id"], *id, "{provider}: {overview}");
}

#[actix_web::test]
async fn one_request_shows_all_that_is_connected_in_a_fixed_order() {
    let both = Both::start();
    let ada = both.with_user("ada").await;
    let nothing = |configured: [bool; 2]| {
        json!({"ok": true, "integrations": [
            {"provider": "instagram", "configured": configured[0], "connections": []},
            {"provider": "spotify", "configured": configured[1], "connections": []},
        ]})
    };
    assert_eq!(ada.integrations().await.body, nothing([true, true]));
    both.connect_with(&ada, "spotify", accounts::LISTENER).await;
    both.connect_with(&ada, "instagram", shops::RECORD_SHOP).await;
    let all = ada.integrations().await;
    assert_eq!(all.header("cache-control"), "no-store");
    for (place, provider) in PROVIDERS.into_iter().enumerate() {
        let shown = ada.integration(provider).shown().await;
        assert_eq!(all.body["integrations"][place]["provider"], provider);
        assert_eq!(all.body["integrations"][place]["connections"], json!([shown]));
        assert_eq!(shown["provider"], provider);
        assert!(shown["profileUrl"].as_str().unwrap().starts_with("https://"), "{shown}");
    }
    assert_eq!(ada.get(&format!("/api/users/{}/integrations", ada.id)).await.body, all.body);
    assert_eq!(both.anonymous().integrations().await.failure(), "401 unauthenticated");
    let bob = both.with_user("bob").await;
    let of_ada = bob.get(&format!("/api/users/{}/integrations", ada.id)).await;
    assert_eq!(of_ada.failure(), "403 forbidden");

    // A connection is shown even where its provider is not set up any more.
    let both = both.restart_with(&[("SPOTIFY_CLIENT_ID", "")]);
    let ada = both.signed_in("ada").await;
    let spotify = ada.integrations().await.body["integrations"][1].clone();
    assert_eq!(
        (&spotify["configured"], spotify["connections"].as_array().unwrap().len()),
        (&json!(false), 1)
    );
    let app = TestApp::start();
    assert_eq!(app.with_user("ada").await.integrations().await.body, nothing([true, false]));
}

#[actix_web::test]
async fn the_account_connected_last_is_in_use_until_another_is_chosen() {
    let both = Both::start();
    let ada = both.with_user("ada").await;
    for provider in PROVIDERS {
        let [first, second, third] = three(&both, &ada, provider).await;
        assert_current(&ada, provider, &third).await;
        let selected = ada.integration(provider).select(&first).await;
        assert_eq!((selected.status, &selected.body["connection"]["id"]), (200, &json!(first)), "{selected}");
        assert_current(&ada, provider, &first).await;
        assert_eq!(ada.integration(provider).select(&first).await.status, 200, "again");
        assert_current(&ada, provider, &first).await;
        assert_eq!(ada.integration(provider).with_id(&second).shown().await["id"], *second);
    }
}

#[actix_web::test]
async fn connecting_again_changes_nothing_about_the_account_in_use() {
    let both = Both::start();
    let ada = both.with_user("ada").await;
    for (provider, oldest) in [("instagram", shops::RECORD_SHOP), ("spotify", accounts::LISTENER)] {
        let [first, second, third] = three(&both, &ada, provider).await;
        assert_eq!(both.connect_with(&ada, provider, oldest).await, first);
        assert_current(&ada, provider, &third).await;
        ada.integration(provider).select(&second).await;
        assert_eq!(both.connect_with(&ada, provider, oldest).await, first);
        assert_current(&ada, provider, &second).await;
        // One that had ended is one that was not connected.
        ada.integration(provider).with_id(&first).disconnect().await;
        assert_eq!(both.connect_with(&ada, provider, oldest).await, first);
        assert_current(&ada, provider, &first).await;
    }
}

#[actix_web::test]
async fn when_the_account_in_use_ends_the_one_connected_last_takes_its_place() {
    let both = Both::start();
    let ada = both.with_user("ada").await;
    for provider in PROVIDERS {
        let [first, second, third] = three(&both, &ada, provider).await;
        ada.integration(provider).select(&first).await;
        assert_eq!(ada.integration(provider).disconnect().await.status, 200);
        assert_current(&ada, provider, &third).await;
        // Another's end changes nothing.
        ada.integration(provider).with_id(&second).disconnect().await;
        assert_current(&ada, provider, &third).await;
        assert_eq!(ada.integration(provider).disconnect().await.status, 200);
        assert_eq!(ada.integration(provider).read().await.failure(), "404 not_connected");
        assert_eq!(listed(&ada.integration(provider).all().await), []);
    }
}

#[actix_web::test]
async fn only_an_own_account_can_be_chosen() {
    let both = Both::start();
    let (ada, bob) = (both.with_user("ada").await, both.with_user("bob").await);
    for (provider, of_bob) in [("instagram", "bobs.shop"), ("spotify", "bobs.ears")] {
        both.add_account(provider, of_bob);
        let [first, _, third] = three(&both, &ada, provider).await;
        let theirs = both.connect_with(&bob, provider, of_bob).await;
        ada.integration(provider).with_id(&first).disconnect().await;
        for wrong in [theirs.as_str(), first.as_str(), "6a6ecf14d35d3c1b0f4ab1f0", "x", ""] {
            assert_eq!(ada.integration(provider).select(wrong).await.failure(), "404 not_found", "{wrong}");
        }
        assert_current(&ada, provider, &third).await;
        let reconnect = ada.integration(provider).begin_login(&format!("connectionId={theirs}")).await;
        assert_eq!(reconnect.failure(), "404 not_found");
        let of_ada = bob.integration_of(provider, &ada.id).select(&third).await;
        assert_eq!(of_ada.failure(), "403 forbidden");
        let reads = both.with_key(&ada.personal_key(&["connections:read"]).await);
        assert_eq!(reads.integration(provider).select(&third).await.failure(), "403 forbidden");
        let writes = both.with_key(&ada.personal_key(&["connections:write"]).await);
        assert_eq!(writes.integration(provider).select(&third).await.status, 200);
    }
    let path = ada.spotify().path("/current");
    for (body, expected) in
        [(json!({}), "400 invalid_request"), (json!({"connectionId": 7}), "400 invalid_request")]
    {
        assert_eq!(Answer::of(ada.request(Method::PUT, &path).json(&body)).await.failure(), expected);
    }
}

/// All requests that mean one connection, by what stands below its path.
const MEANING_ONE: [(Method, &str); 8] = [
    (Method::GET, ""),
    (Method::GET, "/history"),
    (Method::GET, "/events"),
    (Method::GET, "/token"),
    (Method::GET, "/proxy/me"),
    (Method::POST, "/sync"),
    (Method::POST, "/refresh"),
    (Method::DELETE, ""),
];

#[actix_web::test]
async fn every_route_that_means_one_connection_takes_its_id() {
    let both = Both::start();
    let (ada, bob) = (both.with_user("ada").await, both.with_user("bob").await);
    let scopes = ["connections:read", "connections:write", "tokens:read"];
    let program = both.with_key(&ada.personal_key(&scopes).await);
    for (provider, of_bob) in [("instagram", "bobs.shop"), ("spotify", "bobs.ears")] {
        both.add_account(provider, of_bob);
        let theirs = both.connect_with(&bob, provider, of_bob).await;
        let [first, _, third] = three(&both, &ada, provider).await;
        let elsewhere = if provider == "instagram" {
            "0".repeat(24)
        } else {
            ada.instagram().shown().await["id"].as_str().unwrap().to_owned()
        };
        both.pass(Duration::from_secs(86_401));
        for (method, below) in MEANING_ONE {
            let ask = async |id: &str| {
                let path = program.integration(provider).with_id(id).path(below);
                let answer = program.request(method.clone(), &path).send().await.unwrap();
                let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
                (status, serde_json::from_str::<Value>(&text).unwrap())
            };
            for wrong in [theirs.as_str(), elsewhere.as_str(), "x"] {
                let (status, body) = ask(wrong).await;
                let said = (status, body["code"].as_str().unwrap());
                assert_eq!(said, (404, "not_found"), "{provider}: {method} {below} of {wrong}");
            }
            let (status, body) = ask(&first).await;
            assert_eq!(status, 200, "{provider}: {method} {below}: {body}");
            if !body["connection"].is_null() {
                assert_eq!(body["connection"]["id"], first, "{provider}: {method} {below}");
            }
        }
        let ended = ada.integration(provider).with_id(&first).read().await;
        assert_eq!(ended.failure(), "404 not_found", "{provider}: it has ended");
        assert_current(&ada, provider, &third).await;
        assert_eq!(bob.integration(provider).shown().await["id"], theirs, "untouched");
    }
}

#[actix_web::test]
async fn a_call_for_an_account_that_is_not_in_use_is_that_accounts() {
    let both = Both::start();
    let ada = both.with_user("ada").await;
    let [first, ..] = three(&both, &ada, "spotify").await;
    let me = ada.spotify().with_id(&first).proxy("me").await;
    assert_eq!((me.status, &me.body["id"]), (200, &json!(accounts::LISTENER)), "{me}");
    assert_eq!(ada.spotify().proxy("me").await.body["id"], accounts::NOT_ASCII);
    let searched = ada.spotify().with_id(&first).proxy("search?q=home&type=track&limit=1").await;
    assert_eq!(searched.status, 200, "the id is not Spotify's to see: {searched}");
}

#[actix_web::test]
async fn a_history_without_followers_is_no_error() {
    let both = Both::start();
    let ada = both.with_user("ada").await;
    for (account, followers) in [(accounts::LISTENER, json!(3829)), (accounts::DEVELOPMENT, Value::Null)] {
        both.connect_with(&ada, "spotify", account).await;
        assert_eq!(ada.spotify().sync().await.status, 200);
        let history = ada.spotify().history("").await;
        assert_eq!(history.status, 200, "{history}");
        for point in history.body["points"].as_array().unwrap() {
            assert_eq!(point["followers"], followers, "{account}: {history}");
        }
    }
}

#[actix_web::test]
async fn a_host_lists_the_connections_of_both_providers_page_by_page() {
    let both = Both::start_with(&[("REFRESH_POLL_SECONDS", "3600")]);
    let mut host = both.with_key(&both.service_key(&["connections:read", "connections:write"]));
    host.id = "user-1".to_owned();
    for account in [accounts::LISTENER, accounts::UNNAMED, accounts::NOT_ASCII] {
        let auth_url = host.spotify().auth_url("userId=user-1").await;
        let back = query_of(&both.spotify.consent(&auth_url, Consent::allow(account)));
        let exchanged = host.spotify().callback(&format!("{back}&userId=user-1")).await;
        assert_eq!(host.spotify().save(&exchanged.body).await.status, 200, "{exchanged}");
    }
    for account in [shops::RECORD_SHOP, shops::CREATOR] {
        let body = json!({
            "userId": "user-1", "access_token": both.instagram.issue_token(account),
            "user_id": both.instagram.account_ids(account).professional, "expires_in": 5_183_944,
        });
        assert_eq!(host.save_connection(body).await.status, 200);
    }
    for limit in 1..=5 {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = host.connections(&format!("limit={limit}&status=active{cursor}")).await;
            seen.extend(
                page.body["connections"].as_array().unwrap().iter().map(|one| one["provider"].clone()),
            );
            let Some(next) = page.body["nextCursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen, ["instagram", "instagram", "spotify", "spotify", "spotify"], "{limit} at once");
    }
}
