//! Rules for values that people type, checked in the form first and in the API always.
//!
//! Each function returns what is wrong as a sentence fragment for under the field, or `None`.

/// Fewest characters of a password.
pub const PASSWORD_MIN: usize = 10;
/// Most characters of a password.
pub const PASSWORD_MAX: usize = 256;
/// Most characters of an email address (RFC 5321's path limit less its brackets).
pub const EMAIL_MAX: usize = 254;
/// Most characters of a display name.
pub const NAME_MAX: usize = 100;
/// Most characters of a host application's user id.
pub const HOST_USER_ID_MAX: usize = 200;
/// Most characters of a `returnTo` path.
pub const RETURN_PATH_MAX: usize = 1024;

/// Returns what is wrong with an email address. Loose on purpose: only a message that arrives proves one.
pub fn email(text: &str) -> Option<&'static str> {
    let text = text.trim();
    if text.is_empty() {
        return Some("Enter your email address");
    }
    if text.chars().count() > EMAIL_MAX {
        return Some("Use at most 254 characters");
    }
    let well_formed = text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && !domain.is_empty()
            && !domain.contains('@')
            && !domain.starts_with('.')
            && !domain.ends_with('.')
            && !text.chars().any(|c| c.is_whitespace() || c.is_control())
    });
    (!well_formed).then_some("Enter an email address like name@example.com")
}

/// Returns what is wrong with a new password.
pub fn password(text: &str) -> Option<&'static str> {
    match text.chars().count() {
        0 => Some("Enter a password"),
        n if n < PASSWORD_MIN => Some("Use at least 10 characters"),
        n if n > PASSWORD_MAX => Some("Use at most 256 characters"),
        _ => None,
    }
}

/// Returns what is wrong with the password by which a person proves who they are. Only the service knows which one it is.
pub fn present_password(text: &str) -> Option<&'static str> {
    text.is_empty().then_some("Enter your password")
}

/// Returns what is wrong with the name of an API key.
pub fn key_name(text: &str) -> Option<&'static str> {
    match text.trim() {
        "" => Some("Give the key a name"),
        text => name(text),
    }
}

/// Returns what is wrong with a choice of so many things.
pub fn chosen(count: usize) -> Option<&'static str> {
    (count == 0).then_some("Choose at least one")
}

/// Returns what is wrong with a display name.
pub fn name(text: &str) -> Option<&'static str> {
    if text.chars().count() > NAME_MAX {
        return Some("Use at most 100 characters");
    }
    text.chars().any(char::is_control).then_some("Use plain text")
}

/// Returns what is wrong with the id of a host application's user. Words that stand for something else in an
/// address are refused, since such a user could never be named there.
pub fn host_user_id(text: &str) -> Option<&'static str> {
    match text.chars().count() {
        0 => return Some("Give your application's id of the user"),
        n if n > HOST_USER_ID_MAX => return Some("Use at most 200 characters"),
        _ => {}
    }
    if matches!(text, "me" | "callback" | "." | "..") {
        return Some("This word has a meaning of its own in addresses");
    }
    text.chars().any(|c| !is_printable(c)).then_some("Use printable characters only")
}

/// Tells whether a character shows what it is: no control character, no line or paragraph separator, no
/// character that is invisible or changes the direction of others, and none that stands for what could not be
/// decoded. Two ids that look the same must not differ by one of these.
fn is_printable(c: char) -> bool {
    let is_invisible = matches!(
        c,
        '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFD}' | '\u{E0000}'..='\u{E007F}'
    );
    !c.is_control() && !is_invisible && (c == ' ' || !c.is_whitespace())
}

/// Tells whether a path of the frontend is safe to send a browser to: it cannot leave the origin, whatever
/// parses it.
///
/// Browsers read `\` as `/`, drop tabs and newlines, and take `//host` for another host.
pub fn is_return_path(text: &str) -> bool {
    let path = text.split(['?', '#']).next().unwrap_or_default();
    text.starts_with('/')
        && text.len() <= RETURN_PATH_MAX
        && !path.contains("//")
        && !text.contains('\\')
        && !text.chars().any(|c| c.is_control() || c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_needs_one_at_and_two_sides() {
        assert_eq!(email("a@b"), None);
        assert_eq!(email("  Ada@Example.com "), None);
        for bad in ["", "a", "@b", "a@", "a@b@c", "a b@c", "a@.c", "a@c.", "a\u{0}@c"] {
            assert!(email(bad).is_some(), "{bad:?}");
        }
    }

    #[test]
    fn a_password_is_counted_in_characters_not_bytes() {
        assert!(password("ääääääääää").is_none());
        assert!(password("äääääääää").is_some());
        assert!(password(&"x".repeat(256)).is_none());
        assert!(password(&"x".repeat(257)).is_some());
    }

    #[test]
    fn a_host_user_id_is_any_printable_text_but_a_reserved_word() {
        let longest = "ä".repeat(200);
        for good in ["1", "user-123", "usr_0", "host:usr_0", "a/b?c#d%2F", "Göteborg 店", "null", &longest]
        {
            assert_eq!(host_user_id(good), None, "{good:?}");
        }
        let too_long = "ä".repeat(201);
        for bad in [
            "",
            "me",
            "callback",
            ".",
            "..",
            "a\nb",
            "a\0",
            "a\u{202e}b",
            "a\u{200b}b",
            "a\u{a0}b",
            "\u{fffd}",
            &too_long,
        ] {
            assert!(host_user_id(bad).is_some(), "{bad:?}");
        }
    }

    #[test]
    fn a_return_path_never_leaves_the_origin() {
        for good in ["/", "/integrations", "/a?next=https://x.example//y", "/a#b"] {
            assert!(is_return_path(good), "{good:?}");
        }
        let bad = [
            "",
            "integrations",
            "//evil.example",
            "https:evil",
            "https://evil.example",
            "/\\evil",
            "\\/evil",
            "/\t/evil.example",
            "/.//evil.example",
            "/a\nb",
            "javascript:alert(1)",
            " /a",
            "/a b",
        ];
        for path in bad {
            assert!(!is_return_path(path), "{path:?}");
        }
        assert!(!is_return_path(&format!("/{}", "a".repeat(RETURN_PATH_MAX))));
    }
}
