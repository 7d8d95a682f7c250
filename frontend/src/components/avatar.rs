//! A person's or an account's picture.

use leptos::prelude::*;

/// A round picture. Initials stand in for it when there is none or it does not load, which is common: Instagram's
/// picture addresses die within days.
///
/// It says nothing to a screen reader, since the name always stands beside it.
#[component]
pub fn Avatar(
    /// The picture's address, as the service gave it.
    #[prop(optional_no_strip)]
    picture: Option<String>,
    /// The name that the initials are taken from.
    name: String,
    /// The class that sets the size.
    class: &'static str,
) -> impl IntoView {
    let picture = picture.filter(|url| may_load(url));
    let broken = RwSignal::new(picture.is_none());
    view! {
        <span class=format!("avatar {class}") aria-hidden="true">
            {move || {
                if broken.get() {
                    // Drawn by the style sheet: they are a picture, and no part of a button's visible name.
                    view! { <span class="initials" data-initials=initials(&name)></span> }.into_any()
                } else {
                    view! {
                        <img
                            src=picture.clone()
                            alt=""
                            referrerpolicy="no-referrer"
                            decoding="async"
                            on:error=move |_| broken.set(true)
                        />
                    }
                        .into_any()
                }
            }}
        </span>
    }
}

/// Tells whether a picture's address may be loaded: encrypted, or on this machine, where the simulator runs.
fn may_load(url: &str) -> bool {
    let local = |host: &str| {
        url.strip_prefix("http://")
            .and_then(|rest| rest.strip_prefix(host))
            .is_some_and(|rest| rest.starts_with([':', '/']))
    };
    url.starts_with("https://") || local("localhost") || local("127.0.0.1")
}

/// The first letters of the first and the last word, in capitals.
fn initials(name: &str) -> String {
    let letter = |word: &str| word.chars().find(|c| c.is_alphanumeric());
    let mut letters = name.split_whitespace().filter_map(letter);
    let first = letters.next();
    let last = letters.next_back();
    first.into_iter().chain(last).flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_those_of_the_first_and_last_word() {
        assert_eq!(initials("Wreck Shop Records"), "WR");
        assert_eq!(initials("wreckshoprecords"), "W");
        assert_eq!(initials("  éva   "), "É");
        assert_eq!(initials("🎵 Music"), "M");
        assert_eq!(initials(""), "");
    }

    #[test]
    fn a_picture_is_loaded_over_https_or_from_this_machine() {
        assert!(may_load("https://scontent.cdninstagram.com/p.jpg"));
        assert!(may_load("http://localhost:4900/p.png"));
        assert!(!may_load("http://localhost.evil.example/p.png"));
        assert!(!may_load("http://pictures.example/p.png"));
        assert!(!may_load("javascript:alert(1)"));
        assert!(!may_load("data:image/svg+xml,x"));
    }
}
