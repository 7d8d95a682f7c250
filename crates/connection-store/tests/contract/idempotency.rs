//! Answers that are given again when a client repeats a request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use connection_store::{NewRequest, Repetition, SealedAnswer, Store};
use futures_util::future::join_all;
use jiff::Timestamp;

use crate::{contract, hash, now, seconds};

contract! {
    a_request_is_carried_out_once_and_answered_again,
    another_request_under_a_name_is_different,
    a_claim_without_an_answer_ends_with_its_lease,
    another_request_does_not_take_over_a_claim,
    an_answer_outlives_the_lease_and_is_forgotten_in_the_end,
    the_first_answer_stays,
    a_forgotten_claim_may_be_tried_again,
    a_claim_is_forgotten_by_its_own_name_alone,
    an_answer_is_not_forgotten_with_its_claim,
    an_answer_to_nothing_is_not_kept,
    of_50_requests_at_once_one_is_the_first,
    of_50_requests_after_a_lease_one_takes_over,
    forgotten_requests_do_not_get_in_the_way,
    answers_are_found_by_their_key_and_sealed_anew,
    what_is_kept_goes_with_its_user,
}

/// Asks with a lease of a minute, to be forgotten after an hour.
async fn begin(store: &Arc<dyn Store>, name: u32, request: u32, now: Timestamp) -> Repetition {
    begin_for("ann", store, name, request, now).await
}

async fn begin_for(
    owner: &str,
    store: &Arc<dyn Store>,
    name: u32,
    request: u32,
    now: Timestamp,
) -> Repetition {
    store.begin_request(new_request(owner, name, request, now), now).await.unwrap()
}

/// Begins a request that nobody is at, and returns the claim's name.
async fn claim(store: &Arc<dyn Store>, name: u32, request: u32, now: Timestamp) -> String {
    let request = new_request("ann", name, request, now);
    let claim = request.claim.clone();
    assert_eq!(store.begin_request(request, now).await.unwrap(), Repetition::First);
    claim
}

fn new_request(owner: &str, name: u32, request: u32, now: Timestamp) -> NewRequest {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NewRequest {
        name: hash(name),
        claim: format!("claim-{}", NEXT.fetch_add(1, Ordering::Relaxed)),
        request_hash: hash(request),
        owner: owner.to_owned(),
        lease_until: now + seconds(60),
        expires_at: now + seconds(3600),
    }
}

fn answered(status: u16, sealed_body: &str) -> Repetition {
    Repetition::Answered { status, sealed_body: sealed_body.to_owned() }
}

async fn a_request_is_carried_out_once_and_answered_again(store: Arc<dyn Store>) {
    let now = now();
    assert_eq!(begin(&store, 1, 10, now).await, Repetition::First);
    assert_eq!(begin(&store, 1, 10, now + seconds(1)).await, Repetition::Running);
    store.answer_request(&hash(1), 201, "v1.k1.$sealed 'body'").await.unwrap();
    for after in [1, 2] {
        assert_eq!(begin(&store, 1, 10, now + seconds(after)).await, answered(201, "v1.k1.$sealed 'body'"));
    }
    assert_eq!(begin(&store, 2, 10, now).await, Repetition::First, "another name is another request");
}

async fn another_request_under_a_name_is_different(store: Arc<dyn Store>) {
    let now = now();
    begin(&store, 1, 10, now).await;
    assert_eq!(begin(&store, 1, 11, now).await, Repetition::Different);
    store.answer_request(&hash(1), 201, "sealed").await.unwrap();
    assert_eq!(begin(&store, 1, 11, now).await, Repetition::Different);
    assert_eq!(begin(&store, 1, 10, now).await, answered(201, "sealed"));
}

async fn a_claim_without_an_answer_ends_with_its_lease(store: Arc<dyn Store>) {
    let now = now();
    begin(&store, 1, 10, now).await;
    assert_eq!(begin(&store, 1, 10, now + seconds(59)).await, Repetition::Running);
    let over = now + seconds(60);
    assert_eq!(begin(&store, 1, 10, over).await, Repetition::First);
    // The one that took over has a lease and an end of its own.
    assert_eq!(begin(&store, 1, 10, over + seconds(59)).await, Repetition::Running);
    store.answer_request(&hash(1), 200, "sealed").await.unwrap();
    assert_eq!(begin(&store, 1, 10, over + seconds(3599)).await, answered(200, "sealed"));
}

async fn another_request_does_not_take_over_a_claim(store: Arc<dyn Store>) {
    let now = now();
    begin(&store, 1, 10, now).await;
    assert_eq!(begin(&store, 1, 11, now + seconds(61)).await, Repetition::Different);
    // Whoever carried the first one out was only slow.
    store.answer_request(&hash(1), 201, "sealed").await.unwrap();
    assert_eq!(begin(&store, 1, 10, now + seconds(62)).await, answered(201, "sealed"));
}

async fn an_answer_outlives_the_lease_and_is_forgotten_in_the_end(store: Arc<dyn Store>) {
    let now = now();
    begin(&store, 1, 10, now).await;
    store.answer_request(&hash(1), 422, "sealed").await.unwrap();
    assert_eq!(begin(&store, 1, 10, now + seconds(3599)).await, answered(422, "sealed"));
    let over = now + seconds(3600);
    assert_eq!(begin(&store, 1, 11, over).await, Repetition::First, "the name is free, for any request");
    assert_eq!(begin(&store, 1, 11, over).await, Repetition::Running, "the old answer is gone");
    assert_eq!(begin(&store, 1, 10, over).await, Repetition::Different);
}

async fn the_first_answer_stays(store: Arc<dyn Store>) {
    let now = now();
    begin(&store, 1, 10, now).await;
    begin(&store, 1, 10, now + seconds(60)).await;
    store.answer_request(&hash(1), 201, "first").await.unwrap();
    store.answer_request(&hash(1), 409, "second").await.unwrap();
    assert_eq!(begin(&store, 1, 10, now + seconds(61)).await, answered(201, "first"));
}

async fn a_forgotten_claim_may_be_tried_again(store: Arc<dyn Store>) {
    let now = now();
    let first = claim(&store, 1, 10, now).await;
    begin(&store, 2, 10, now).await;
    store.forget_request(&hash(1), &first).await.unwrap();
    store.forget_request(&hash(1), &first).await.unwrap();
    assert_eq!(begin(&store, 2, 10, now).await, Repetition::Running);
    assert_eq!(begin(&store, 1, 11, now).await, Repetition::First);
}

async fn a_claim_is_forgotten_by_its_own_name_alone(store: Arc<dyn Store>) {
    let now = now();
    let over = now + seconds(60);
    let first = claim(&store, 1, 10, now).await;
    let second = claim(&store, 1, 10, over).await;
    store.forget_request(&hash(1), &first).await.unwrap();
    assert_eq!(begin(&store, 1, 10, over).await, Repetition::Running, "the second carries it out");
    store.forget_request(&hash(1), &second).await.unwrap();
    claim(&store, 1, 11, over).await;
    store.forget_request(&hash(1), &second).await.unwrap();
    assert_eq!(begin(&store, 1, 11, over).await, Repetition::Running, "it came twice, the second time late");
}

async fn an_answer_is_not_forgotten_with_its_claim(store: Arc<dyn Store>) {
    let now = now();
    let claim = claim(&store, 1, 10, now).await;
    store.answer_request(&hash(1), 201, "sealed").await.unwrap();
    store.forget_request(&hash(1), &claim).await.unwrap();
    assert_eq!(begin(&store, 1, 10, now).await, answered(201, "sealed"));
}

async fn an_answer_to_nothing_is_not_kept(store: Arc<dyn Store>) {
    store.answer_request(&hash(1), 201, "sealed").await.unwrap();
    assert_eq!(begin(&store, 1, 10, now()).await, Repetition::First);
}

async fn of_50_requests_at_once_one_is_the_first(store: Arc<dyn Store>) {
    for round in 0..5 {
        assert_one_is_first(&store, round, now()).await;
    }
}

async fn of_50_requests_after_a_lease_one_takes_over(store: Arc<dyn Store>) {
    for round in 0..5 {
        let now = now();
        begin(&store, round, 10, now - seconds(60)).await;
        assert_one_is_first(&store, round, now).await;
    }
}

async fn assert_one_is_first(store: &Arc<dyn Store>, name: u32, now: Timestamp) {
    let tasks = (0..50).map(|_| {
        let store = Arc::clone(store);
        tokio::spawn(async move { begin(&store, name, 10, now).await })
    });
    let outcomes: Vec<_> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
    let count = |wanted: Repetition| outcomes.iter().filter(|outcome| **outcome == wanted).count();
    assert_eq!((count(Repetition::First), count(Repetition::Running)), (1, 49), "name {name}");
}

async fn forgotten_requests_do_not_get_in_the_way(store: Arc<dyn Store>) {
    let now = now();
    for name in 0..30 {
        begin(&store, name, 10, now).await;
        store.answer_request(&hash(name), 201, "sealed").await.unwrap();
    }
    let later = now + seconds(3600);
    for name in 0..35 {
        assert_eq!(begin(&store, name, 11, later).await, Repetition::First, "{name}");
    }
}

async fn answers_are_found_by_their_key_and_sealed_anew(store: Arc<dyn Store>) {
    let now = now();
    let mut old = Vec::new();
    for name in 1..=4 {
        // The last one ends later than the others, so that a name which is taken anew is not forgotten together with it.
        begin(&store, name, 10, now + seconds(i64::from(name) / 4)).await;
        let sealed_body = format!("v1.{}.{name}", if name == 4 { "k2" } else { "k1" });
        store.answer_request(&hash(name), 201, &sealed_body).await.unwrap();
        old.push(SealedAnswer { name: hash(name), sealed_body });
    }
    begin(&store, 5, 10, now).await;
    old.truncate(3);
    old.sort_by_key(|answer| answer.name);
    let found = async |after| store.answers_sealed_with("k1", after, 2).await.unwrap();
    assert_eq!(found(None).await, old[..2]);
    assert_eq!(found(Some(&old[1].name)).await, old[2..]);

    assert!(store.reencrypt_answer(&old[0], "v1.k2.anew").await.unwrap());
    assert!(!store.reencrypt_answer(&old[0], "v1.k2.again").await.unwrap(), "it is another text now");
    assert_eq!(found(None).await, old[1..]);
    assert_eq!(store.answers_sealed_with("k2", None, 5).await.unwrap().len(), 2);
    let first = (1..=3).find(|&name| hash(name) == old[0].name).unwrap();
    assert_eq!(begin(&store, first, 10, now).await, answered(201, "v1.k2.anew"));
    // A name that is taken anew has no answer.
    assert_eq!(begin(&store, first, 11, now + seconds(3600)).await, Repetition::First);
    let left = store.answers_sealed_with("k2", None, 5).await.unwrap();
    assert_eq!(left.len(), 1, "{left:?}");
    assert_ne!(left[0].name, hash(first));
}

async fn what_is_kept_goes_with_its_user(store: Arc<dyn Store>) {
    let now = now();
    for (name, owner) in [(1, "ann"), (2, "bob")] {
        assert_eq!(begin_for(owner, &store, name, 10, now).await, Repetition::First);
        store.answer_request(&hash(name), 201, "v1.k1.sealed").await.unwrap();
    }
    store.delete_user("ann").await.unwrap();
    let left = store.answers_sealed_with("k1", None, 5).await.unwrap();
    assert_eq!(left.iter().map(|answer| answer.name).collect::<Vec<_>>(), [hash(2)]);
    assert_eq!(begin_for("ann", &store, 1, 10, now).await, Repetition::First);
}
