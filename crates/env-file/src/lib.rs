#![doc = include_str!("../README.md")]

use std::path::Path;
use std::{fs, io};

use thiserror::Error;

/// Marks that people and programs put around values: straight ones, and what text editors make of them.
const QUOTATION_MARKS: [char; 12] = ['"', '\'', '`', '´', '“', '”', '„', '‘', '’', '‚', '«', '»'];

/// The number of the first line that is not understood, beginning with 1. The line itself may hold a secret.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("line {0} is not understood")]
pub struct BrokenLine(pub usize);

/// A file that is there and gives no variables.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The file cannot be read.
    #[error("the file cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// One of its lines is broken.
    #[error(transparent)]
    Broken(#[from] BrokenLine),
}

/// Reads a file's variables as names and values, in the order of their lines. A missing file has none.
///
/// # Errors
/// When the file cannot be read, or with the first line that is broken.
pub fn read(path: &Path) -> Result<Vec<(String, String)>, ReadError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let pairs = parse(&bytes)?;
    Ok(pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// Splits a file's content into names and values, in the order of their lines.
///
/// # Errors
/// The first line that is broken.
pub fn parse(content: &[u8]) -> Result<Vec<(&str, &str)>, BrokenLine> {
    // Some editors put a byte order mark in front.
    let content = content.strip_prefix("\u{feff}".as_bytes()).unwrap_or(content);
    let mut pairs = Vec::new();
    for (index, line) in content.split(|&byte| byte == b'\n').enumerate() {
        let broken = || BrokenLine(index + 1);
        let line = str::from_utf8(line).map_err(|_| broken())?.trim();
        if !line.is_empty() && !line.starts_with('#') {
            pairs.push(pair(line).ok_or_else(broken)?);
        }
    }
    Ok(pairs)
}

/// Returns a quotation mark that a value begins or ends with. Whatever passed the value on took the marks for
/// a part of it.
pub fn quotation_mark(value: &str) -> Option<char> {
    let ends = [value.chars().next(), value.chars().next_back()];
    ends.into_iter().flatten().find(|end| QUOTATION_MARKS.contains(end))
}

fn pair(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once('=')?;
    let name = match name.split_once(char::is_whitespace) {
        Some(("export", name)) => name.trim(),
        _ => name.trim_end(),
    };
    let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'));
    is_name.then_some((name, text(value.trim())?))
}

fn text(value: &str) -> Option<&str> {
    for mark in ['"', '\''] {
        if let Some(opened) = value.strip_prefix(mark) {
            return opened.strip_suffix(mark).filter(|inside| !inside.contains(mark));
        }
    }
    let may_be_comment = value.starts_with('#') || value.contains(" #") || value.contains("\t#");
    (!may_be_comment).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(line: &str) -> &str {
        parse(line.as_bytes()).unwrap()[0].1
    }

    #[test]
    fn a_value_is_the_text_as_it_stands() {
        for text in [
            "sqlite:./pa$word.db",
            "mongodb://svc:pa$word@db/app",
            "${HOME}",
            "$$",
            "`id`",
            "$(id)",
            r"C:\new\table",
            r"\",
            r"\$x",
            "a=b==",
            "a#b",
            "two words",
            "é",
            "a'b",
            "a\"b",
        ] {
            assert_eq!(value(&format!("NAME={text}")), text);
            assert_eq!(value(&format!("export NAME = {text} \r\n")), text);
            for mark in ['"', '\''].into_iter().filter(|mark| !text.contains(*mark)) {
                assert_eq!(value(&format!("NAME={mark}{text}{mark}")), text);
            }
        }
        assert_eq!(value("NAME=\" # not a comment \""), " # not a comment ");
        assert_eq!(value("NAME='\"'"), "\"");
        assert_eq!(value("NAME="), "");
        assert_eq!(value("NAME=\"\""), "");
        assert_eq!(value("export=x"), "x");
    }

    #[test]
    fn a_line_that_is_not_understood_is_named_by_its_number() {
        for broken in [
            "no variable",
            "=x",
            "1A=x",
            "A B=x",
            "export A B=x",
            "export A",
            "A\u{e9}=x",
            "A=\"x",
            "A='x",
            "A=\"",
            "A=\"x\"y\"",
            "A=\"x\" # comment",
            "A=x # comment",
            "A=x\t# comment",
            "A= # comment",
        ] {
            let content = format!("FIRST=1\r\n\n  # a comment = none\n{broken}\nLAST=9\n");
            assert_eq!(parse(content.as_bytes()), Err(BrokenLine(4)), "{broken}");
        }
        assert_eq!(parse(b"A=1\nB=\xff\n"), Err(BrokenLine(2)));
    }

    #[test]
    fn lines_are_read_as_editors_write_them() {
        let pairs = parse("\u{feff}A=1\r\n\r\n#B=2\nA=3".as_bytes()).unwrap();
        assert_eq!(pairs, [("A", "1"), ("A", "3")]);
        assert_eq!(parse(b""), Ok(Vec::new()));
    }

    #[test]
    fn a_missing_file_has_no_variables_and_an_unreadable_one_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(".env");
        assert_eq!(read(&file).unwrap(), []);
        fs::write(&file, "A=$B\n").unwrap();
        assert_eq!(read(&file).unwrap(), [("A".to_owned(), "$B".to_owned())]);
        assert!(matches!(read(folder.path()), Err(ReadError::Unreadable(_))));
    }

    #[test]
    fn marks_at_either_end_are_found() {
        for (value, mark) in [
            ("\"1377\"", Some('"')),
            ("'1377'", Some('\'')),
            ("“1377”", Some('“')),
            ("1377\"", Some('"')),
            ("\"", Some('"')),
            ("1377", None),
            ("a\"b", None),
            ("", None),
        ] {
            assert_eq!(quotation_mark(value), mark, "{value}");
        }
    }
}
