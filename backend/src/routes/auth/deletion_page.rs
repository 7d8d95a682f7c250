//! The page on which a person sees what became of their wish to have their data deleted.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use connection_store::Deletion;
use jiff::Timestamp;

use crate::pages;

/// The signs beside the words: done, being done.
const TICK: &str = r#"<path d="M4 10.5 8 14.5 16 6"/>"#;
const CLOCK: &str = r#"<circle cx="10" cy="10" r="7"/><path d="M10 6v4l2.5 2"/>"#;

/// The page for a request of this code; 404 where there is none. A code that is known holds nothing but letters and digits.
pub(super) fn respond(code: &str, deletion: Option<&Deletion>) -> HttpResponse {
    let status = if deletion.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    pages::respond(status, html(code, deletion))
}

fn html(code: &str, deletion: Option<&Deletion>) -> String {
    let Some(deletion) = deletion else {
        return pages::html(
            pages::UNKNOWN,
            "We do not know this code",
            "<p>No request to delete data has this confirmation code. Compare the address with the one that you were \
             given.</p>",
            "",
        );
    };
    let details = format!(
        "<dl><dt>Requested</dt><dd>{}</dd><dt>Confirmation code</dt><dd><code>{code}</code></dd></dl>",
        time(deletion.requested_at)
    );
    match deletion.completed_at {
        Some(_) if deletion.connections == Some(0) => pages::html(
            pages::UNKNOWN,
            "Nothing was stored about your account",
            "<p>When your request came, nothing was stored here about your Instagram account, so there was nothing to \
             delete.</p><p>If you did connect it here, tell whoever runs this service, with the confirmation code.</p>",
            &details,
        ),
        Some(completed_at) => pages::html(
            ("done", TICK),
            "Your data was deleted",
            &format!(
                "<p>Your data was deleted on {}.</p><p>That was everything stored here about your Instagram account: \
                 the access to it, its profile, its numbers over time and what happened to the connection.</p>",
                time(completed_at)
            ),
            &details,
        ),
        None => pages::html(
            ("doing", CLOCK),
            "Your data is being deleted",
            "<p>This takes a few minutes at most. You need not wait: it goes on by itself, and this page says when it is \
             done.</p>",
            &details,
        ),
    }
}

/// A time as people read it, for everybody alike: the page does not know where they are.
fn time(at: Timestamp) -> String {
    let machine = shared::Timestamp::from(at);
    format!(r#"<time datetime="{machine}">{}</time>"#, at.strftime("%-d %B %Y at %H:%M UTC"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_readable_by_people_and_programs() {
        let at = Timestamp::from_millisecond(1_762_788_600_070).unwrap();
        let expected = r#"<time datetime="2025-11-10T15:30:00.070Z">10 November 2025 at 15:30 UTC</time>"#;
        assert_eq!(time(at), expected);
    }

    #[test]
    fn a_code_that_nobody_knows_is_not_repeated() {
        assert!(!html("<script>", None).contains("<script>"));
    }
}
