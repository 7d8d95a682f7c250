//! Requests to delete what is stored about somebody.

use connection_store::{Deletion, DeletionOf, HistoryRange, NewDeletion, NewEvent, Profile};
use jiff::Timestamp;

use crate::accounts::read;
use crate::connections::save;
use crate::{Accounts, contract_of_accounts, event, now, seconds};

contract_of_accounts! {
    a_request_begins_once,
    an_unfinished_request_is_found_until_it_is_completed,
    a_request_is_about_an_account_or_a_user,
    nothing_remains_of_an_erased_connection_but_word_of_it,
    what_was_connected_later_is_not_erased,
    an_erased_account_can_be_connected_anew,
    [once]
    a_sync_at_the_same_time_leaves_nothing,
}

const ACCOUNT: &str = "17841400000000001";

fn request(accounts: &Accounts, code: &str, now: Timestamp) -> NewDeletion {
    NewDeletion {
        code: code.to_owned(),
        of: DeletionOf::Account(accounts.provider, ACCOUNT.to_owned()),
        connected_by: now - seconds(5),
        connections: Some(2),
    }
}

fn told(kind: &str) -> NewEvent {
    NewEvent { notify: vec!["a".to_owned()], ..event(kind) }
}

async fn a_request_begins_once(accounts: Accounts) {
    let now = now();
    assert_eq!(accounts.store.deletion("c1").await.unwrap(), None);
    assert!(accounts.store.begin_deletion(request(&accounts, "c1", now), now).await.unwrap());
    assert!(!accounts.store.begin_deletion(request(&accounts, "c1", now), now + seconds(9)).await.unwrap());
    let found = accounts.store.deletion("c1").await.unwrap();
    assert_eq!(found, Some(Deletion { requested_at: now, completed_at: None, connections: Some(2) }));
    accounts.store.complete_deletion("c1", now + seconds(10)).await.unwrap();
    assert!(!accounts.store.begin_deletion(request(&accounts, "c1", now), now + seconds(20)).await.unwrap());
    accounts.store.complete_deletion("c1", now + seconds(30)).await.unwrap();
    let found = accounts.store.deletion("c1").await.unwrap();
    let completed_at = Some(now + seconds(10));
    assert_eq!(found, Some(Deletion { requested_at: now, completed_at, connections: Some(2) }));
    let earlier = NewDeletion { connections: None, ..request(&accounts, "c2", now) };
    assert!(accounts.store.begin_deletion(earlier, now).await.unwrap());
    assert_eq!(accounts.store.deletion("c2").await.unwrap().unwrap().connections, None);
}

async fn an_unfinished_request_is_found_until_it_is_completed(accounts: Accounts) {
    let now = now();
    for (code, age) in [("c1", 60), ("c2", 90), ("c3", 10)] {
        accounts.store.begin_deletion(request(&accounts, code, now), now - seconds(age)).await.unwrap();
    }
    let unfinished =
        async |limit| accounts.store.unfinished_deletions(seconds(60), limit, now).await.unwrap();
    assert_eq!(unfinished(5).await, [request(&accounts, "c2", now), request(&accounts, "c1", now)]);
    assert_eq!(unfinished(1).await, [request(&accounts, "c2", now)]);
    accounts.store.complete_deletion("c2", now).await.unwrap();
    assert_eq!(unfinished(5).await, [request(&accounts, "c1", now)]);
}

async fn a_request_is_about_an_account_or_a_user(accounts: Accounts) {
    let now = now();
    // Letter for letter the account's id.
    let of_user = NewDeletion { of: DeletionOf::User(ACCOUNT.to_owned()), ..request(&accounts, "c1", now) };
    accounts.store.begin_deletion(of_user.clone(), now - seconds(2)).await.unwrap();
    accounts.store.begin_deletion(request(&accounts, "c2", now), now - seconds(1)).await.unwrap();
    let unfinished = async || accounts.store.unfinished_deletions(seconds(0), 5, now).await.unwrap();
    assert_eq!(unfinished().await, [of_user, request(&accounts, "c2", now)]);
    accounts.store.complete_deletion("c1", now).await.unwrap();
    assert_eq!(unfinished().await, [request(&accounts, "c2", now)]);
}

async fn nothing_remains_of_an_erased_connection_but_word_of_it(accounts: Accounts) {
    let now = now();
    accounts
        .connections()
        .save_connection(accounts.new_connection("ann", ACCOUNT, now), told("created"), now)
        .await
        .unwrap();
    let one = accounts.connections().current_connection("ann").await.unwrap().unwrap();
    let other = save(&accounts, accounts.new_connection("bob", "17841400000000002", now), now).await;
    let deleted = told("deleted");
    let later = now + seconds(5);
    assert!(accounts.connections().erase_connection(&one.id, now, deleted.clone(), later).await.unwrap());
    assert_eq!(accounts.connections().connection(&one.id).await.unwrap(), None);
    assert_eq!(accounts.connections().connections_of_account(ACCOUNT).await.unwrap(), []);
    assert_eq!(accounts.events(&one.id, "ann", None, 10, later).await.unwrap(), []);
    let whole = HistoryRange { from: Timestamp::UNIX_EPOCH, until: later, limit: 10 };
    assert_eq!(accounts.connections().history(&one.id, "ann", whole, later).await.unwrap(), []);
    let deliveries = accounts.store.claim_deliveries(later + seconds(60), 10, later).await.unwrap();
    let deliveries: Vec<_> =
        deliveries.iter().map(|delivery| (&*delivery.event_id, &*delivery.user_id)).collect();
    assert_eq!(deliveries, [(&*deleted.id, "ann")]);
    assert!(
        !accounts.connections().erase_connection(&one.id, now, deleted, later).await.unwrap(),
        "it is gone"
    );
    assert!(!accounts.connections().erase_connection("no id", now, told("deleted"), later).await.unwrap());
    assert_eq!(accounts.connections().connection(&other.id).await.unwrap(), Some(other.clone()));
    assert_eq!(
        accounts.connections().history(&other.id, &other.user_id, whole, later).await.unwrap().len(),
        1
    );
}

async fn what_was_connected_later_is_not_erased(accounts: Accounts) {
    let now = now();
    let one = save(&accounts, accounts.new_connection("ann", ACCOUNT, now), now).await;
    let early = now - seconds(1);
    assert!(!accounts.connections().erase_connection(&one.id, early, told("deleted"), now).await.unwrap());
    assert_eq!(accounts.connections().connection(&one.id).await.unwrap(), Some(one));
    assert_eq!(accounts.store.claim_deliveries(now, 10, now).await.unwrap(), []);
}

async fn an_erased_account_can_be_connected_anew(accounts: Accounts) {
    let now = now();
    let one = save(&accounts, accounts.new_connection("ann", ACCOUNT, now), now).await;
    accounts.connections().erase_connection(&one.id, now, told("deleted"), now).await.unwrap();
    let again = save(&accounts, accounts.new_connection("ann", ACCOUNT, now), now + seconds(1)).await;
    assert_ne!(again.id, one.id);
    assert_eq!(accounts.events(&again.id, "ann", None, 10, now).await.unwrap().len(), 1);
}

async fn a_sync_at_the_same_time_leaves_nothing(accounts: Accounts) {
    for round in 0..20 {
        let now = now();
        let one = save(&accounts, accounts.new_connection("ann", ACCOUNT, now), now).await;
        let syncs = (0..4).map(|after| {
            let (accounts, id) = (accounts.clone(), one.id.clone());
            tokio::spawn(async move {
                let (profile, scope) = (Profile::default(), "instagram_business_basic");
                let then = now + seconds(after);
                accounts
                    .connections()
                    .update_profile(&id, "ann", read(profile, scope), told("synced"), then)
                    .await
                    .unwrap()
            })
        });
        let syncs: Vec<_> = syncs.collect();
        let deleted = told("deleted");
        assert!(accounts.connections().erase_connection(&one.id, now, deleted.clone(), now).await.unwrap());
        for sync in syncs {
            sync.await.unwrap();
        }
        assert_eq!(accounts.connections().connection(&one.id).await.unwrap(), None);
        assert_eq!(accounts.events(&one.id, "ann", None, 10, now).await.unwrap(), [], "round {round}");
        let whole = HistoryRange { from: Timestamp::UNIX_EPOCH, until: now + seconds(60), limit: 10 };
        assert_eq!(
            accounts.connections().history(&one.id, "ann", whole, now).await.unwrap(),
            [],
            "round {round}"
        );
        let then = now + seconds(60);
        for delivery in accounts.store.claim_deliveries(then, 100, then).await.unwrap() {
            assert_eq!(delivery.event_id, deleted.id, "round {round}");
            accounts.store.finish_delivery(&delivery.event_id, &delivery.receiver).await.unwrap();
        }
    }
}
