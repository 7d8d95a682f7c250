//! Icons, as SVG text: one string costs less code than a tree of elements.

use leptos::prelude::*;

/// Shows an icon. It says nothing to a screen reader: a word always stands beside it, or a label around it.
#[component]
pub fn Icon(
    /// One of this module's constants.
    svg: &'static str,
) -> impl IntoView {
    view! { <span class="icon" aria-hidden="true" inner_html=svg></span> }
}

macro_rules! line_icon {
    ($($(#[$doc:meta])* $name:ident = $paths:literal;)+) => {
        $($(#[$doc])* pub const $name: &str = concat!(
            r#"<svg viewBox="0 0 16 16" width="16" height="16" fill="none" stroke="currentColor" stroke-width="1.5" "#,
            r#"stroke-linecap="round" stroke-linejoin="round">"#, $paths, "</svg>"
        );)+
    };
}

line_icon! {
    /// Done, works.
    CHECK = r#"<path d="m3.5 8.5 3 3 6-7"/>"#;
    /// Failed.
    CROSS = r#"<path d="m4 4 8 8M12 4l-8 8"/>"#;
    /// Something needs the person.
    ALERT = r#"<path d="M8 2 1.5 13.5h13zM8 6.5v3M8 11.6v.01"/>"#;
    /// Late, but trying.
    CLOCK = r#"<circle cx="8" cy="8" r="6.25"/><path d="M8 4.75V8l2.25 1.5"/>"#;
    /// Not there.
    DASHED = r#"<circle cx="8" cy="8" r="5.75" stroke-dasharray="2.6 2.6"/>"#;
    /// More actions.
    MORE = r#"<path d="M3 8h.01M8 8h.01M13 8h.01" stroke-width="2.25"/>"#;
    /// Leads on.
    FORWARD = r#"<path d="m6 3.5 4.5 4.5L6 12.5"/>"#;
    /// Leads back.
    BACK = r#"<path d="M10 3.5 5.5 8l4.5 4.5"/>"#;
    /// Reading the profile again.
    SYNC = r#"<path d="M13.5 3v3.25h-3.25M2.5 13V9.75h3.25M13.2 6.25A5.5 5.5 0 0 0 3.4 5M2.8 9.75A5.5 5.5 0 0 0 12.6 11"/>"#;
    /// Access to an account.
    KEY = r#"<circle cx="5.25" cy="10.75" r="3"/><path d="m7.5 8.5 5.75-5.75M10.5 5.5l2 2"/>"#;
    /// Made.
    LINK = r#"<path d="M6.75 9.25a2.75 2.75 0 0 0 3.9 0l2.1-2.1a2.75 2.75 0 0 0-3.9-3.9l-.85.85M9.25 6.75a2.75 2.75 0 0 0-3.9 0l-2.1 2.1a2.75 2.75 0 0 0 3.9 3.9l.85-.85"/>"#;
    /// Leads to another site.
    EXTERNAL = r#"<path d="M6 3.5H3.5v9h9V10M9 3h4v4M13 3 7.5 8.5"/>"#;
    /// Show what is hidden.
    EYE = r#"<path d="M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8z"/><circle cx="8" cy="8" r="2"/>"#;
    /// Hide what is shown.
    EYE_OFF = r#"<path d="M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8z"/><path d="m3 13 10-10"/>"#;
    /// A browser on a computer.
    COMPUTER = r#"<rect x="2.25" y="3" width="11.5" height="7.75" rx="1.5"/><path d="M1 13.25h14"/>"#;
    /// A browser on a phone or tablet.
    PHONE = r#"<rect x="4.25" y="1.75" width="7.5" height="12.5" rx="1.75"/><path d="M7.25 11.75h1.5"/>"#;
    /// Copy to the clipboard.
    COPY = r#"<rect x="5.75" y="5.75" width="8" height="8" rx="1.75"/><path d="M10.25 5.75v-2A1.5 1.5 0 0 0 8.75 2.25h-5a1.5 1.5 0 0 0-1.5 1.5v5a1.5 1.5 0 0 0 1.5 1.5h2"/>"#;
    /// Reading a profile.
    PROFILE = r#"<circle cx="8" cy="5.5" r="2.75"/><path d="M2.75 13.5a5.25 5.25 0 0 1 10.5 0"/>"#;
    /// Publishing posts.
    PUBLISH = r#"<rect x="2.25" y="2.25" width="11.5" height="11.5" rx="2.5"/><path d="M8 5.25v5.5M5.25 8h5.5"/>"#;
    /// Listening.
    MUSIC = r#"<path d="M6 11.75V3.5l7-1.25v8.25"/><circle cx="4.25" cy="11.75" r="1.75"/><circle cx="11.25" cy="10.5" r="1.75"/>"#;
    /// Playlists.
    LIST = r#"<path d="M5.75 4h8M5.75 8h8M5.75 12h8M2.25 4h.01M2.25 8h.01M2.25 12h.01"/>"#;
    /// Direct messages.
    MESSAGE = r#"<path d="M2.25 3.25h11.5v8h-6l-3 2.5v-2.5h-2.5z"/>"#;
}

/// A ring that turns while something is under way.
pub const SPINNER: &str = concat!(
    r#"<svg class="spinner" viewBox="0 0 16 16" width="16" height="16" fill="none" stroke="currentColor" "#,
    r#"stroke-width="2" stroke-linecap="round"><circle cx="8" cy="8" r="6" opacity=".25"/><path d="M8 2a6 6 0 0 1 6 6"/>"#,
    "</svg>"
);

/// The product's mark. The same markup stands in `index.html`.
pub const BRAND: &str = concat!(
    r#"<svg viewBox="0 0 20 20" width="20" height="20" fill="none" stroke="currentColor" stroke-width="1.75" "#,
    r#"stroke-linecap="round"><rect x="2" y="5.5" width="9.5" height="9" rx="4.5"/>"#,
    r#"<rect x="8.5" y="5.5" width="9.5" height="9" rx="4.5"/></svg>"#
);
