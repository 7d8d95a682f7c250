//! More requests at once than can be answered soon, and as many as are no overload.

use std::time::{Duration, Instant};

use actix_web::rt;
use connection_store::test_support::MongoServer;
use instagram_simulator::{Endpoint, Fault, Times};
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::callers::{MY_INSTAGRAM, SESSION};
use crate::support::{Answer, DAY, PASSWORD, Person, TestApp, hang_up};

const ROOM: usize = 8;

fn address(app: &TestApp) -> String {
    app.url.trim_start_matches("http://").to_owned()
}

/// The statuses of so many answers to a client that asks one after the other, over one connection.
async fn statuses(address: String, request: String, requests: usize) -> Vec<String> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut statuses = Vec::new();
    let mut buffer = vec![0; 16 * 1024];
    for _ in 0..requests {
        stream.write_all(request.as_bytes()).await.unwrap();
        // An answer of this size comes in one piece.
        let length = stream.read(&mut buffer).await.unwrap();
        assert!(buffer[..length].ends_with(b"}"), "{}", String::from_utf8_lossy(&buffer[..length]));
        statuses.push(String::from_utf8_lossy(&buffer[9..12]).into_owned());
    }
    statuses
}

async fn no_client_is_refused(app: &TestApp) {
    let ada = app.with_connection().await;
    let key = ada.personal_key(&["connections:read"]).await;
    let request = format!("GET {MY_INSTAGRAM} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n");
    for clients in [16, 64, 256, 512] {
        let asked = (0..clients).map(|_| statuses(address(app), request.clone(), 2048 / clients));
        let load = futures_util::future::join_all(asked);
        let (answers, ()) = futures_util::future::join(load, async {
            for _ in 0..5 {
                assert_eq!(ada.get("/healthz").await.status, 200, "under load");
            }
        })
        .await;
        let answers = answers.concat();
        assert_eq!(answers.len(), 2048);
        assert!(answers.iter().all(|status| status == "200"), "{clients} clients: {answers:?}");
    }
}

#[actix_web::test]
async fn no_client_that_waits_for_its_answers_is_refused() {
    no_client_is_refused(&TestApp::start()).await;
}

#[actix_web::test]
async fn no_client_that_waits_for_its_answers_is_refused_on_mongodb() {
    let server = MongoServer::shared();
    no_client_is_refused(&TestApp::start_with(&[("DATABASE_URL", &server.fresh_database_url())])).await;
}

/// Starts requests until there is no room, each of which waits for the database, and then does `meanwhile`.
async fn without_room(app: &TestApp, meanwhile: impl AsyncFnOnce(&Person)) {
    let ada = app.with_user("ada").await;
    let program = app.with_key(&ada.personal_key(&["connections:read"]).await);
    // The first use of a key is recorded, and a request of its waits for that.
    let database = rusqlite::Connection::open(app.database_file()).unwrap();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    let waiting: Vec<_> =
        (0..ROOM).map(|_| rt::spawn(Answer::of(program.request(Method::GET, MY_INSTAGRAM)))).collect();
    rt::time::sleep(Duration::from_millis(700)).await;
    meanwhile(&ada).await;
    database.execute_batch("ROLLBACK").unwrap();
    for answer in waiting {
        assert_eq!(answer.await.unwrap().failure(), "404 not_connected");
    }
    assert_eq!(program.connection().await.failure(), "404 not_connected", "and then there is room again");
}

#[actix_web::test]
async fn too_much_is_refused_at_once_as_the_contract_says() {
    let app = TestApp::start_with_room_for(ROOM);
    without_room(&app, async |ada| {
        let asked = Instant::now();
        let request = ada.request(Method::GET, MY_INSTAGRAM).header("origin", "http://localhost:5176");
        let refused = Answer::of(request.header("x-request-id", "mine")).await;
        assert_eq!(refused.failure(), "503 unavailable");
        assert_eq!(refused.body["requestId"], "mine");
        assert_eq!(refused.body["retryAfter"], 1);
        for (header, value) in [
            ("retry-after", "1"),
            ("content-type", "application/json"),
            ("access-control-allow-origin", "http://localhost:5176"),
            ("access-control-allow-credentials", "true"),
        ] {
            assert_eq!(refused.header(header), value, "{header}");
        }
        let refused =
            Answer::of(ada.request(Method::GET, MY_INSTAGRAM).header("origin", "https://evil.example")).await;
        assert_eq!(refused.failure(), "503 unavailable");
        assert_eq!(refused.header("access-control-allow-origin"), "");
        assert_eq!(refused.header("x-request-id").len(), 36);
        let body = json!({"email": "ada@example.com", "password": PASSWORD});
        assert_eq!(ada.post(SESSION, body).await.failure(), "503 unavailable", "with a body as well");
        assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    })
    .await;
}

#[actix_web::test]
async fn whoever_asks_how_the_service_is_gets_an_answer_without_room() {
    let app = TestApp::start_with_room_for(ROOM);
    without_room(&app, async |ada| {
        for path in ["/healthz", "/readyz"] {
            assert_eq!(ada.get(path).await.status, 200, "{path}");
        }
    })
    .await;
}

#[actix_web::test]
async fn only_reading_how_the_service_is_needs_no_room() {
    let app = TestApp::start_with_room_for(ROOM);
    without_room(&app, async |ada| {
        for path in ["/healthz", "/readyz"] {
            for method in [Method::POST, Method::PUT, Method::DELETE] {
                let refused = Answer::of(ada.request(method.clone(), path)).await;
                assert_eq!(refused.failure(), "503 unavailable", "{method} {path}");
            }
        }
    })
    .await;
}

/// The status that a connection is answered, and the headers.
async fn head(stream: &mut TcpStream) -> String {
    let mut buffer = vec![0; 16 * 1024];
    let length = stream.read(&mut buffer).await.unwrap();
    String::from_utf8_lossy(&buffer[..length]).to_lowercase()
}

#[actix_web::test]
async fn a_refused_request_is_not_waited_for() {
    let app = TestApp::start_with_room_for(ROOM);
    without_room(&app, async |_| {
        let mut stream = TcpStream::connect(address(&app)).await.unwrap();
        let request = "POST /api/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{";
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = rt::time::timeout(Duration::from_secs(2), head(&mut stream)).await.unwrap();
        assert!(answer.starts_with("http/1.1 503") && answer.contains("connection: close"), "{answer}");
    })
    .await;
}

#[actix_web::test]
async fn bodies_that_come_late_find_no_more_room_than_others() {
    let app = TestApp::start_with_room_for(ROOM);
    let key = app.service_key(&["sessions:create"]);
    let body = r#"{"userId":"user-123"}"#;
    // From here on its use is on record, so that it is only the body that its requests wait for.
    let create = async || app.with_key(&key).create_link(json!({"userId": "user-123"})).await;
    assert_eq!(create().await.status, 201);
    let mut clients = Vec::new();
    for _ in 0..3 * ROOM {
        let mut stream = TcpStream::connect(address(&app)).await.unwrap();
        let head = format!(
            "POST /api/sessions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{}", &body[..body.len() - 1]).as_bytes()).await.unwrap();
        clients.push(stream);
    }
    rt::time::sleep(Duration::from_millis(500)).await;
    let database = rusqlite::Connection::open(app.database_file()).unwrap();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    for stream in &mut clients {
        stream.write_all(b"}").await.unwrap();
    }
    rt::time::sleep(Duration::from_millis(700)).await;
    database.execute_batch("ROLLBACK").unwrap();
    let answers = futures_util::future::join_all(clients.iter_mut().map(head)).await;
    let made = answers.iter().filter(|answer| answer.starts_with("http/1.1 201")).count();
    let is_refused =
        |answer: &&String| answer.starts_with("http/1.1 503") && answer.contains("retry-after: 1\r\n");
    assert_eq!((made, answers.iter().filter(is_refused).count()), (ROOM, 2 * ROOM), "{answers:?}");
    assert_eq!(create().await.status, 201, "and then there is room again");
}

#[actix_web::test]
async fn clients_that_send_no_body_keep_nobody_out() {
    let app = TestApp::start_with_room_for(ROOM);
    let ada = app.with_user("ada").await;
    let mut silent = Vec::new();
    for _ in 0..3 * ROOM {
        let mut stream = TcpStream::connect(address(&app)).await.unwrap();
        let head = "POST /api/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{";
        stream.write_all(head.as_bytes()).await.unwrap();
        silent.push(stream);
    }
    rt::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(ada.session().await.status, 200);
}

#[actix_web::test]
async fn work_that_goes_on_for_nobody_takes_its_room() {
    let app = TestApp::start_with_room_for(1);
    let ada = app.with_connection().await;
    let key = ada.personal_key(&["connections:write"]).await;
    app.clock.advance(2 * DAY);
    app.instagram.advance(2 * DAY);
    app.instagram.fault(Endpoint::Refresh, Fault::Delay { ms: 1500 }, Times::ONCE);
    let refresh = ada.request(Method::POST, &format!("{MY_INSTAGRAM}/refresh")).bearer_auth(key);
    hang_up(refresh, async {
        while app.instagram.requests(Endpoint::Refresh) == 0 {
            rt::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    rt::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(ada.connection().await.failure(), "503 unavailable");
    rt::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(ada.connection().await.status, 200);
}
