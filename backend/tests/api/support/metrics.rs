//! The metrics of a service.

use super::{TestApp, client};

pub(crate) const METRICS: (&str, &str) = ("METRICS_ADDRESS", "127.0.0.1:0");

/// All that the address says.
pub(crate) async fn scrape(app: &TestApp) -> String {
    let answer = client().get(app.service.metrics_url.as_ref().unwrap()).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let content_type = answer.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(content_type.starts_with("text/plain; version=0.0.4"), "{content_type}");
    answer.text().await.unwrap()
}

/// The value of one of our metrics, by its name without `instagram_connect_`, and with its labels.
pub(crate) async fn value(app: &TestApp, name: &str) -> f64 {
    let text = scrape(app).await;
    read(&text, name).unwrap_or_else(|| panic!("no {name} in {text}"))
}

pub(crate) fn read(text: &str, name: &str) -> Option<f64> {
    let line = format!("instagram_connect_{name} ");
    text.lines().find_map(|rest| rest.strip_prefix(&line)).map(|value| value.parse().unwrap())
}
