//! Output of commands: tables for people, JSON for scripts.

use std::io::{self, IsTerminal, Write};

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};
use serde::Serialize;
use shared::Timestamp;

/// Columns below which a column of sentences is not made narrower.
const NARROWEST_SENTENCE: u16 = 20;

/// Prints one JSON document.
pub(super) fn print_json<T: Serialize>(document: &T) -> io::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, document)?;
    writeln!(out)
}

/// Prints a line of text.
pub(super) fn print_line(text: &str) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{}", for_terminal(text))
}

/// Prints a table: with lines and as wide as the terminal, or plain and one line a row where it is read by something else.
pub(super) fn print_table<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> io::Result<()> {
    let mut table = Table::new();
    table.set_header(header);
    table.add_rows(rows.into_iter().map(|row| row.map(|cell| for_terminal(&cell))));
    if io::stdout().is_terminal() {
        table.load_style(presets::UTF8_FULL_CONDENSED);
        table.set_content_arrangement(ContentArrangement::Dynamic);
        // An id that is broken over lines cannot be copied; only the last column has sentences.
        let mut constraints = [ColumnConstraint::ContentWidth; N];
        if let Some(last) = constraints.last_mut() {
            *last = ColumnConstraint::LowerBoundary(Width::Fixed(NARROWEST_SENTENCE));
        }
        table.set_constraints(constraints);
    } else {
        table.load_style(presets::NOTHING);
        table.force_no_tty();
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
    }
    let mut out = io::stdout().lock();
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// A text without what could steer a terminal: some of it was typed by strangers.
pub(super) fn for_terminal(text: &str) -> String {
    text.chars().map(|c| if is_harmless(c) { c } else { '\u{FFFD}' }).collect()
}

/// Control characters move the cursor, direction marks make text read as another one.
fn is_harmless(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// A time for people, in UTC.
pub(super) fn minutes(time: &Timestamp) -> String {
    let text = time.as_str();
    text.get(.."2025-11-10T15:30".len()).unwrap_or(text).replace('T', " ")
}

/// Tells whether colour is wanted: at a terminal that shows it, unless `NO_COLOR` says otherwise
/// (<https://no-color.org>).
pub(super) fn has_colour() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_none_or(|terminal| terminal == "dumb");
    io::stdout().is_terminal() && !is_set("NO_COLOR") && !is_dumb
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_strangers_typed_steers_the_terminal() {
        assert_eq!(for_terminal("a\u{1b}[2Jb\n\u{202e}c\u{9b}"), "a\u{FFFD}[2Jb\u{FFFD}\u{FFFD}c\u{FFFD}");
        assert_eq!(for_terminal("Göteborg 🎨 店"), "Göteborg 🎨 店");
    }
}
