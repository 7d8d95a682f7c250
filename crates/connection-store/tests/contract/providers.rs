//! Several providers in one store, and what only some of them have.

use connection_store::{
    Connection, ConnectionFilter, HistoryRange, NewConnection, NextAttempt, ReadProfile, RefreshedToken,
    SealedToken,
};
use jiff::Timestamp;
use shared::Provider;

use crate::accounts::{read, refreshed};
use crate::connections::save;
use crate::refresh::next_attempt;
use crate::{Accounts, contract_of_accounts, event, now, seconds};

contract_of_accounts! {
    another_providers_connection_is_not_there,
    an_account_of_each_provider_may_have_the_same_id,
    a_refresh_token_is_kept_until_another_comes,
    a_connection_ends_when_the_provider_says,
    a_first_refusal_is_kept_until_the_token_works,
    the_other_id_of_an_account_is_learnt_at_a_sync,
    a_sync_may_show_no_permission,
    a_resealed_connection_may_move_to_another_id,
    a_connection_moves_to_no_id_that_another_has,
    a_key_is_that_of_the_token_without_which_the_other_is_of_no_use,
}

const ACCOUNT: &str = "17841400000000001";

async fn another_providers_connection_is_not_there(accounts: Accounts) {
    let now = now();
    let one = save(&accounts, accounts.new_connection("ann", ACCOUNT, now), now).await;
    let (id, token, other) = (&one.id, &one.access_token, accounts.of_other_provider());
    let connections = other.connections();
    assert_eq!(connections.connection(id).await.unwrap(), None);
    assert_eq!(connections.current_connection("ann").await.unwrap(), None);
    assert_eq!(connections.connections_of_user("ann", 9).await.unwrap(), []);
    assert_eq!(connections.connections_of_account(ACCOUNT).await.unwrap(), []);
    assert_eq!(connections.list_connections(ConnectionFilter::default(), 9).await.unwrap(), []);
    assert_eq!(connections.select_connection(id, "ann", now).await.unwrap(), None);
    assert!(!connections.disconnect(id, "ann", event("disconnected"), now).await.unwrap());
    let later = now + seconds(10_000_000);
    assert_eq!(connections.claim_due_for_refresh(later, 9, later).await.unwrap(), []);
    assert_eq!(connections.claim_due_for_sync(later, later, 9, later).await.unwrap(), []);
    assert_eq!(connections.first_due_for_refresh(later).await.unwrap(), None);
    assert_eq!(connections.claim_for_refresh(id, token, later, now).await.unwrap(), None);
    let replaced = connections.replace_token(id, token, refreshed("x", now), vec![event("refreshed")], now);
    assert_eq!(replaced.await.unwrap(), None);
    let profile = read(one.profile.clone(), "basic");
    assert_eq!(connections.update_profile(id, "ann", profile, event("synced"), now).await.unwrap(), None);
    assert!(!connections.mark_needs_reauthorization(id, token, "no", event("dead"), now).await.unwrap());
    assert!(!connections.record_event(id, token, event("token_read"), now).await.unwrap());
    assert_eq!(connections.sealed_with(Some("k1"), None, 9).await.unwrap(), []);
    assert_eq!(connections.key_use().await.unwrap(), []);
    let whole = HistoryRange { from: Timestamp::UNIX_EPOCH, until: later, limit: 9 };
    assert_eq!(connections.history(id, "ann", whole, now).await.unwrap(), []);
    assert_eq!(other.events(id, "ann", None, 9, now).await.unwrap(), []);
    assert!(!connections.erase_connection(id, now, event("deleted"), now).await.unwrap());

    assert_eq!(accounts.connections().connection(id).await.unwrap(), Some(one.clone()));
    assert_eq!(accounts.connections().history(id, "ann", whole, now).await.unwrap().len(), 1);
    assert_eq!(accounts.events(id, "ann", None, 9, now).await.unwrap().len(), 1);
}

async fn an_account_of_each_provider_may_have_the_same_id(accounts: Accounts) {
    let now = now();
    let one = save(&accounts, accounts.new_connection("ann", ACCOUNT, now), now).await;
    let other = accounts.of_other_provider();
    let bobs = save(&other, other.new_connection("bob", ACCOUNT, now), now).await;
    assert_ne!(one.id, bobs.id);
    for (accounts, connection) in [(&accounts, &one), (&other, &bobs)] {
        assert_eq!(connection.provider, accounts.provider);
        let found = accounts.connections().connections_of_account(ACCOUNT).await.unwrap();
        assert_eq!(found.iter().collect::<Vec<_>>(), [connection]);
    }
}

async fn a_refresh_token_is_kept_until_another_comes(accounts: Accounts) {
    let now = now();
    let one = save(&accounts, accounts.new_connection("ann", ACCOUNT, now), now).await;
    assert_eq!(one.refresh_token.is_some(), accounts.provider == Provider::Spotify);
    let replace = async |old: &str, access_token: &str, refresh_token: Option<String>| {
        let token = RefreshedToken { refresh_token, ..refreshed(access_token, now) };
        let events = vec![event("refreshed")];
        accounts.connections().replace_token(&one.id, old, token, events, now).await.unwrap()
    };
    let kept = replace(&one.access_token, "v1.k1.second", None).await.unwrap();
    assert_eq!((&*kept.access_token, &kept.refresh_token), ("v1.k1.second", &one.refresh_token));
    let another = accounts.refresh_token("$another");
    assert_eq!(replace(&one.access_token, "v1.k1.late", another.clone()).await, None, "of an older token");
    assert_eq!(accounts.connections().connection(&one.id).await.unwrap(), Some(kept));
    let replaced = replace("v1.k1.second", "v1.k1.third", another.clone()).await.unwrap();
    assert_eq!((&*replaced.access_token, &replaced.refresh_token), ("v1.k1.third", &another));
    let ended = event("disconnected");
    assert!(accounts.connections().disconnect(&one.id, "ann", ended, now).await.unwrap());
    let ended = accounts.connections().connection(&one.id).await.unwrap().unwrap();
    assert_eq!((&*ended.access_token, ended.refresh_token), ("", None), "no token is kept");
}

async fn a_connection_ends_when_the_provider_says(accounts: Accounts) {
    let now = now();
    let new = accounts.new_connection("ann", ACCOUNT, now);
    let (token_ends, ends) = (new.token_expires_at, new.expires_at);
    let one = save(&accounts, new, now).await;
    assert_eq!((one.token_expires_at, one.expires_at), (token_ends, ends));
    let token = refreshed("v1.k1.second", now);
    let token = match accounts.provider {
        Provider::Instagram => token,
        Provider::Spotify => RefreshedToken { expires_at: ends, ..token },
    };
    let (token_ends, ends) = (token.token_expires_at, token.expires_at);
    let events = vec![event("refreshed")];
    let stored = accounts.connections().replace_token(&one.id, &one.access_token, token, events, now).await;
    let stored = stored.unwrap().unwrap();
    assert_eq!((stored.token_expires_at, stored.expires_at), (token_ends, ends));
}

async fn a_first_refusal_is_kept_until_the_token_works(accounts: Accounts) {
    let start = now();
    let one = save(&accounts, accounts.new_connection("ann", ACCOUNT, start), start).await;
    let connections = accounts.connections();
    let reschedule = async |token: &str, refused_since: Option<Timestamp>| {
        let next = NextAttempt { refused_since, ..next_attempt(start, None) };
        connections.reschedule_refresh(&one.id, token, next, start).await.unwrap();
        connections.connection(&one.id).await.unwrap().unwrap().refused_since
    };
    let first = Some(start + seconds(5));
    assert_eq!(reschedule(&one.access_token, None).await, None);
    assert_eq!(reschedule("v1.k1.another", first).await, None);
    let due = async || connections.connection(&one.id).await.unwrap().unwrap().refresh_at;
    assert_ne!(due().await, Some(start));
    assert_eq!(reschedule(&one.access_token, first).await, first);
    assert_eq!(due().await, Some(start), "it is due at the next attempt, whenever it was by itself");
    assert_eq!(reschedule(&one.access_token, None).await, first);
    assert_eq!(reschedule(&one.access_token, Some(start + seconds(9))).await, first, "it is not the first");
    let events = vec![event("refreshed")];
    let works =
        connections.replace_token(&one.id, &one.access_token, refreshed("v1.k1.b", start), events, start);
    assert_eq!(works.await.unwrap().unwrap().refused_since, None);
    assert_eq!(reschedule("v1.k1.b", first).await, first);
    let again = save(&accounts, accounts.new_connection("ann", ACCOUNT, start), start).await;
    assert_eq!(again.refused_since, None);
    assert_eq!(connections.connection(&one.id).await.unwrap().unwrap().refused_since, None);
}

async fn the_other_id_of_an_account_is_learnt_at_a_sync(accounts: Accounts) {
    let now = now();
    let new = NewConnection { other_account_id: None, ..accounts.new_connection("ann", ACCOUNT, now) };
    let one = save(&accounts, new, now).await;
    let sync = async |other_account_id: Option<&str>| {
        let other_account_id = other_account_id.map(str::to_owned);
        let profile = ReadProfile { other_account_id, ..read(one.profile.clone(), "basic") };
        let stored =
            accounts.connections().update_profile(&one.id, "ann", profile, event("synced"), now).await;
        stored.unwrap().unwrap().other_account_id
    };
    assert_eq!(sync(None).await, None);
    assert_eq!(sync(Some("$other")).await.as_deref(), Some("$other"));
    assert_eq!(sync(None).await.as_deref(), Some("$other"));
    let found = accounts.connections().connections_of_account("$other").await.unwrap();
    assert_eq!(found.iter().map(|connection| &connection.id).collect::<Vec<_>>(), [&one.id]);
}

async fn a_sync_may_show_no_permission(accounts: Accounts) {
    let now = now();
    let one = save(&accounts, accounts.new_connection("ann", ACCOUNT, now), now).await;
    let profile = ReadProfile { granted_scope: None, ..read(one.profile.clone(), "") };
    let stored = accounts.connections().update_profile(&one.id, "ann", profile, event("synced"), now).await;
    assert_eq!(stored.unwrap(), Some(one));
}

fn sealed(connection: &Connection) -> SealedToken {
    SealedToken {
        connection_id: connection.id.clone(),
        provider_account_id: connection.provider_account_id.clone(),
        access_token: connection.access_token.clone(),
        refresh_token: connection.refresh_token.clone(),
    }
}

async fn a_resealed_connection_may_move_to_another_id(accounts: Accounts) {
    let now = now();
    let one = save(&accounts, accounts.new_connection("ann", ACCOUNT, now), now).await;
    let moved = SealedToken {
        provider_account_id: "$moved".to_owned(),
        access_token: "v1.k1.moved".to_owned(),
        refresh_token: accounts.refresh_token("v1.k1.moved-too"),
        ..sealed(&one)
    };
    assert!(accounts.connections().reseal(&sealed(&one), &moved).await.unwrap());
    assert!(!accounts.connections().reseal(&sealed(&one), &moved).await.unwrap(), "the tokens are others");
    let expected = Connection {
        provider_account_id: moved.provider_account_id,
        access_token: moved.access_token,
        refresh_token: moved.refresh_token,
        ..one
    };
    assert_eq!(accounts.connections().connections_of_account("$moved").await.unwrap(), [expected]);
    assert_eq!(accounts.connections().connections_of_account(ACCOUNT).await.unwrap(), []);
    // The id is free for an account that has it.
    let bobs = save(&accounts, accounts.new_connection("bob", ACCOUNT, now), now).await;
    assert_eq!(bobs.user_id, "bob");
}

async fn a_connection_moves_to_no_id_that_another_has(accounts: Accounts) {
    let now = now();
    let one = save(&accounts, accounts.new_connection("ann", ACCOUNT, now), now).await;
    let bobs = save(&accounts, accounts.new_connection("bob", "taken", now), now).await;
    let moved = SealedToken {
        provider_account_id: "taken".to_owned(),
        access_token: "v1.k1.moved".to_owned(),
        ..sealed(&one)
    };
    assert!(!accounts.connections().reseal(&sealed(&one), &moved).await.unwrap());
    for connection in [one, bobs] {
        let stored = accounts.connections().connection(&connection.id).await.unwrap();
        assert_eq!(stored, Some(connection), "nothing is changed");
    }
}

async fn a_key_is_that_of_the_token_without_which_the_other_is_of_no_use(accounts: Accounts) {
    let now = now();
    let one = save(&accounts, accounts.new_connection("ann", ACCOUNT, now), now).await;
    let events = vec![event("refreshed")];
    let token = refreshed("v1.k2.second", now);
    accounts
        .connections()
        .replace_token(&one.id, &one.access_token, token, events, now)
        .await
        .unwrap()
        .unwrap();
    let key = if one.refresh_token.is_some() { "k1" } else { "k2" };
    let used = accounts.connections().key_use().await.unwrap();
    assert_eq!(
        used.iter().map(|used| (used.key_id.as_deref(), used.tokens)).collect::<Vec<_>>(),
        [(Some(key), 1)]
    );
    let found = accounts.connections().sealed_with(Some(key), None, 9).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((&*found[0].access_token, &found[0].refresh_token), ("v1.k2.second", &one.refresh_token));
    // Another refresh token of the newer key settles it.
    let stale = SealedToken { refresh_token: Some("v1.k1.no-longer".to_owned()), ..found[0].clone() };
    let anew = SealedToken { refresh_token: accounts.refresh_token("v1.k2.anew"), ..found[0].clone() };
    if one.refresh_token.is_some() {
        assert!(!accounts.connections().reseal(&stale, &anew).await.unwrap(), "the refresh token is another");
    }
    assert!(accounts.connections().reseal(&found[0], &anew).await.unwrap());
    assert_eq!(accounts.connections().key_use().await.unwrap()[0].key_id.as_deref(), Some("k2"));
}
