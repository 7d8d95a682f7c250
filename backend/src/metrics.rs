//! Metrics that this process counts, in the text form that Prometheus reads.
//!
//! Every label has a small fixed set of values. None of them is a user, an account, a path or anything else that somebody
//! outside chooses.

use std::fmt;
use std::time::Duration;

use actix_web::http::Method;
use jiff::SignedDuration;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use shared::Provider;
use upstream::{Call, CallObserver};

use domain::Observer;
use domain::connections::Outcome;

/// Media type of the text that [`Metrics::encode`] writes.
pub(crate) const OPEN_METRICS: &str = "application/openmetrics-text";

/// Its name for those who ask for nothing else: the older form reads it, too, as its additions are comments there.
pub(crate) const PLAIN_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

const PREFIX: &str = "instagram_connect";

/// Names of a refresh and a sync that have come about.
pub(crate) const REFRESHED: &str = "refreshed";
pub(crate) const SYNCED: &str = "synced";

/// Upper bounds of a request's buckets, in seconds: from an answer out of memory to a time-out.
const REQUEST_BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0];

/// Upper bounds of an upstream call's buckets, in seconds.
const CALL_BUCKETS: [f64; 9] = [0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Counts. One for the whole process.
pub(crate) struct Metrics {
    registry: Registry,
    refreshes: Family<ProviderLabels, Counter>,
    syncs: Family<ProviderLabels, Counter>,
    deliveries: Family<OutcomeLabel, Counter>,
    calls: Family<CallLabels, Counter>,
    call_durations: Family<EndpointLabel, Histogram, fn() -> Histogram>,
    requests: Family<RequestLabels, Histogram, fn() -> Histogram>,
    password_hashes: Counter,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ProviderLabels {
    provider: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct EndpointLabel {
    provider: &'static str,
    endpoint: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct CallLabels {
    provider: &'static str,
    endpoint: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct JobLabel {
    job: &'static str,
}

/// Outcome of one attempt to deliver a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeliveryOutcome {
    /// The receiver has it.
    Delivered,
    /// It has not arrived, and is tried again.
    Failed,
    /// It has not arrived within a day.
    GivenUp,
    /// The receiver wants no more.
    Gone,
    /// This process does not know the receiver; another one may.
    LeftToOthers,
    /// The receiver is no longer configured.
    Dropped,
}

impl DeliveryOutcome {
    const ALL: [Self; 6] =
        [Self::Delivered, Self::Failed, Self::GivenUp, Self::Gone, Self::LeftToOthers, Self::Dropped];

    fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::GivenUp => "given_up",
            Self::Gone => "gone",
            Self::LeftToOthers => "left_to_others",
            Self::Dropped => "dropped",
        }
    }
}

/// Values that are not counted but asked for whenever the metrics are read.
pub(crate) struct Present {
    /// For how long the refresh that waits longest has been due: zero when none is, `None` when that cannot be told now.
    pub(crate) oldest_due_refresh: Option<SignedDuration>,
    /// Every job's name, and how long ago it was last done.
    pub(crate) job_ages: Vec<(&'static str, Duration)>,
    /// Calls that have been made to the database so far.
    pub(crate) store_calls: u64,
}

impl Metrics {
    /// With everything at zero.
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The program that runs", version);
        let metrics = Self {
            refreshes: of_providers(&Outcome::names(REFRESHED)),
            syncs: of_providers(&Outcome::names(SYNCED)),
            deliveries: outcomes(&DeliveryOutcome::ALL.map(DeliveryOutcome::name)),
            calls: Family::default(),
            call_durations: Family::new_with_constructor(|| Histogram::new(CALL_BUCKETS)),
            requests: Family::new_with_constructor(|| Histogram::new(REQUEST_BUCKETS)),
            password_hashes: Counter::default(),
            registry,
        };
        metrics.registered()
    }

    fn registered(mut self) -> Self {
        let registry = &mut self.registry;
        registry.register("refreshes", "Refreshes of tokens that were tried", self.refreshes.clone());
        registry.register("syncs", "Readings of profiles that were tried", self.syncs.clone());
        let help = "Tries to deliver a webhook";
        registry.register("webhook_deliveries", help, self.deliveries.clone());
        registry.register("upstream_requests", "Calls to providers", self.calls.clone());
        let help = "How long calls to providers took";
        let durations = self.call_durations.clone();
        registry.register_with_unit("upstream_request_duration", help, Unit::Seconds, durations);
        let help = "How long requests to this service took";
        registry.register_with_unit("http_request_duration", help, Unit::Seconds, self.requests.clone());
        let help = "Passwords that were hashed, to be stored or to be compared";
        registry.register("password_hashes", help, self.password_hashes.clone());
        self
    }

    /// Returns the counter of the passwords that are hashed.
    pub(crate) fn password_hashes(&self) -> Counter {
        self.password_hashes.clone()
    }

    /// A webhook was tried.
    pub(crate) fn delivered(&self, outcome: DeliveryOutcome) {
        self.deliveries.get_or_create(&OutcomeLabel { outcome: outcome.name() }).inc();
    }

    /// A request was answered. `route`: the pattern that matched its path, if any did.
    pub(crate) fn answered(&self, method: &Method, route: Option<String>, status: u16, elapsed: Duration) {
        let route = route.unwrap_or_else(|| "unmatched".to_owned());
        let labels = RequestLabels { method: known_method(method), route, status };
        self.requests.get_or_create(&labels).observe(elapsed.as_secs_f64());
    }

    /// Everything, as Prometheus reads it.
    ///
    /// # Errors
    /// Never with a `String` behind it; the crate's type says so.
    pub(crate) fn encode(&self, present: Present) -> Result<String, fmt::Error> {
        let mut now = Registry::with_prefix(PREFIX);
        let help = "Transactions and reads of SQLite, commands to MongoDB";
        now.register("store_calls", help, ConstCounter::new(present.store_calls));
        if let Some(age) = present.oldest_due_refresh {
            let help = "For how long the refresh that waits longest has been due";
            let age = ConstGauge::new(age.as_secs_f64());
            now.register_with_unit("oldest_due_refresh_age", help, Unit::Seconds, age);
        }
        let ages = Family::<JobLabel, Gauge<f64, std::sync::atomic::AtomicU64>>::default();
        for (job, age) in present.job_ages {
            ages.get_or_create(&JobLabel { job }).set(age.as_secs_f64());
        }
        now.register_with_unit("job_age", "How long ago a job was last done", Unit::Seconds, ages);
        let mut process = Registry::with_prefix("process");
        if let Some(bytes) = resident_memory() {
            let help = "Memory of this process that is not swapped out";
            process.register_with_unit("resident_memory", help, Unit::Bytes, ConstGauge::new(bytes));
        }
        let mut text = String::new();
        for registry in [&self.registry, &now, &process] {
            encode_registry(&mut text, registry)?;
        }
        encode_eof(&mut text)?;
        Ok(text)
    }
}

impl Observer for Metrics {
    fn refreshed(&self, provider: Provider, outcome: Outcome) {
        let labels = ProviderLabels { provider: provider.as_str(), outcome: outcome.name(REFRESHED) };
        self.refreshes.get_or_create(&labels).inc();
    }

    fn synced(&self, provider: Provider, outcome: Outcome) {
        let labels = ProviderLabels { provider: provider.as_str(), outcome: outcome.name(SYNCED) };
        self.syncs.get_or_create(&labels).inc();
    }
}

impl CallObserver for Metrics {
    fn called(&self, call: &Call) {
        let Call { provider, endpoint, outcome, elapsed } = *call;
        self.calls.get_or_create(&CallLabels { provider, endpoint, outcome }).inc();
        self.call_durations
            .get_or_create(&EndpointLabel { provider, endpoint })
            .observe(elapsed.as_secs_f64());
    }
}

/// Counters that are there from the start: one that first shows at 1 is no increase to Prometheus.
fn outcomes(names: &[&'static str]) -> Family<OutcomeLabel, Counter> {
    let family = Family::default();
    for &outcome in names {
        drop(family.get_or_create(&OutcomeLabel { outcome }));
    }
    family
}

/// As [`outcomes`], for each provider.
fn of_providers(names: &[&'static str]) -> Family<ProviderLabels, Counter> {
    let family = Family::default();
    for provider in Provider::ALL.map(Provider::as_str) {
        for &outcome in names {
            drop(family.get_or_create(&ProviderLabels { provider, outcome }));
        }
    }
    family
}

/// The method's name; clients can make up others.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// This process's memory, in bytes, where the system tells in Linux's way.
fn resident_memory() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: i64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(metrics: &Metrics, oldest_due_refresh: Option<SignedDuration>) -> String {
        let job_ages = vec![("refresh", Duration::from_millis(1500))];
        metrics.encode(Present { oldest_due_refresh, job_ages, store_calls: 7 }).unwrap()
    }

    #[test]
    fn what_cannot_be_told_is_left_out() {
        let metrics = Metrics::new();
        let known = text(&metrics, Some(SignedDuration::from_secs(90)));
        assert!(known.contains("\ninstagram_connect_oldest_due_refresh_age_seconds 90.0\n"), "{known}");
        assert!(known.contains("\ninstagram_connect_job_age_seconds{job=\"refresh\"} 1.5\n"), "{known}");
        assert!(known.ends_with("# EOF\n"));
        assert!(!text(&metrics, None).contains("oldest_due"));
    }

    #[test]
    fn made_up_methods_and_paths_are_one_each() {
        let metrics = Metrics::new();
        for method in ["BREW", "WHEN"] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            metrics.answered(&method, None, 404, Duration::from_millis(3));
        }
        let text = text(&metrics, None);
        let count = "instagram_connect_http_request_duration_seconds_count{method=\"other\",route=\"unmatched\",\
                     status=\"404\"} 2\n";
        assert!(text.contains(count), "{text}");
    }
}
