//! `kill -9` at any moment: what was acknowledged is there.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use connection_store::sqlite::SqliteStore;
use connection_store::{SaveOutcome, Store, UsedHandles};

use shared::Provider::Instagram;

use crate::{event, new_connection, now, open};

const PATH_VARIABLE: &str = "WRITE_UNTIL_KILLED";
const WRITERS: usize = 4;

/// Writes without end, and says of each write that it was acknowledged. Not a test: the process that the test kills.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the process that acknowledged_writes_survive_kill_9 starts and kills"]
async fn write_until_killed() {
    let Some(path) = std::env::var_os(PATH_VARIABLE).map(PathBuf::from) else { return };
    let store = Arc::new(open(&path).await);
    let process = std::process::id();
    let writers = (0..WRITERS).map(|writer| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for number in 0_u64.. {
                let name = format!("{process}-{writer}-{number}");
                assert!(store.use_handle(&name, now()).await.unwrap());
                let saved = store
                    .connections(Instagram)
                    .save_connection(new_connection(&name, &name), event("connected"), now())
                    .await
                    .unwrap();
                assert!(matches!(saved, SaveOutcome::Saved(_)));
                let mut stdout = std::io::stdout().lock();
                writeln!(stdout, "acknowledged {name}").unwrap();
                stdout.flush().unwrap();
            }
        })
    });
    futures_util::future::join_all(writers).await;
}

/// Starts the writing process, kills it after `writes` acknowledgements, and tells which writes it acknowledged.
fn kill_after(writes: usize, path: &Path) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::write_until_killed", "--ignored", "--nocapture"])
        .env(PATH_VARIABLE, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut acknowledged = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        // The test runner writes to the same stream, without always ending its line.
        if let Some((_, name)) = line.unwrap().split_once("acknowledged ") {
            acknowledged.push(name.to_owned());
        }
        if acknowledged.len() == writes {
            // SIGKILL. What is still in the pipe was acknowledged as well, and is read by the loop.
            child.kill().unwrap();
        }
    }
    assert!(!child.wait().unwrap().success());
    assert!(acknowledged.len() >= writes, "the process ended by itself");
    acknowledged
}

async fn assert_all_there(store: &SqliteStore, acknowledged: &[String]) {
    for name in acknowledged {
        assert!(
            store.connections(Instagram).current_connection(name).await.unwrap().is_some(),
            "the connection {name} is lost"
        );
        assert!(!store.use_handle(name, now()).await.unwrap(), "the handle {name} could be used again");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_writes_survive_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let mut acknowledged = Vec::new();
    for round in 0..5 {
        let path = path.clone();
        acknowledged
            .extend(tokio::task::spawn_blocking(move || kill_after(50 + round * 37, &path)).await.unwrap());
    }
    let store = open(&path).await;
    assert_all_there(&store, &acknowledged).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_shares_the_file_goes_on_when_another_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let store = open(&path).await;
    let killed = tokio::task::spawn_blocking(move || kill_after(100, &path));
    let mut ours = Vec::new();
    while !killed.is_finished() {
        let name = format!("ours-{}", ours.len());
        assert!(store.use_handle(&name, now()).await.unwrap());
        store
            .connections(Instagram)
            .save_connection(new_connection(&name, &name), event("connected"), now())
            .await
            .unwrap();
        ours.push(name);
    }
    assert!(ours.len() > 1, "it wrote while the other did");
    assert_all_there(&store, &killed.await.unwrap()).await;
    assert_all_there(&store, &ours).await;
    assert!(store.use_handle("after", now()).await.unwrap());
}
