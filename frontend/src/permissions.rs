//! The permissions that are asked for, in words.

use shared::permission;

/// One line a permission, for people: what it lets us do.
pub fn label(permission: &str) -> &str {
    match permission {
        permission::BASIC => "Read your profile and posts",
        permission::CONTENT_PUBLISH => "Publish posts, reels and stories",
        permission::MANAGE_MESSAGES => "Read and answer messages",
        // A name that a newer server knows is still better than nothing.
        other => other,
    }
}

/// What a permission that was granted is for.
pub fn purpose(permission: &str) -> &'static str {
    match permission {
        permission::BASIC => "Shows your profile here, and keeps its numbers current.",
        permission::CONTENT_PUBLISH => "Lets us post what you prepare here, when you say so.",
        permission::MANAGE_MESSAGES => "Brings your messages here, and sends your answers.",
        _ => "",
    }
}

/// What does not work without a permission.
pub fn without(permission: &str) -> String {
    format!("Without it we cannot {}.", loss(permission))
}

/// Ends the sentence "Without it we cannot …".
fn loss(permission: &str) -> &'static str {
    match permission {
        permission::BASIC => "show your profile",
        permission::CONTENT_PUBLISH => "publish for you",
        permission::MANAGE_MESSAGES => "answer messages for you",
        _ => "do everything that you expect",
    }
}

/// What the person left out, and what does not work for that.
pub fn left_out(missing: &[String]) -> String {
    let labels: Vec<String> = missing.iter().map(|name| format!("“{}”", label(name))).collect();
    let losses: Vec<&str> = missing.iter().map(|name| loss(name)).collect();
    let it = if missing.len() == 1 { "it" } else { "them" };
    format!("You left out {}. Without {it} we cannot {}.", join(&labels, "and"), join(&losses, "or"))
}

fn join<T: AsRef<str>>(parts: &[T], word: &str) -> String {
    let mut sentence = String::new();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            sentence.push_str(if index + 1 == parts.len() { " " } else { ", " });
            if index + 1 == parts.len() {
                sentence.push_str(word);
                sentence.push(' ');
            }
        }
        sentence.push_str(part.as_ref());
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_missing_and_what_that_costs() {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        assert_eq!(
            left_out(&names(&[permission::CONTENT_PUBLISH])),
            "You left out “Publish posts, reels and stories”. Without it we cannot publish for you."
        );
        assert_eq!(
            left_out(&names(&[permission::CONTENT_PUBLISH, permission::MANAGE_MESSAGES])),
            "You left out “Publish posts, reels and stories” and “Read and answer messages”. \
             Without them we cannot publish for you or answer messages for you."
        );
    }

    #[test]
    fn lists_read_like_sentences() {
        assert_eq!(join(&["a"], "and"), "a");
        assert_eq!(join(&["a", "b", "c"], "and"), "a, b and c");
    }
}
