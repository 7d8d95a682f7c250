//! Histories.

use connection_store::{Connection, HISTORY_DETAIL, HISTORY_LIFE, HistoryPoint, HistoryRange, Profile};
use jiff::Timestamp;

use crate::accounts::read;
use crate::connections::save;
use crate::{Accounts, contract_of_accounts, disconnect, event, now, seconds};

contract_of_accounts! {
    saving_and_syncing_add_points,
    a_range_is_from_its_begin_to_before_its_end,
    after_90_days_the_first_of_a_day_is_left,
    after_five_years_nothing_is_left,
    a_range_may_reach_to_the_ends_of_time,
    a_history_does_not_pass_to_another_user,
    a_history_is_shown_to_the_present_owner_alone,
    reconnecting_keeps_the_history,
}

const ACCOUNT: &str = "17841400000000001";
const DAY: i64 = 86_400;

fn range(from: Timestamp, until: Timestamp, limit: u32) -> HistoryRange {
    HistoryRange { from, until, limit }
}

async fn sync(accounts: &Accounts, one: &Connection, followers: u64, now: Timestamp) {
    let profile = Profile {
        username: "ann".to_owned(),
        followers_count: Some(followers),
        media_count: Some(3),
        ..Profile::default()
    };
    let scope = "instagram_business_basic";
    let stored = accounts
        .connections()
        .update_profile(&one.id, &one.user_id, read(profile, scope), event("synced"), now)
        .await;
    assert!(stored.unwrap().is_some());
}

/// The followers of all points that the present owner sees.
async fn followers(accounts: &Accounts, id: &str, now: Timestamp) -> Vec<u64> {
    let owner = accounts.connections().connection(id).await.unwrap().map(|connection| connection.user_id);
    let owner = owner.as_deref().unwrap_or("ann");
    let whole = range(Timestamp::UNIX_EPOCH, now + seconds(1000 * DAY), 1000);
    let points = accounts.connections().history(id, owner, whole, now).await.unwrap();
    points.iter().filter_map(|point| point.followers_count).collect()
}

/// The begin of the present day.
fn midnight() -> Timestamp {
    let now = now().as_second();
    Timestamp::from_second(now - now % DAY).unwrap()
}

async fn saving_and_syncing_add_points(accounts: Accounts) {
    let start = midnight();
    let one = save(&accounts, accounts.new_connection("ann", ACCOUNT, start), start).await;
    sync(&accounts, &one, 7, start + seconds(60)).await;
    let points = accounts
        .connections()
        .history(&one.id, "ann", range(start, start + seconds(61), 10), start)
        .await
        .unwrap();
    let expected = [
        HistoryPoint {
            at: start,
            followers_count: Some(15_420),
            follows_count: one.profile.follows_count,
            media_count: one.profile.media_count,
        },
        HistoryPoint {
            at: start + seconds(60),
            followers_count: Some(7),
            follows_count: None,
            media_count: Some(3),
        },
    ];
    assert_eq!(points, expected);
    assert_eq!(followers(&accounts, "no id", start).await, [0; 0]);
}

async fn a_range_is_from_its_begin_to_before_its_end(accounts: Accounts) {
    let start = midnight();
    let one = save(&accounts, accounts.new_connection("ann", ACCOUNT, start), start).await;
    for number in 1..=5 {
        sync(&accounts, &one, number, start + seconds(number.cast_signed() * 60)).await;
    }
    let some = async |from: i64, until: i64, limit| {
        let range = range(start + seconds(from), start + seconds(until), limit);
        let points = accounts.connections().history(&one.id, "ann", range, start).await.unwrap();
        points.iter().filter_map(|point| point.followers_count).collect::<Vec<_>>()
    };
    assert_eq!(some(120, 240, 10).await, [2, 3]);
    assert_eq!(some(120, 1000, 2).await, [2, 3]);
    assert_eq!(some(301, 1000, 2).await, [0; 0]);
    assert_eq!(some(0, 1000, 0).await, [0; 0]);
}

async fn after_90_days_the_first_of_a_day_is_left(accounts: Accounts) {
    let start = midnight();
    let one = save(&accounts, accounts.new_connection("ann", ACCOUNT, start), start).await;
    let points = [(1, 0), (2, DAY / 2), (3, DAY - 1), (4, DAY + 5), (5, DAY + 6), (6, 2 * DAY)];
    for (followers, after) in points {
        sync(&accounts, &one, followers, start + seconds(after)).await;
    }
    let first = 15_420;
    // Two reads of one millisecond are one point.
    let all = followers(&accounts, &one.id, start + HISTORY_DETAIL).await;
    assert_eq!(all, [first, 2, 3, 4, 5, 6]);
    let noon = start + HISTORY_DETAIL + seconds(DAY / 2);
    assert_eq!(followers(&accounts, &one.id, noon).await, [first, 3, 4, 5, 6]);
    let later = start + HISTORY_DETAIL + seconds(DAY);
    assert_eq!(followers(&accounts, &one.id, later).await, [first, 4, 5, 6]);
    let late = later + seconds(400 * DAY);
    assert_eq!(followers(&accounts, &one.id, late).await, [first, 4, 6]);
    // Thinned at the write that removes rows, too.
    sync(&accounts, &one, 7, late).await;
    assert_eq!(followers(&accounts, &one.id, late).await, [first, 4, 6, 7]);
}

async fn after_five_years_nothing_is_left(accounts: Accounts) {
    let start = midnight();
    let one = save(&accounts, accounts.new_connection("ann", ACCOUNT, start), start).await;
    sync(&accounts, &one, 7, start + seconds(DAY)).await;
    let end = start + HISTORY_LIFE;
    assert_eq!(followers(&accounts, &one.id, end - seconds(1)).await, [15_420, 7]);
    assert_eq!(followers(&accounts, &one.id, end).await, [7]);
    assert_eq!(followers(&accounts, &one.id, end + seconds(DAY)).await, [0; 0]);
}

async fn a_range_may_reach_to_the_ends_of_time(accounts: Accounts) {
    let start = midnight();
    let one = save(&accounts, accounts.new_connection("ann", ACCOUNT, start), start).await;
    let points = async |from, until| {
        accounts.connections().history(&one.id, "ann", range(from, until, 5), start).await.unwrap().len()
    };
    assert_eq!(points(Timestamp::MIN, Timestamp::MAX).await, 1);
    assert_eq!(points(Timestamp::MAX, Timestamp::MAX).await, 0);
    assert_eq!(points(Timestamp::MAX, Timestamp::MIN).await, 0);
}

async fn a_history_does_not_pass_to_another_user(accounts: Accounts) {
    let start = midnight();
    let one = save(&accounts, accounts.new_connection("ann", ACCOUNT, start), start).await;
    sync(&accounts, &one, 1, start + seconds(60)).await;
    disconnect(&accounts, "ann", start + seconds(70)).await;
    let later = start + seconds(80);
    let bobs = save(&accounts, accounts.new_connection("bob", ACCOUNT, later), later).await;
    assert_eq!(bobs.id, one.id);
    assert_eq!(followers(&accounts, &bobs.id, later).await, [15_420]);
    // And is the first of its day.
    assert_eq!(followers(&accounts, &bobs.id, later + seconds(400 * DAY)).await, [15_420]);
}

async fn a_history_is_shown_to_the_present_owner_alone(accounts: Accounts) {
    let start = midnight();
    let one = save(&accounts, accounts.new_connection("ann", ACCOUNT, start), start).await;
    let seen = async |user: &str| {
        let whole = range(Timestamp::UNIX_EPOCH, start + seconds(DAY), 9);
        accounts.connections().history(&one.id, user, whole, start).await.unwrap().len()
    };
    assert_eq!((seen("ann").await, seen("bob").await, seen("").await), (1, 0, 0));
    disconnect(&accounts, "ann", start + seconds(1)).await;
    assert_eq!((seen("ann").await, seen("bob").await), (1, 0));
    save(&accounts, accounts.new_connection("bob", ACCOUNT, start), start + seconds(2)).await;
    assert_eq!((seen("ann").await, seen("bob").await), (0, 1));
}

async fn reconnecting_keeps_the_history(accounts: Accounts) {
    let start = midnight();
    let one = save(&accounts, accounts.new_connection("ann", ACCOUNT, start), start).await;
    sync(&accounts, &one, 1, start + seconds(60)).await;
    disconnect(&accounts, "ann", start + seconds(70)).await;
    save(&accounts, accounts.new_connection("ann", ACCOUNT, start), start + seconds(80)).await;
    assert_eq!(followers(&accounts, &one.id, start).await, [15_420, 1, 15_420]);
}
