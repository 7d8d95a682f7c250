//! Measures how the time to read and clean an answer of Graph's grows with its size, over HTTP. It has to
//! grow as the size does, whatever is in the answer: somebody else may have written it.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use instagram_client::{Config, InstagramClient};
use upstream::{AccessToken, ApiCall, ApiMethod, MAX_FORWARDED_ANSWER};
use url::Url;

/// Measurements of each size; the shortest time counts, since nothing but the machine makes one longer.
const TIMES: usize = 5;

const EIGHTH: usize = MAX_FORWARDED_ANSWER / 8;

fn main() {
    // Run by `cargo test --benches`, too, where nothing is to be measured.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    println!(
        "| an answer full of | 0.5 MiB, ms | 1 MiB / 0.5 MiB | 2 / 1 | 4 / 2 | 4 / 0.5 (linear: about 8, quadratic: 64) |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    for part in ["Vinyl & beats. ", "access_token=&", "access_token=x ", "access_token%253d%2526", r"\ud83d"]
    {
        let times = [1, 2, 4, 8].map(|eighths| {
            // Leaves room for what stands around it.
            let text = part.repeat((eighths * EIGHTH - 64) / part.len());
            runtime.block_on(shortest(&format!("{{\"caption\":\"{text}\"}}")))
        });
        let ratio =
            |longer: usize, shorter: usize| times[longer].as_secs_f64() / times[shorter].as_secs_f64();
        println!(
            "| `{part}` | {:.1} | {:.2} | {:.2} | {:.2} | {:.2} |",
            times[0].as_secs_f64() * 1000.0,
            ratio(1, 0),
            ratio(2, 1),
            ratio(3, 2),
            ratio(3, 0),
        );
    }
}

/// Returns the shortest time that a call takes whose answer this is.
async fn shortest(body: &str) -> Duration {
    let client = client_of(body);
    let token = AccessToken::from("IGAAtoken0123".to_owned());
    let mut times = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        let path = vec!["me".to_owned(), "media".to_owned()];
        let call = ApiCall { method: ApiMethod::Get, path, query: Vec::new(), body: None };
        let started = Instant::now();
        client.graph(call, &token).await.expect("an answer");
        times.push(started.elapsed());
    }
    times.into_iter().min().expect("there are some")
}

/// Starts a server that gives this answer to every call, and makes a client for it.
fn client_of(body: &str) -> InstagramClient {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let graph_url =
        Url::parse(&format!("http://{}/", listener.local_addr().expect("an address"))).expect("a URL");
    let length = body.len();
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            // The whole request is a head of some hundred bytes.
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    let redirect_uri = "https://example.com/auth/instagram/callback".to_owned();
    let defaults = Config::new("1377811407203207".to_owned(), "app secret".into(), redirect_uri);
    let token_url = graph_url.join("oauth/access_token").expect("a URL");
    InstagramClient::new(Config { graph_url, token_url, ..defaults }).expect("a client")
}
