//! Numbers, dates and spans of time in the browser's own language and time zone.
//!
//! `Intl` is in every browser, so no date library travels over the wire.

use js_sys::{Array, Date, Intl, Object, Reflect};
use shared::Timestamp;
use wasm_bindgen::JsValue;

const MINUTE: f64 = 60.0;
const HOUR: f64 = 60.0 * MINUTE;
const DAY: f64 = 24.0 * HOUR;
/// A day in milliseconds.
pub const DAY_MS: f64 = DAY * 1000.0;

/// Mean length of a month in the Gregorian calendar.
const MONTH: f64 = 30.436_875 * DAY;

/// Milliseconds since 1970 by the browser's clock.
pub fn now() -> f64 {
    Date::now()
}

/// Milliseconds since 1970.
pub fn milliseconds(time: &Timestamp) -> f64 {
    Date::parse(time.as_str())
}

/// `15,420 followers`, `1 follower`.
pub fn count(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(count), if count == 1 { one } else { many })
}

/// `15,420`.
pub fn number(number: u64) -> String {
    // Counts are far below 2^53, where a float begins to lose digits.
    number_with(&[], number as f64)
}

/// `+120`, `-5`, `0`: from one count to another.
pub fn change(from: u64, to: u64) -> String {
    number_with(&[("signDisplay", "exceptZero")], to as f64 - from as f64)
}

/// `Nov 10, 2025`.
pub fn date(milliseconds: f64) -> String {
    date_with(&[("dateStyle", "medium")], milliseconds)
}

/// `November 10, 2025 at 3:30 PM`: for those who want to know exactly.
pub fn exact(milliseconds: f64) -> String {
    date_with(&[("dateStyle", "long"), ("timeStyle", "short")], milliseconds)
}

/// `Nov 10, 2025, 3:30 PM`.
pub fn moment(milliseconds: f64) -> String {
    date_with(&[("dateStyle", "medium"), ("timeStyle", "short")], milliseconds)
}

/// As much of a time as tells it apart from others within so many milliseconds: `3:30 PM`, `Nov 10`, `Nov 2025`.
pub fn mark(milliseconds: f64, within: f64) -> String {
    let options: &[_] = match within / 1000.0 {
        s if s < 2.0 * DAY => &[("hour", "numeric"), ("minute", "2-digit")],
        s if s < 10.0 * MONTH => &[("month", "short"), ("day", "numeric")],
        _ => &[("month", "short"), ("year", "numeric")],
    };
    date_with(options, milliseconds)
}

/// So many days from now, or ago where it is negative, as the API writes times.
pub fn in_days(days: i32) -> String {
    let then = Date::new(&JsValue::from_f64(now() + f64::from(days) * DAY_MS));
    then.to_iso_string().into()
}

/// `5 minutes ago`, `in 60 days`.
pub fn relative(milliseconds: f64, now: f64) -> String {
    let (value, unit) = span((milliseconds - now) / 1000.0);
    let options = options(&[("numeric", "auto")]);
    Intl::RelativeTimeFormat::new(&Array::new(), &options).format(value, unit).into()
}

/// [`relative`], of what has happened: by a clock that is slow it would be to come.
pub fn ago(milliseconds: f64, now: f64) -> String {
    relative(milliseconds.min(now), now)
}

/// Returns how much is left of a life of so many days, in whole percent.
pub fn life_left(expires_at: f64, now: f64, days: f64) -> u8 {
    // A cast to an integer ends at the integer's own limits; what is left of an expired token is nothing.
    ((expires_at - now) / (days * DAY_MS) * 100.0).min(100.0) as u8
}

/// The nearest whole number of the largest unit that fits, once it is rounded; negative for the past.
///
/// Days go up to 99, so that a token's sixty days read as days.
fn span(seconds: f64) -> (f64, &'static str) {
    let (length, unit) = match seconds.abs() {
        s if s < MINUTE => return (0.0, "second"),
        s if s < 59.5 * MINUTE => (MINUTE, "minute"),
        s if s < 23.5 * HOUR => (HOUR, "hour"),
        s if s < 99.5 * DAY => (DAY, "day"),
        s if s < 11.5 * MONTH => (MONTH, "month"),
        _ => (12.0 * MONTH, "year"),
    };
    ((seconds / length).round(), unit)
}

fn number_with(pairs: &[(&str, &str)], number: f64) -> String {
    formatted(&Intl::NumberFormat::new(&Array::new(), &options(pairs)).format(), number)
}

fn date_with(pairs: &[(&str, &str)], milliseconds: f64) -> String {
    formatted(&Intl::DateTimeFormat::new(&Array::new(), &options(pairs)).format(), milliseconds)
}

fn options(pairs: &[(&str, &str)]) -> Object {
    let options = Object::new();
    for (name, value) in pairs {
        // Setting a plain property of a fresh object cannot fail.
        let _ = Reflect::set(&options, &JsValue::from_str(name), &JsValue::from_str(value));
    }
    options
}

fn formatted(format: &js_sys::Function, value: f64) -> String {
    // An invalid date is the only thing that a formatter refuses; a blank is better than a page that stops.
    format
        .call1(&JsValue::UNDEFINED, &JsValue::from_f64(value))
        .ok()
        .and_then(|text| text.as_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_use_the_largest_unit_that_fits() {
        assert_eq!(span(-4.0), (0.0, "second"));
        assert_eq!(span(-5.0 * MINUTE), (-5.0, "minute"));
        assert_eq!(span(3.0 * HOUR), (3.0, "hour"));
        assert_eq!(span(-DAY), (-1.0, "day"));
        assert_eq!(span(400.0 * DAY), (1.0, "year"));
        assert_eq!(span(120.0 * DAY), (4.0, "month"));
        assert_eq!(span(-59.9 * MINUTE), (-1.0, "hour"));
        assert_eq!(span(23.6 * HOUR), (1.0, "day"));
        assert_eq!(span(11.9 * MONTH), (1.0, "year"));
    }

    #[test]
    fn a_token_of_sixty_days_less_a_minute_has_sixty_days() {
        assert_eq!(span(5_183_944.0), (60.0, "day"));
    }

    #[test]
    fn the_bar_stays_within_its_frame() {
        assert_eq!(life_left(60.0 * DAY_MS, 0.0, 60.0), 100);
        assert_eq!(life_left(30.0 * DAY_MS, 0.0, 60.0), 50);
        assert_eq!(life_left(0.0, 1.0, 60.0), 0);
        assert_eq!(life_left(120.0 * DAY_MS, 0.0, 60.0), 100);
    }
}
