//! Output of `doctor`.

use std::io::{self, Write};

use serde_json::json;

use super::check::{Check, Verdict};
use super::urls::DashboardUrls;
use crate::commands::output::{self, for_terminal};

/// All that was found.
pub(super) struct Report {
    urls: Option<DashboardUrls>,
    checks: Vec<Check>,
}

impl Report {
    pub(super) fn new(urls: Option<DashboardUrls>, checks: Vec<Check>) -> Self {
        Self { urls, checks }
    }

    pub(super) fn has_failed(&self) -> bool {
        self.count(Verdict::Failed) > 0
    }

    fn count(&self, verdict: Verdict) -> usize {
        self.checks.iter().filter(|check| check.status == verdict).count()
    }

    pub(super) fn print_json(&self) -> io::Result<()> {
        output::print_json(&json!({
            "ok": !self.has_failed(),
            "urls": self.urls,
            "checks": self.checks,
            "summary": {
                "ok": self.count(Verdict::Ok),
                "warning": self.count(Verdict::Warning),
                "failed": self.count(Verdict::Failed),
            },
        }))
    }

    pub(super) fn print(&self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        match &self.urls {
            Some(urls) => print_urls(&mut out, urls)?,
            None => {
                writeln!(out, "What to enter in dashboards cannot be told before PUBLIC_URL is right.")?;
            }
        }
        writeln!(out)?;
        let has_colour = output::has_colour();
        let width = self.checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
        for check in &self.checks {
            let (sign, word, colour) = match check.status {
                Verdict::Ok => ('✓', "ok", "32"),
                Verdict::Warning => ('!', "warning", "33"),
                Verdict::Failed => ('✗', "failed", "31"),
            };
            let verdict = format!("{sign} {word:7}");
            let verdict = if has_colour { format!("\u{1b}[{colour}m{verdict}\u{1b}[0m") } else { verdict };
            writeln!(out, "{verdict}  {:width$}  {}", check.name, for_terminal(&check.message))?;
            if let Some(advice) = &check.advice {
                writeln!(out, "           {:width$}  → {}", "", for_terminal(advice))?;
            }
        }
        writeln!(out, "\n{}", self.summary())
    }

    fn summary(&self) -> String {
        let (ok, warnings, failed) =
            (self.count(Verdict::Ok), self.count(Verdict::Warning), self.count(Verdict::Failed));
        format!("{} checks: {ok} ok, {warnings} to look at, {failed} failed", self.checks.len())
    }
}

fn print_urls(out: &mut impl Write, urls: &DashboardUrls) -> io::Result<()> {
    let webhook = if urls.webhook_is_served { "" } else { "  (not served by this version yet)" };
    writeln!(out, "To enter in Meta's dashboard, byte for byte:")?;
    writeln!(out, "  OAuth redirect URI         {}", urls.redirect)?;
    writeln!(out, "  deauthorize callback URL   {}", urls.deauthorize)?;
    writeln!(out, "  data deletion request URL  {}", urls.data_deletion)?;
    writeln!(out, "  webhook callback URL       {}{webhook}", urls.webhook)?;
    writeln!(out, "\nTo enter in Spotify's dashboard, byte for byte:")?;
    writeln!(out, "  Redirect URI               {}", urls.spotify_redirect)?;
    writeln!(
        out,
        "  Users Management           name and email of each person who may connect: five at most, before"
    )?;
    writeln!(out, "                             Spotify grants more. The app's owner needs Premium")
}
