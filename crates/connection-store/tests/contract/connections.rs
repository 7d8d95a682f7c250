//! Connected Instagram accounts.

use std::sync::Arc;

use connection_store::{Connection, NewConnection, Profile, RefreshedToken, SaveOutcome, Store};
use jiff::Timestamp;

use crate::refresh::next_attempt;
use crate::{contract, disconnect, event, now, seconds};

contract! {
    a_token_whose_end_is_the_end_of_time_has_not_ended,
    a_saved_connection_is_found_as_it_was_given,
    what_instagram_does_not_give_stays_unset,
    texts_are_kept_to_the_letter,
    counts_are_kept_exactly,
    nobody_elses_connection_is_found,
    connecting_again_keeps_the_document_and_replaces_the_rest,
    connecting_again_clears_what_was_wrong,
    the_account_that_was_saved_last_is_the_latest,
    an_account_active_under_another_user_is_in_use,
    a_disconnected_account_is_gone_for_its_user,
    disconnecting_ends_the_latest_only,
    the_same_user_comes_back_to_the_same_document,
    a_disconnected_account_passes_to_another_user_with_nothing_of_the_first,
    a_renewed_token_replaces_the_one_it_was_made_from,
    a_renewal_of_an_older_token_changes_nothing,
    a_synced_profile_leaves_the_token_alone,
    a_sync_of_what_is_not_theirs_changes_nothing,
    a_refused_token_is_marked,
    a_mark_is_made_once,
    a_mark_for_an_older_token_changes_nothing,
    a_mark_for_nothing_is_false,
}

/// A connection with every field set.
pub(crate) fn new_connection(user_id: &str, instagram_user_id: &str, now: Timestamp) -> NewConnection {
    NewConnection {
        user_id: user_id.to_owned(),
        instagram_user_id: instagram_user_id.to_owned(),
        app_scoped_user_id: Some("7100200300400500".to_owned()),
        access_token: format!("v1.k1.sealed-for-{user_id}"),
        token_issued_at: now - seconds(5),
        token_expires_at: now + seconds(5_183_944),
        refresh_at: now + seconds(2_591_944),
        profile: Profile {
            username: "wreckshoprecords".to_owned(),
            name: Some("Wreck Shop Records".to_owned()),
            profile_picture_url: Some("https://cdn.example/p.jpg?sig=abc".to_owned()),
            biography: Some("Vinyl Records & Digital Beats".to_owned()),
            website: Some("wreckshop.com".to_owned()),
            followers_count: Some(15_420),
            follows_count: Some(823),
            media_count: Some(456),
        },
        scopes: vec!["instagram_business_basic".to_owned(), "instagram_business_manage_messages".to_owned()],
    }
}

pub(crate) async fn save(store: &Arc<dyn Store>, new: NewConnection, now: Timestamp) -> Connection {
    match store.save_connection(new, event("connected"), now).await.unwrap() {
        SaveOutcome::Saved(connection) => *connection,
        SaveOutcome::AccountInUse => panic!("the account is in use"),
    }
}

/// Returns the connection that is stored when `new` is saved for the first time.
fn expected(new: NewConnection, id: &str, now: Timestamp) -> Connection {
    Connection {
        id: id.to_owned(),
        user_id: new.user_id,
        instagram_user_id: new.instagram_user_id,
        app_scoped_user_id: new.app_scoped_user_id,
        access_token: new.access_token,
        token_issued_at: new.token_issued_at,
        token_expires_at: new.token_expires_at,
        refresh_at: Some(new.refresh_at),
        profile: new.profile,
        scopes: new.scopes,
        connected_at: now,
        last_connected_at: now,
        last_synced_at: now,
        last_error: None,
        needs_reauthorization_since: None,
        refresh_failures: 0,
        refresh_lease_until: None,
        sync_failures: 0,
        sync_lease_until: None,
        is_active: true,
    }
}

async fn a_saved_connection_is_found_as_it_was_given(store: Arc<dyn Store>) {
    let now = now();
    let new = new_connection("ann", "17841400000000001", now);
    let saved = save(&store, new.clone(), now).await;
    assert_eq!(saved, expected(new, &saved.id, now));
    assert!(saved.id.len() == 24 && saved.id.chars().all(|c| c.is_ascii_hexdigit()), "{}", saved.id);
    assert_eq!(store.latest_connection("ann").await.unwrap(), Some(saved));
}

async fn what_instagram_does_not_give_stays_unset(store: Arc<dyn Store>) {
    let now = now();
    let new = NewConnection {
        app_scoped_user_id: None,
        profile: Profile { username: "bare".to_owned(), ..Profile::default() },
        scopes: Vec::new(),
        ..new_connection("ann", "17841400000000001", now)
    };
    let saved = save(&store, new.clone(), now).await;
    assert_eq!(saved, expected(new, &saved.id, now));
    assert_eq!(store.latest_connection("ann").await.unwrap(), Some(saved));
}

/// Text that means something to a database is text all the same.
async fn texts_are_kept_to_the_letter(store: Arc<dyn Store>) {
    let now = now();
    let mut new = new_connection("$userId", "$instagramUserId", now);
    new.access_token = "$$ROOT".to_owned();
    new.app_scoped_user_id = Some("$_id".to_owned());
    new.profile.username = "$$NOW".to_owned();
    new.profile.name = Some("'; DROP TABLE users; --".to_owned());
    new.profile.biography = Some("$followers 📀\n{\"$literal\": 1}\0 ünd \u{2028}".to_owned());
    new.scopes = vec!["$scopes".to_owned(), "\"quoted\", [bracket]".to_owned()];
    let saved = save(&store, new.clone(), now).await;
    assert_eq!(saved, expected(new.clone(), &saved.id, now));
    // Once more over the document that is there now.
    let again = save(&store, new, now).await;
    assert_eq!(again, saved);
    assert!(
        store
            .mark_needs_reauthorization(
                &saved.id,
                "$$ROOT",
                "$profile.biography",
                event("needs_reauthorization"),
                now
            )
            .await
            .unwrap()
    );
    let found = store.latest_connection("$userId").await.unwrap().unwrap();
    assert_eq!(found.last_error.as_deref(), Some("$profile.biography"));
    assert_eq!(store.latest_connection("$other").await.unwrap(), None);
}

async fn counts_are_kept_exactly(store: Arc<dyn Store>) {
    let mut new = new_connection("ann", "17841400000000001", now());
    new.profile.followers_count = Some(0);
    new.profile.follows_count = Some((1 << 53) + 1);
    new.profile.media_count = Some(u64::from(u32::MAX) + 1);
    save(&store, new.clone(), now()).await;
    assert_eq!(store.latest_connection("ann").await.unwrap().unwrap().profile, new.profile);
}

async fn nobody_elses_connection_is_found(store: Arc<dyn Store>) {
    save(&store, new_connection("ann", "17841400000000001", now()), now()).await;
    assert_eq!(store.latest_connection("bob").await.unwrap(), None);
    assert_eq!(store.latest_connection("").await.unwrap(), None);
    assert!(!disconnect(&store, "bob", now()).await);
    assert!(store.latest_connection("ann").await.unwrap().is_some());
}

async fn connecting_again_keeps_the_document_and_replaces_the_rest(store: Arc<dyn Store>) {
    let start = now();
    let first = save(&store, new_connection("ann", "17841400000000001", start), start).await;
    let later = start + seconds(3600);
    let again = NewConnection {
        access_token: "v1.k2.another".to_owned(),
        app_scoped_user_id: None,
        token_expires_at: later + seconds(1000),
        profile: Profile { username: "renamed".to_owned(), ..Profile::default() },
        scopes: vec!["instagram_business_basic".to_owned()],
        ..new_connection("ann", "17841400000000001", later)
    };
    let second = save(&store, again.clone(), later).await;
    assert_eq!(second, Connection { connected_at: start, ..expected(again, &first.id, later) });
    assert_eq!(store.latest_connection("ann").await.unwrap(), Some(second));
}

async fn connecting_again_clears_what_was_wrong(store: Arc<dyn Store>) {
    let now = now();
    let first = save(&store, new_connection("ann", "17841400000000001", now), now).await;
    assert!(
        store
            .mark_needs_reauthorization(
                &first.id,
                &first.access_token,
                "refused",
                event("needs_reauthorization"),
                now
            )
            .await
            .unwrap()
    );
    let second = save(&store, new_connection("ann", "17841400000000001", now), now).await;
    assert_eq!((second.last_error, second.needs_reauthorization_since), (None, None));
}

async fn the_account_that_was_saved_last_is_the_latest(store: Arc<dyn Store>) {
    let now = now();
    save(&store, new_connection("ann", "17841400000000001", now), now).await;
    save(&store, new_connection("ann", "17841400000000002", now), now + seconds(1)).await;
    let latest = async || store.latest_connection("ann").await.unwrap().unwrap().instagram_user_id;
    assert_eq!(latest().await, "17841400000000002");
    save(&store, new_connection("ann", "17841400000000001", now), now + seconds(2)).await;
    assert_eq!(latest().await, "17841400000000001");
    save(&store, new_connection("ann", "17841400000000003", now), now).await;
    save(&store, new_connection("bob", "17841400000000004", now), now).await;
    let accounts = async |limit| {
        let found = store.connections_of_user("ann", limit).await.unwrap();
        found.into_iter().map(|connection| connection.instagram_user_id).collect::<Vec<_>>()
    };
    assert_eq!(accounts(9).await, ["17841400000000001", "17841400000000002", "17841400000000003"]);
    assert_eq!(accounts(2).await, ["17841400000000001", "17841400000000002"]);
    disconnect(&store, "ann", now).await;
    assert_eq!(accounts(9).await, ["17841400000000002", "17841400000000003"]);
}

async fn an_account_active_under_another_user_is_in_use(store: Arc<dyn Store>) {
    let now = now();
    let anns = save(&store, new_connection("ann", "17841400000000001", now), now).await;
    let bobs = new_connection("bob", "17841400000000001", now + seconds(1));
    let outcome = store.save_connection(bobs, event("connected"), now + seconds(1)).await.unwrap();
    assert_eq!(outcome, SaveOutcome::AccountInUse);
    assert_eq!(store.latest_connection("ann").await.unwrap(), Some(anns));
    assert_eq!(store.latest_connection("bob").await.unwrap(), None);
}

async fn a_disconnected_account_is_gone_for_its_user(store: Arc<dyn Store>) {
    save(&store, new_connection("ann", "17841400000000001", now()), now()).await;
    assert!(disconnect(&store, "ann", now()).await);
    assert_eq!(store.latest_connection("ann").await.unwrap(), None);
    assert!(!disconnect(&store, "ann", now()).await);
}

async fn disconnecting_ends_the_latest_only(store: Arc<dyn Store>) {
    let now = now();
    let older = save(&store, new_connection("ann", "17841400000000001", now), now).await;
    save(&store, new_connection("ann", "17841400000000002", now), now + seconds(1)).await;
    assert!(disconnect(&store, "ann", now + seconds(2)).await);
    assert_eq!(store.latest_connection("ann").await.unwrap(), Some(older));
}

async fn the_same_user_comes_back_to_the_same_document(store: Arc<dyn Store>) {
    let start = now();
    let first = save(&store, new_connection("ann", "17841400000000001", start), start).await;
    disconnect(&store, "ann", start + seconds(1)).await;
    let again = new_connection("ann", "17841400000000001", start);
    let second = save(&store, again, start + seconds(2)).await;
    assert_eq!(
        second,
        Connection { last_connected_at: start + seconds(2), last_synced_at: start + seconds(2), ..first }
    );
}

async fn a_disconnected_account_passes_to_another_user_with_nothing_of_the_first(store: Arc<dyn Store>) {
    let start = now();
    let first = save(&store, new_connection("ann", "17841400000000001", start), start).await;
    store
        .mark_needs_reauthorization(
            &first.id,
            &first.access_token,
            "refused",
            event("needs_reauthorization"),
            start,
        )
        .await
        .unwrap();
    disconnect(&store, "ann", start).await;

    let later = start + seconds(60);
    let bobs = NewConnection {
        app_scoped_user_id: None,
        profile: Profile { username: "bobs".to_owned(), ..Profile::default() },
        scopes: Vec::new(),
        ..new_connection("bob", "17841400000000001", later)
    };
    let second = save(&store, bobs.clone(), later).await;
    assert_eq!(second, expected(bobs, &first.id, later));
    assert_eq!(store.latest_connection("bob").await.unwrap(), Some(second));
    assert_eq!(store.latest_connection("ann").await.unwrap(), None);
}

fn renewed(now: Timestamp, scopes: Option<Vec<String>>) -> RefreshedToken {
    RefreshedToken {
        access_token: "v1.k1.renewed".to_owned(),
        token_issued_at: now,
        token_expires_at: now + seconds(5_000_000),
        refresh_at: now + seconds(2_500_000),
        scopes,
    }
}

async fn a_renewed_token_replaces_the_one_it_was_made_from(store: Arc<dyn Store>) {
    let start = now();
    let first = save(&store, new_connection("ann", "17841400000000001", start), start).await;
    let wait = next_attempt(start, Some("away"));
    store.reschedule_refresh(&first.id, &first.access_token, wait, start).await.unwrap();
    let later = start + seconds(90_000);
    let token = renewed(later, None);
    let stored = store
        .replace_token(&first.id, &first.access_token, token, vec![event("refreshed")], later)
        .await
        .unwrap()
        .unwrap();
    let expected = Connection {
        access_token: "v1.k1.renewed".to_owned(),
        token_issued_at: later,
        token_expires_at: later + seconds(5_000_000),
        refresh_at: Some(later + seconds(2_500_000)),
        ..first
    };
    assert_eq!(stored, expected, "nothing else changed, and what was wrong is cleared");
    assert_eq!(store.latest_connection("ann").await.unwrap(), Some(expected));
    let narrowed = renewed(later, Some(vec!["instagram_business_basic".to_owned()]));
    let stored = store
        .replace_token(&stored.id, "v1.k1.renewed", narrowed, vec![event("refreshed")], later)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stored.scopes, ["instagram_business_basic"]);
}

async fn a_renewal_of_an_older_token_changes_nothing(store: Arc<dyn Store>) {
    let now = now();
    let first = save(&store, new_connection("ann", "17841400000000001", now), now).await;
    let again = NewConnection {
        access_token: "v1.k1.reconnected".to_owned(),
        ..new_connection("ann", "17841400000000001", now)
    };
    let second = save(&store, again, now).await;
    let outcome = store
        .replace_token(&first.id, &first.access_token, renewed(now, None), vec![event("refreshed")], now)
        .await;
    assert_eq!(outcome.unwrap(), None, "the reconnect wins");
    assert_eq!(store.latest_connection("ann").await.unwrap(), Some(second));
    disconnect(&store, "ann", now).await;
    for (id, token) in [(first.id.as_str(), ""), (first.id.as_str(), "v1.k1.reconnected"), ("no id", "x")] {
        assert_eq!(
            store.replace_token(id, token, renewed(now, None), vec![event("refreshed")], now).await.unwrap(),
            None
        );
    }
    assert_eq!(store.latest_connection("ann").await.unwrap(), None, "a renewal does not reconnect");
}

async fn a_synced_profile_leaves_the_token_alone(store: Arc<dyn Store>) {
    let start = now();
    let first = save(&store, new_connection("ann", "17841400000000001", start), start).await;
    let later = start + seconds(60);
    let profile = Profile { username: "$renamed".to_owned(), followers_count: Some(7), ..Profile::default() };
    let stored = store
        .update_profile(&first.id, "ann", profile.clone(), "instagram_business_basic", event("synced"), later)
        .await
        .unwrap();
    let expected = Connection { profile, last_synced_at: later, ..first };
    assert_eq!(stored, Some(expected.clone()));
    assert_eq!(store.latest_connection("ann").await.unwrap(), Some(expected));
}

async fn a_sync_of_what_is_not_theirs_changes_nothing(store: Arc<dyn Store>) {
    let now = now();
    let first = save(&store, new_connection("ann", "17841400000000001", now), now).await;
    for (id, user_id) in [(first.id.as_str(), "bob"), ("no id", "ann")] {
        assert_eq!(
            store
                .update_profile(
                    id,
                    user_id,
                    Profile::default(),
                    "instagram_business_basic",
                    event("synced"),
                    now
                )
                .await
                .unwrap(),
            None
        );
    }
    assert_eq!(store.latest_connection("ann").await.unwrap(), Some(first.clone()));
    disconnect(&store, "ann", now).await;
    assert_eq!(
        store
            .update_profile(
                &first.id,
                "ann",
                Profile::default(),
                "instagram_business_basic",
                event("synced"),
                now
            )
            .await
            .unwrap(),
        None
    );
}

async fn a_refused_token_is_marked(store: Arc<dyn Store>) {
    let now = now();
    let saved = save(&store, new_connection("ann", "17841400000000001", now), now).await;
    let marked = store.mark_needs_reauthorization(
        &saved.id,
        &saved.access_token,
        "Refused.",
        event("needs_reauthorization"),
        now + seconds(9),
    );
    assert!(marked.await.unwrap());
    let expected = Connection {
        last_error: Some("Refused.".to_owned()),
        needs_reauthorization_since: Some(now + seconds(9)),
        ..saved
    };
    assert_eq!(store.latest_connection("ann").await.unwrap(), Some(expected));
}

async fn a_mark_is_made_once(store: Arc<dyn Store>) {
    let now = now();
    let saved = save(&store, new_connection("ann", "17841400000000001", now), now).await;
    for (second, error) in [(1, "first"), (2, "second")] {
        let (now, told) = (now + seconds(second), event("needs_reauthorization"));
        let marked = store.mark_needs_reauthorization(&saved.id, &saved.access_token, error, told, now).await;
        assert_eq!(marked.unwrap(), error == "first");
    }
    let found = store.latest_connection("ann").await.unwrap().unwrap();
    assert_eq!(found.needs_reauthorization_since, Some(now + seconds(1)));
    assert_eq!(found.last_error.as_deref(), Some("first"));
}

async fn a_mark_for_an_older_token_changes_nothing(store: Arc<dyn Store>) {
    let now = now();
    let first = save(&store, new_connection("ann", "17841400000000001", now), now).await;
    let again = NewConnection {
        access_token: "v1.k1.newer".to_owned(),
        ..new_connection("ann", "17841400000000001", now)
    };
    let second = save(&store, again, now).await;
    assert!(
        !store
            .mark_needs_reauthorization(
                &first.id,
                &first.access_token,
                "refused",
                event("needs_reauthorization"),
                now
            )
            .await
            .unwrap()
    );
    assert_eq!(store.latest_connection("ann").await.unwrap(), Some(second));
}

async fn a_mark_for_nothing_is_false(store: Arc<dyn Store>) {
    let now = now();
    for id in ["507f1f77bcf86cd799439011", "", "not an id"] {
        assert!(
            !store
                .mark_needs_reauthorization(id, "token", "refused", event("needs_reauthorization"), now)
                .await
                .unwrap()
        );
    }
    let saved = save(&store, new_connection("ann", "17841400000000001", now), now).await;
    disconnect(&store, "ann", now).await;
    for token in ["", &saved.access_token] {
        assert!(
            !store
                .mark_needs_reauthorization(&saved.id, token, "refused", event("needs_reauthorization"), now)
                .await
                .unwrap()
        );
    }
}

async fn a_token_whose_end_is_the_end_of_time_has_not_ended(store: Arc<dyn Store>) {
    let now = now();
    let endless = NewConnection { token_expires_at: Timestamp::MAX, ..new_connection("ann", "1", now) };
    assert!(save(&store, endless, now).await.token_expires_at > now);
    let found = store.latest_connection("ann").await.unwrap().unwrap();
    assert!(found.token_expires_at > now, "{}", found.token_expires_at);
}
