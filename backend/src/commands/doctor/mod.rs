//! `doctor`: what to enter in the providers' dashboards, what is wrong, and what to do about it.

mod check;
mod configuration;
mod database;
mod found;
mod instagram;
mod reach;
mod report;
mod spotify;
mod tokens;
mod urls;

use std::process::ExitCode;

use self::check::{Check, within};
use self::found::Found;
use self::report::Report;
use self::urls::DashboardUrls;
use super::{Outcome, opened};

/// Makes all checks and prints what they found. What does not depend on each other runs at once.
pub(super) async fn run(json: bool) -> Outcome {
    let found = Found::in_environment();
    let mut checks = configuration::check(&found);
    let (storage, instagram, spotify) =
        tokio::join!(storage(&found), instagram::check(&found), spotify::check(&found));
    checks.extend([storage, instagram, spotify].into_iter().flatten());
    let report = Report::new(DashboardUrls::new(&found), checks);
    if json {
        report.print_json()?;
    } else {
        report.print()?;
    }
    Ok(if report.has_failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The database, then what is in it.
async fn storage(found: &Found) -> Vec<Check> {
    let unopened =
        || Check::warning("tokens", "not checked, since the database cannot be asked", "see above");
    let Some(database) = found.database.as_ref().filter(|_| !found.is_wrong("DATABASE_URL")) else {
        let skipped = Check::warning("database", "not checked", "correct DATABASE_URL first");
        return vec![skipped, unopened()];
    };
    let (mut checks, store) = database::check(database).await;
    match store {
        Some(store) => {
            checks.push(within("tokens", tokens::check(found, &store)).await);
            opened::close(&store).await;
        }
        None => checks.push(unopened()),
    }
    checks
}
