//! Faults between the driver and the server: what a replica set does in bad moments, and a single server never does.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use mongodb::Database;
use mongodb::bson::{Document, doc};

use super::MongoServer;
use crate::mongodb::MongoStore;

/// The opcode of every message but those of the first handshake.
const OP_MSG: u32 = 2013;

/// Bytes before the content of a message: length, id, id of the message that it answers, opcode.
const HEADER: usize = 16;

/// Bytes between the header and the first document: flags, and the kind of the section.
const PREFIX: usize = 5;

/// Fault that happens to one command.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It is carried out, and the answer says that no majority had it in time.
    Unconfirmed,
    /// It is carried out, and the connection breaks before the answer.
    CutOff,
    /// It is not carried out, and this is the answer.
    Answer(Document),
    /// It is carried out so much later.
    Late(Duration),
}

/// The next faults, by command and collection.
type Faults = Arc<Mutex<Vec<(String, String, Fault)>>>;

/// A server behind a wire with faults, a store that reaches it through the wire, and its database as it is.
pub struct Wired {
    /// The store.
    pub store: MongoStore,
    /// Its database, reached without the wire.
    pub database: Database,
    /// The URL through the wire.
    pub url: String,
    faults: Faults,
    _server: MongoServer,
}

impl Fault {
    /// The server is no longer the primary, as at the beginning of an election.
    pub fn step_down() -> Self {
        Self::Answer(doc! {
            "ok": 0.0, "code": 10107, "codeName": "NotWritablePrimary", "errmsg": "not primary",
        })
    }
}

impl Wired {
    /// Starts a server of its own, and connects a store to it.
    ///
    /// # Panics
    /// When one of them cannot be started.
    pub async fn new() -> Self {
        let server = MongoServer::start_own();
        let direct = server.fresh_database_url();
        let (host, _) = direct.trim_start_matches("mongodb://").split_once('/').unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = direct.replace(host, &listener.local_addr().unwrap().to_string());
        let faults = Faults::default();
        let (target, of_connections) = (host.to_owned(), Arc::clone(&faults));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(&target) else { continue };
                join(client, server, &of_connections);
            }
        });
        let database = mongodb::Client::with_uri_str(&direct).await.unwrap().default_database().unwrap();
        let store = MongoStore::connect(&url).await.unwrap();
        Self { store, database, url, faults, _server: server }
    }

    /// Lets this happen to the next command of that name on that collection.
    ///
    /// # Panics
    /// When a thread of the wire has panicked.
    pub fn fault(&self, command: &str, collection: &str, fault: Fault) {
        self.faults.lock().unwrap().push((command.to_owned(), collection.to_owned(), fault));
    }

    /// Tells whether all faults have happened.
    ///
    /// # Panics
    /// As [`fault`](Self::fault).
    pub fn is_clear(&self) -> bool {
        self.faults.lock().unwrap().is_empty()
    }
}

/// Passes messages between the two ends, each direction in a thread of its own.
fn join(client: TcpStream, server: TcpStream, faults: &Faults) {
    let answers: Arc<Mutex<HashMap<u32, Fault>>> = Arc::default();
    let (mut from_client, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let mut to_client = client.try_clone().unwrap();
    let (faults, waiting) = (Arc::clone(faults), Arc::clone(&answers));
    thread::spawn(move || {
        while let Ok(message) = read(&mut from_client) {
            match document(&message).and_then(|command| take(&faults, &command)) {
                Some(Fault::Answer(answer)) => {
                    let _ = to_client.write_all(&compose(0, number(&message, 4), &answer));
                    continue;
                }
                Some(Fault::Late(by)) => thread::sleep(by),
                Some(fault) => drop(waiting.lock().unwrap().insert(number(&message, 4), fault)),
                None => {}
            }
            if to_server.write_all(&message).is_err() {
                break;
            }
        }
        let _ = to_server.shutdown(Shutdown::Both);
    });
    let (mut from_server, mut to_client) = (server, client);
    thread::spawn(move || {
        while let Ok(mut message) = read(&mut from_server) {
            match answers.lock().unwrap().remove(&number(&message, 8)) {
                Some(Fault::Unconfirmed) => {
                    let mut answer = document(&message).unwrap();
                    answer.insert("writeConcernError", doc! {
                        "code": 64, "codeName": "WriteConcernFailed", "errmsg": "waiting for replication timed out",
                        "errInfo": { "wtimeout": true },
                    });
                    message = compose(number(&message, 4), number(&message, 8), &answer);
                }
                Some(_) => break,
                None => {}
            }
            if to_client.write_all(&message).is_err() {
                break;
            }
        }
        let _ = to_client.shutdown(Shutdown::Both);
    });
}

/// Takes the fault that is meant for a command, if any.
fn take(faults: &Faults, command: &Document) -> Option<Fault> {
    let (name, collection) = command.iter().next()?;
    let mut faults = faults.lock().unwrap();
    let is_meant = |(of, on, _): &(String, String, Fault)| of == name && collection.as_str() == Some(on);
    let place = faults.iter().position(is_meant)?;
    Some(faults.remove(place).2)
}

/// Reads one message.
fn read(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut message = vec![0; HEADER];
    stream.read_exact(&mut message)?;
    let length = number(&message, 0) as usize;
    message.resize(length, 0);
    stream.read_exact(&mut message[HEADER..])?;
    Ok(message)
}

/// The number at this place of a message.
fn number(message: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(message[at..at + 4].try_into().unwrap())
}

/// The first document of a message.
fn document(message: &[u8]) -> Option<Document> {
    let is_plain = number(message, 12) == OP_MSG && message.get(HEADER + PREFIX - 1) == Some(&0);
    if is_plain { Document::from_reader(&message[HEADER + PREFIX..]).ok() } else { None }
}

/// A message with one document.
fn compose(id: u32, answers: u32, document: &Document) -> Vec<u8> {
    let body = document.to_vec().unwrap();
    let length = (HEADER + PREFIX + body.len()) as u32;
    let header = [length, id, answers, OP_MSG, 0].map(u32::to_le_bytes).concat();
    [header, vec![0], body].concat()
}
