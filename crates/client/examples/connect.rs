//! Connects an Instagram account for a user of a host application, as `docs/api-clients.md` tells. `begin` and `finish` are
//! what a web application does in two of its handlers.

use std::env;
use std::error::Error;

use futures_util::TryStreamExt;
use instagram_connect_client::{Client, ConnectionsFilter, Login};
use url::Url;

const USER: &str = "user-rust";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let client = Client::new(&env::var("API")?, &env::var("KEY")?)?;
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["begin"] => begin(&client).await,
        ["finish", address] => finish(&client, &Url::parse(address)?).await,
        _ => Err("connect begin | connect finish ADDRESS".into()),
    }
}

/// Where to send the person's browser.
async fn begin(client: &Client) -> Result<(), Box<dyn Error>> {
    println!("{}", client.login_url(USER, &Login::default()).await?.auth_url);
    Ok(())
}

/// The person is back, at this address.
async fn finish(client: &Client, address: &Url) -> Result<(), Box<dyn Error>> {
    let parameter = |name| address.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value);
    let (Some(code), Some(state)) = (parameter("code"), parameter("state")) else {
        return Err("the person said no".into());
    };
    let granted = client.exchange(USER, &code, &state).await?;
    let saved = client.save(USER, granted).await?;
    println!("connected {}", saved.username);

    if let Some(connection) = client.connection(USER).await? {
        println!("{} has {} followers", connection.username, connection.followers.unwrap_or_default());
    }
    let all: Vec<_> = client.connections(ConnectionsFilter::default()).try_collect().await?;
    println!("{} connected in all", all.len());

    let token = client.token(USER).await?;
    println!("a token until {}", token.expires_at);

    client.disconnect(USER).await?;
    println!("disconnected");
    Ok(())
}
