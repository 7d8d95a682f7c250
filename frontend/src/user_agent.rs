//! Names of browsers and systems by their user agent, in the words of the person in front of them.
//!
//! Browsers name each other for the sake of old websites, so the most particular name is looked for first.

/// Browsers by what gives them away.
const BROWSERS: [(&str, &str); 9] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

/// Systems by what gives them away.
const SYSTEMS: [(&str, &str); 7] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// `Firefox on Linux`; what is not known is left out.
pub fn in_words(user_agent: Option<&str>) -> String {
    let user_agent = user_agent.unwrap_or_default();
    match (first_of(&BROWSERS, user_agent), first_of(&SYSTEMS, user_agent)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(known), None) | (None, Some(known)) => known.to_owned(),
        (None, None) => "Unknown browser".to_owned(),
    }
}

/// Tells whether the user agent is of a device that is held in a hand.
pub fn is_handheld(user_agent: Option<&str>) -> bool {
    let system = first_of(&SYSTEMS, user_agent.unwrap_or_default());
    matches!(system, Some("iPhone" | "iPad" | "Android"))
}

fn first_of(names: &[(&str, &'static str)], user_agent: &str) -> Option<&'static str> {
    names.iter().find(|(sign, _)| user_agent.contains(sign)).map(|&(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_called_what_its_person_calls_it() {
        let windows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)";
        let chrome = format!("{windows} Chrome/142.0.0.0 Safari/537.36");
        for (user_agent, words) in [
            (chrome.as_str(), "Chrome on Windows"),
            (&format!("{chrome} Edg/142.0.0.0"), "Edge on Windows"),
            (&format!("{chrome} OPR/120.0.0.0"), "Opera on Windows"),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Version/26.0 Safari/605.1.15",
                "Safari on macOS",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 CriOS/142.0.0.0 Mobile/15E148 Safari/604.1",
                "Chrome on iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 \
                 Chrome/130.0.0.0 Mobile Safari/537.36",
                "Samsung Internet on Android",
            ),
            ("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0)", "ChromeOS"),
            ("curl/8.5.0", "Unknown browser"),
        ] {
            assert_eq!(in_words(Some(user_agent)), words, "{user_agent}");
        }
        assert_eq!(in_words(None), "Unknown browser");
    }

    #[test]
    fn a_phone_is_told_from_a_computer() {
        assert!(is_handheld(Some("Mozilla/5.0 (Linux; Android 10; K)")));
        assert!(!is_handheld(Some("Mozilla/5.0 (X11; Linux x86_64)")));
        assert!(!is_handheld(None));
    }
}
