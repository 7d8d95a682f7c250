//! Connected accounts.

use connection_store::{Connection, NewConnection, Profile, RefreshedToken, SaveOutcome};
use jiff::Timestamp;

use crate::accounts::{read, refreshed};
use crate::refresh::next_attempt;
use crate::{Accounts, contract_of_accounts, disconnect, event, now, seconds};

contract_of_accounts! {
    a_token_whose_end_is_the_end_of_time_has_not_ended,
    a_saved_connection_is_found_as_it_was_given,
    what_the_provider_does_not_give_stays_unset,
    texts_are_kept_to_the_letter,
    counts_are_kept_exactly,
    nobody_elses_connection_is_found,
    connecting_again_keeps_the_document_and_replaces_the_rest,
    connecting_again_clears_what_was_wrong,
    an_account_active_under_another_user_is_in_use,
    a_disconnected_account_is_gone_for_its_user,
    disconnecting_ends_one_only,
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

pub(crate) async fn save(accounts: &Accounts, new: NewConnection, now: Timestamp) -> Connection {
    match accounts.connections().save_connection(new, event("connected"), now).await.unwrap() {
        SaveOutcome::Saved(connection) => *connection,
        SaveOutcome::AccountInUse => panic!("the account is in use"),
    }
}

/// Returns the connection that is stored when `new` is saved for the first time.
fn expected(accounts: &Accounts, new: NewConnection, id: &str, now: Timestamp) -> Connection {
    Connection {
        id: id.to_owned(),
        provider: accounts.provider,
        user_id: new.user_id,
        provider_account_id: new.provider_account_id,
        other_account_id: new.other_account_id,
        access_token: new.access_token,
        refresh_token: new.refresh_token,
        token_issued_at: new.token_issued_at,
        token_expires_at: new.token_expires_at,
        expires_at: new.expires_at,
        refresh_at: Some(new.refresh_at),
        profile: new.profile,
        scopes: new.scopes,
        connected_at: now,
        last_connected_at: now,
        last_synced_at: now,
        last_error: None,
        needs_reauthorization_since: None,
        refused_since: None,
        refresh_failures: 0,
        refresh_lease_until: None,
        sync_failures: 0,
        sync_lease_until: None,
        is_active: true,
    }
}

async fn a_saved_connection_is_found_as_it_was_given(accounts: Accounts) {
    let now = now();
    let new = accounts.new_connection("ann", "17841400000000001", now);
    let saved = save(&accounts, new.clone(), now).await;
    assert_eq!(saved, expected(&accounts, new, &saved.id, now));
    assert!(saved.id.len() == 24 && saved.id.chars().all(|c| c.is_ascii_hexdigit()), "{}", saved.id);
    assert_eq!(accounts.connections().current_connection("ann").await.unwrap(), Some(saved));
}

async fn what_the_provider_does_not_give_stays_unset(accounts: Accounts) {
    let now = now();
    let new = NewConnection {
        other_account_id: None,
        profile: Profile { username: "bare".to_owned(), ..Profile::default() },
        scopes: Vec::new(),
        ..accounts.new_connection("ann", "17841400000000001", now)
    };
    let saved = save(&accounts, new.clone(), now).await;
    assert_eq!(saved, expected(&accounts, new, &saved.id, now));
    assert_eq!(accounts.connections().current_connection("ann").await.unwrap(), Some(saved));
}

/// Text that means something to a database is text all the same.
async fn texts_are_kept_to_the_letter(accounts: Accounts) {
    let now = now();
    let mut new = accounts.new_connection("$userId", "$instagramUserId", now);
    new.access_token = "$$ROOT".to_owned();
    new.other_account_id = Some("$_id".to_owned());
    new.profile.username = "$$NOW".to_owned();
    new.profile.name = Some("'; DROP TABLE users; --".to_owned());
    new.profile.profile_picture_url = Some("$followers 📀\n{\"$literal\": 1}\0 ünd \u{2028}".to_owned());
    new.refresh_token = accounts.refresh_token("$$REMOVE");
    new.scopes = vec!["$scopes".to_owned(), "\"quoted\", [bracket]".to_owned()];
    let saved = save(&accounts, new.clone(), now).await;
    assert_eq!(saved, expected(&accounts, new.clone(), &saved.id, now));
    // Once more over the document that is there now.
    let again = save(&accounts, new, now).await;
    assert_eq!(again, saved);
    assert!(
        accounts
            .connections()
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
    let found = accounts.connections().current_connection("$userId").await.unwrap().unwrap();
    assert_eq!(found.last_error.as_deref(), Some("$profile.biography"));
    assert_eq!(accounts.connections().current_connection("$other").await.unwrap(), None);
}

async fn counts_are_kept_exactly(accounts: Accounts) {
    let mut new = accounts.new_connection("ann", "17841400000000001", now());
    new.profile.followers_count = Some(0);
    new.profile.follows_count = new.profile.follows_count.map(|_| (1 << 53) + 1);
    new.profile.media_count = new.profile.media_count.map(|_| u64::from(u32::MAX) + 1);
    save(&accounts, new.clone(), now()).await;
    assert_eq!(accounts.connections().current_connection("ann").await.unwrap().unwrap().profile, new.profile);
}

async fn nobody_elses_connection_is_found(accounts: Accounts) {
    save(&accounts, accounts.new_connection("ann", "17841400000000001", now()), now()).await;
    assert_eq!(accounts.connections().current_connection("bob").await.unwrap(), None);
    assert_eq!(accounts.connections().current_connection("").await.unwrap(), None);
    assert!(!disconnect(&accounts, "bob", now()).await);
    assert!(accounts.connections().current_connection("ann").await.unwrap().is_some());
}

async fn connecting_again_keeps_the_document_and_replaces_the_rest(accounts: Accounts) {
    let start = now();
    let first = save(&accounts, accounts.new_connection("ann", "17841400000000001", start), start).await;
    let later = start + seconds(3600);
    let again = NewConnection {
        access_token: "v1.k2.another".to_owned(),
        other_account_id: None,
        refresh_token: accounts.refresh_token("v1.k2.another"),
        token_expires_at: later + seconds(1000),
        expires_at: later + seconds(1000),
        profile: Profile { username: "renamed".to_owned(), ..Profile::default() },
        scopes: vec!["instagram_business_basic".to_owned()],
        ..accounts.new_connection("ann", "17841400000000001", later)
    };
    let second = save(&accounts, again.clone(), later).await;
    assert_eq!(second, Connection { connected_at: start, ..expected(&accounts, again, &first.id, later) });
    assert_eq!(accounts.connections().current_connection("ann").await.unwrap(), Some(second));
}

async fn connecting_again_clears_what_was_wrong(accounts: Accounts) {
    let now = now();
    let first = save(&accounts, accounts.new_connection("ann", "17841400000000001", now), now).await;
    assert!(
        accounts
            .connections()
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
    let second = save(&accounts, accounts.new_connection("ann", "17841400000000001", now), now).await;
    assert_eq!((second.last_error, second.needs_reauthorization_since), (None, None));
}

async fn an_account_active_under_another_user_is_in_use(accounts: Accounts) {
    let now = now();
    let anns = save(&accounts, accounts.new_connection("ann", "17841400000000001", now), now).await;
    let bobs = accounts.new_connection("bob", "17841400000000001", now + seconds(1));
    let outcome =
        accounts.connections().save_connection(bobs, event("connected"), now + seconds(1)).await.unwrap();
    assert_eq!(outcome, SaveOutcome::AccountInUse);
    assert_eq!(accounts.connections().current_connection("ann").await.unwrap(), Some(anns));
    assert_eq!(accounts.connections().current_connection("bob").await.unwrap(), None);
}

async fn a_disconnected_account_is_gone_for_its_user(accounts: Accounts) {
    save(&accounts, accounts.new_connection("ann", "17841400000000001", now()), now()).await;
    assert!(disconnect(&accounts, "ann", now()).await);
    assert_eq!(accounts.connections().current_connection("ann").await.unwrap(), None);
    assert!(!disconnect(&accounts, "ann", now()).await);
}

async fn disconnecting_ends_one_only(accounts: Accounts) {
    let now = now();
    let older = save(&accounts, accounts.new_connection("ann", "17841400000000001", now), now).await;
    save(&accounts, accounts.new_connection("ann", "17841400000000002", now), now + seconds(1)).await;
    assert!(disconnect(&accounts, "ann", now + seconds(2)).await);
    assert_eq!(accounts.connections().current_connection("ann").await.unwrap(), Some(older));
}

async fn the_same_user_comes_back_to_the_same_document(accounts: Accounts) {
    let start = now();
    let first = save(&accounts, accounts.new_connection("ann", "17841400000000001", start), start).await;
    disconnect(&accounts, "ann", start + seconds(1)).await;
    let again = accounts.new_connection("ann", "17841400000000001", start);
    let second = save(&accounts, again, start + seconds(2)).await;
    assert_eq!(
        second,
        Connection { last_connected_at: start + seconds(2), last_synced_at: start + seconds(2), ..first }
    );
}

async fn a_disconnected_account_passes_to_another_user_with_nothing_of_the_first(accounts: Accounts) {
    let start = now();
    let first = save(&accounts, accounts.new_connection("ann", "17841400000000001", start), start).await;
    accounts
        .connections()
        .mark_needs_reauthorization(
            &first.id,
            &first.access_token,
            "refused",
            event("needs_reauthorization"),
            start,
        )
        .await
        .unwrap();
    disconnect(&accounts, "ann", start).await;

    let later = start + seconds(60);
    let bobs = NewConnection {
        other_account_id: None,
        profile: Profile { username: "bobs".to_owned(), ..Profile::default() },
        scopes: Vec::new(),
        ..accounts.new_connection("bob", "17841400000000001", later)
    };
    let second = save(&accounts, bobs.clone(), later).await;
    assert_eq!(second, expected(&accounts, bobs, &first.id, later));
    assert_eq!(accounts.connections().current_connection("bob").await.unwrap(), Some(second));
    assert_eq!(accounts.connections().current_connection("ann").await.unwrap(), None);
}

fn renewed(now: Timestamp, scopes: Option<Vec<String>>) -> RefreshedToken {
    RefreshedToken { scopes, ..refreshed("v1.k1.renewed", now) }
}

async fn a_renewed_token_replaces_the_one_it_was_made_from(accounts: Accounts) {
    let start = now();
    let first = save(&accounts, accounts.new_connection("ann", "17841400000000001", start), start).await;
    let wait = next_attempt(start, Some("away"));
    accounts.connections().reschedule_refresh(&first.id, &first.access_token, wait, start).await.unwrap();
    let later = start + seconds(90_000);
    let token = renewed(later, None);
    let stored = accounts
        .connections()
        .replace_token(&first.id, &first.access_token, token, vec![event("refreshed")], later)
        .await
        .unwrap()
        .unwrap();
    let expected = Connection {
        access_token: "v1.k1.renewed".to_owned(),
        token_issued_at: later,
        token_expires_at: later + seconds(5_000_000),
        expires_at: later + seconds(5_000_000),
        refresh_at: Some(later + seconds(2_500_000)),
        ..first
    };
    assert_eq!(stored, expected, "nothing else changed, and what was wrong is cleared");
    assert_eq!(accounts.connections().current_connection("ann").await.unwrap(), Some(expected));
    let narrowed = renewed(later, Some(vec!["instagram_business_basic".to_owned()]));
    let stored = accounts
        .connections()
        .replace_token(&stored.id, "v1.k1.renewed", narrowed, vec![event("refreshed")], later)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stored.scopes, ["instagram_business_basic"]);
}

async fn a_renewal_of_an_older_token_changes_nothing(accounts: Accounts) {
    let now = now();
    let first = save(&accounts, accounts.new_connection("ann", "17841400000000001", now), now).await;
    let again = NewConnection {
        access_token: "v1.k1.reconnected".to_owned(),
        ..accounts.new_connection("ann", "17841400000000001", now)
    };
    let second = save(&accounts, again, now).await;
    let outcome = accounts
        .connections()
        .replace_token(&first.id, &first.access_token, renewed(now, None), vec![event("refreshed")], now)
        .await;
    assert_eq!(outcome.unwrap(), None, "the reconnect wins");
    assert_eq!(accounts.connections().current_connection("ann").await.unwrap(), Some(second));
    disconnect(&accounts, "ann", now).await;
    for (id, token) in [(first.id.as_str(), ""), (first.id.as_str(), "v1.k1.reconnected"), ("no id", "x")] {
        assert_eq!(
            accounts
                .connections()
                .replace_token(id, token, renewed(now, None), vec![event("refreshed")], now)
                .await
                .unwrap(),
            None
        );
    }
    assert_eq!(
        accounts.connections().current_connection("ann").await.unwrap(),
        None,
        "a renewal does not reconnect"
    );
}

async fn a_synced_profile_leaves_the_token_alone(accounts: Accounts) {
    let start = now();
    let first = save(&accounts, accounts.new_connection("ann", "17841400000000001", start), start).await;
    let later = start + seconds(60);
    let profile = Profile { username: "$renamed".to_owned(), followers_count: Some(7), ..Profile::default() };
    let stored = accounts
        .connections()
        .update_profile(
            &first.id,
            "ann",
            read(profile.clone(), "instagram_business_basic"),
            event("synced"),
            later,
        )
        .await
        .unwrap();
    let expected = Connection { profile, last_synced_at: later, ..first };
    assert_eq!(stored, Some(expected.clone()));
    assert_eq!(accounts.connections().current_connection("ann").await.unwrap(), Some(expected));
}

async fn a_sync_of_what_is_not_theirs_changes_nothing(accounts: Accounts) {
    let now = now();
    let first = save(&accounts, accounts.new_connection("ann", "17841400000000001", now), now).await;
    for (id, user_id) in [(first.id.as_str(), "bob"), ("no id", "ann")] {
        assert_eq!(
            accounts
                .connections()
                .update_profile(id, user_id, read(Profile::default(), "basic"), event("synced"), now)
                .await
                .unwrap(),
            None
        );
    }
    assert_eq!(accounts.connections().current_connection("ann").await.unwrap(), Some(first.clone()));
    disconnect(&accounts, "ann", now).await;
    assert_eq!(
        accounts
            .connections()
            .update_profile(&first.id, "ann", read(Profile::default(), "basic"), event("synced"), now)
            .await
            .unwrap(),
        None
    );
}

async fn a_refused_token_is_marked(accounts: Accounts) {
    let now = now();
    let saved = save(&accounts, accounts.new_connection("ann", "17841400000000001", now), now).await;
    let marked = accounts.connections().mark_needs_reauthorization(
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
    assert_eq!(accounts.connections().current_connection("ann").await.unwrap(), Some(expected));
}

async fn a_mark_is_made_once(accounts: Accounts) {
    let now = now();
    let saved = save(&accounts, accounts.new_connection("ann", "17841400000000001", now), now).await;
    for (second, error) in [(1, "first"), (2, "second")] {
        let (now, told) = (now + seconds(second), event("needs_reauthorization"));
        let marked = accounts
            .connections()
            .mark_needs_reauthorization(&saved.id, &saved.access_token, error, told, now)
            .await;
        assert_eq!(marked.unwrap(), error == "first");
    }
    let found = accounts.connections().current_connection("ann").await.unwrap().unwrap();
    assert_eq!(found.needs_reauthorization_since, Some(now + seconds(1)));
    assert_eq!(found.last_error.as_deref(), Some("first"));
}

async fn a_mark_for_an_older_token_changes_nothing(accounts: Accounts) {
    let now = now();
    let first = save(&accounts, accounts.new_connection("ann", "17841400000000001", now), now).await;
    let again = NewConnection {
        access_token: "v1.k1.newer".to_owned(),
        ..accounts.new_connection("ann", "17841400000000001", now)
    };
    let second = save(&accounts, again, now).await;
    assert!(
        !accounts
            .connections()
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
    assert_eq!(accounts.connections().current_connection("ann").await.unwrap(), Some(second));
}

async fn a_mark_for_nothing_is_false(accounts: Accounts) {
    let now = now();
    for id in ["507f1f77bcf86cd799439011", "", "not an id"] {
        assert!(
            !accounts
                .connections()
                .mark_needs_reauthorization(id, "token", "refused", event("needs_reauthorization"), now)
                .await
                .unwrap()
        );
    }
    let saved = save(&accounts, accounts.new_connection("ann", "17841400000000001", now), now).await;
    disconnect(&accounts, "ann", now).await;
    for token in ["", &saved.access_token] {
        assert!(
            !accounts
                .connections()
                .mark_needs_reauthorization(&saved.id, token, "refused", event("needs_reauthorization"), now)
                .await
                .unwrap()
        );
    }
}

async fn a_token_whose_end_is_the_end_of_time_has_not_ended(accounts: Accounts) {
    let now = now();
    let endless = NewConnection {
        token_expires_at: Timestamp::MAX,
        expires_at: Timestamp::MAX,
        ..accounts.new_connection("ann", "1", now)
    };
    assert!(save(&accounts, endless, now).await.token_expires_at > now);
    let found = accounts.connections().current_connection("ann").await.unwrap().unwrap();
    assert!(found.token_expires_at > now, "{}", found.token_expires_at);
}
