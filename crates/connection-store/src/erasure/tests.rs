//! Nothing that names somebody is forgotten: not when a table or a collection is added, and not when it is erased.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use futures_util::TryStreamExt;
use mongodb::Database;
use mongodb::bson::{Bson, Document, doc};
use rusqlite::types::Value;
use shared::Provider;

use super::{DELIVERIES, OF_USER, Owned, SHOWN};
use crate::mongodb::MongoStore;
use crate::sqlite::SqliteStore;
use crate::test_support::{MongoServer, now, seconds};
use crate::{
    DeletionOf, ExpectedAccount, HostLink, NewApiKey, NewConnection, NewDeletion, NewEvent, NewOAuthState,
    NewRequest, NewSession, NewUser, Profile, Store, User,
};

const USER: &str = "usr_somebody";
const EMAIL: &str = "somebody@example.org";
const ACCOUNT: &str = "17841400000000077";
const OTHER_ID: &str = "24578900000000077";

/// Columns and fields that name somebody end like this, in whichever case.
const NAMES: [&str; 5] = ["userid", "accountid", "connectionid", "owner", "email"];

/// Tables and collections that name somebody and are not on the list, each with the reason.
const EXCEPTIONS: [(&str, &str); 5] = [
    ("users", "the account itself: it goes after all that is on the list"),
    ("instagram_connections", "each is erased by itself, with what is on the list, and receivers are told"),
    ("spotify_connections", "as Instagram's"),
    ("deletions", "a request forgets its subject when it is completed"),
    ("pauses", "the id of a connection, which names nothing once that is erased"),
];

/// The content of a table or a collection.
#[derive(Default)]
struct Place {
    columns: BTreeSet<String>,
    values: Vec<String>,
}

type Places = BTreeMap<String, Place>;

impl Place {
    fn names_somebody(&self) -> bool {
        let names = |column: &String| {
            let column = column.replace('_', "").to_lowercase();
            NAMES.iter().any(|name| column.ends_with(name))
        };
        self.columns.iter().any(names)
    }

    fn says(&self, id: &str) -> bool {
        self.values.iter().any(|value| value.contains(id))
    }
}

fn list() -> impl Iterator<Item = &'static Owned> {
    OF_USER.iter().chain(&SHOWN).chain(&DELIVERIES)
}

fn event(id: &str) -> NewEvent {
    NewEvent {
        id: id.to_owned(),
        kind: "connected".to_owned(),
        succeeded: true,
        message: "It was.".to_owned(),
        expires_at: None,
        notify: vec!["https://host.example/hook".to_owned()],
    }
}

/// Puts something into every table and collection. Returns the connections' ids.
async fn furnish(store: &Arc<dyn Store>) -> [String; 2] {
    let (now, later, hash) = (now(), now() + seconds(600), [7; 32]);
    let user = User { id: USER.to_owned(), email: EMAIL.to_owned(), name: None, created_at: now };
    let password_hash = "$argon2id$hash".to_owned().into();
    store.create_user(NewUser { user, email_key: EMAIL.to_owned(), password_hash }).await.unwrap();
    let session = NewSession {
        token_hash: hash,
        id: "ses_1".to_owned(),
        user_id: USER.to_owned(),
        name: None,
        user_agent: None,
        created_at: now,
        expires_at: later,
        password_hash: None,
        host_link: None,
    };
    assert!(store.create_session(session).await.unwrap());
    let key = NewApiKey {
        id: "key_1".to_owned(),
        key_hash: hash,
        user_id: Some(USER.to_owned()),
        name: "Key".to_owned(),
        scopes: Vec::new(),
        hint: "igc_live_".to_owned(),
        created_at: now,
        expires_at: None,
        password_hash: None,
        session: None,
    };
    store.create_api_key(key, None).await.unwrap();
    let state = NewOAuthState {
        state_hash: hash,
        provider: Provider::Instagram,
        user_id: USER.to_owned(),
        return_to: None,
        expected_account: Some(ExpectedAccount {
            provider_account_id: ACCOUNT.to_owned(),
            username: "somebody".to_owned(),
        }),
        sealed_verifier: None,
        created_at: now,
        expires_at: later,
    };
    store.insert_state(state).await.unwrap();
    let link = HostLink {
        token_hash: hash,
        user_id: USER.to_owned(),
        name: None,
        return_to: None,
        created_at: now,
        expires_at: later,
    };
    store.insert_host_link(link).await.unwrap();
    let request = NewRequest {
        name: hash,
        claim: "claim".to_owned(),
        request_hash: hash,
        owner: USER.to_owned(),
        lease_until: later,
        expires_at: later,
    };
    store.begin_request(request, now).await.unwrap();
    for provider in Provider::ALL {
        let new = NewConnection {
            user_id: USER.to_owned(),
            provider_account_id: ACCOUNT.to_owned(),
            other_account_id: Some(OTHER_ID.to_owned()),
            access_token: "v1.k1.sealed".to_owned(),
            refresh_token: None,
            token_issued_at: now,
            token_expires_at: later,
            expires_at: later,
            refresh_at: later,
            profile: Profile { followers_count: Some(5), ..Profile::default() },
            scopes: Vec::new(),
        };
        let connected = event(&format!("evt_{}", provider.as_str()));
        store.connections(provider).save_connection(new, connected, now).await.unwrap();
    }
    let current =
        async |provider| store.connections(provider).current_connection(USER).await.unwrap().unwrap().id;
    let connections = [current(Provider::Instagram).await, current(Provider::Spotify).await];
    store.pause(&format!("instagram {}", connections[0]), later).await.unwrap();
    for (code, of) in [
        ("user", DeletionOf::User(USER.into())),
        ("account", DeletionOf::Account(Provider::Instagram, ACCOUNT.into())),
    ] {
        let deletion = NewDeletion { code: code.to_owned(), of, connected_by: now, connections: None };
        store.begin_deletion(deletion, now).await.unwrap();
    }
    store.count_try("the hash of an address", seconds(600), now).await.unwrap();
    store.use_handle("handle", later).await.unwrap();
    connections
}

/// Furnishes a store. Fails for a place that names somebody and is not on the list, and for one that still does when
/// all is erased.
async fn assert_all_is_listed(store: Arc<dyn Store>, read: impl AsyncFn() -> Places) {
    let connections = furnish(&store).await;
    let ids = [USER, EMAIL, ACCOUNT, OTHER_ID, &connections[0], &connections[1]];
    let places = read().await;
    for owned in list() {
        let place = places.get(owned.kept_in).unwrap_or_else(|| panic!("there is no {}", owned.kept_in));
        let names = [owned.column, owned.field];
        assert!(names.iter().any(|name| place.columns.contains(*name)), "{names:?} of {}", owned.kept_in);
    }
    for (name, place) in &places {
        assert!(!place.values.is_empty(), "put something into {name} here, so that it is seen whom it names");
        let is_known =
            list().any(|owned| owned.kept_in == name) || EXCEPTIONS.iter().any(|(of, _)| of == name);
        let names_somebody = place.names_somebody() || ids.iter().any(|id| place.says(id));
        assert!(is_known || !names_somebody, "{name} names somebody: put it on the list of what is erased");
    }

    for (provider, id) in Provider::ALL.into_iter().zip(&connections) {
        let told = NewEvent { notify: Vec::new(), ..event("evt_erased") };
        assert!(store.connections(provider).erase_connection(id, now(), told, now()).await.unwrap());
    }
    assert!(store.delete_user(USER).await.unwrap());
    for code in ["user", "account"] {
        store.complete_deletion(code, now()).await.unwrap();
    }
    for (name, place) in read().await {
        let left: Vec<_> = ids.iter().filter(|id| place.says(id)).collect();
        assert!(left.is_empty() || name == "pauses", "{left:?} in {name}");
    }
}

fn tables(path: &Path) -> Places {
    let database = rusqlite::Connection::open(path).unwrap();
    let mut names = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").unwrap();
    let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let read = |name: String| {
        let mut all = database.prepare(&format!("SELECT * FROM {name}")).unwrap();
        let columns: BTreeSet<String> = all.column_names().map(str::to_owned).collect();
        let (mut rows, mut values) = (all.query([]).unwrap(), Vec::new());
        while let Some(row) = rows.next().unwrap() {
            values
                .extend((0..columns.len()).map(|place| format!("{:?}", row.get::<_, Value>(place).unwrap())));
        }
        (name, Place { columns, values })
    };
    names.into_iter().map(read).collect()
}

async fn collections(database: &Database) -> Places {
    let mut places = Places::new();
    for name in database.list_collection_names().await.unwrap() {
        let place = places.entry(name.clone()).or_default();
        let documents = database.collection::<Document>(&name).find(doc! {}).await.unwrap();
        for document in documents.try_collect::<Vec<_>>().await.unwrap() {
            place.values.push(document.to_string());
            add_fields(&mut place.columns, &document.into());
        }
    }
    places
}

fn add_fields(fields: &mut BTreeSet<String>, value: &Bson) {
    match value {
        Bson::Document(document) => {
            for (name, value) in document {
                fields.insert(name.clone());
                add_fields(fields, value);
            }
        }
        Bson::Array(values) => values.iter().for_each(|value| add_fields(fields, value)),
        _ => {}
    }
}

#[tokio::test]
async fn each_table_that_names_somebody_is_on_the_list() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let store = Arc::new(SqliteStore::open(&path).await.unwrap());
    assert_all_is_listed(store, async || tables(&path)).await;
}

#[tokio::test]
async fn each_collection_that_names_somebody_is_on_the_list() {
    let server = MongoServer::shared();
    let store = Arc::new(MongoStore::connect(&server.fresh_database_url()).await.unwrap());
    let database = store.database.clone();
    assert_all_is_listed(store, async || collections(&database).await).await;
}
