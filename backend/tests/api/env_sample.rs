//! `.env.sample` and `docs/configuration.md` against the configuration.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use backend::config::{Config, Variables};

const SAMPLE: &str = include_str!("../../../.env.sample");
const DOCUMENTATION: &str = include_str!("../../../docs/configuration.md");

/// Returns the names and values of the sample, as if every `#` in front of a name were taken off.
fn sample() -> Vec<(&'static str, &'static str)> {
    let lines = SAMPLE.lines().filter_map(|line| line.strip_prefix('#'));
    lines.filter_map(|line| line.split_once('=')).filter(|(name, _)| is_name(name)).collect()
}

/// Returns the names that the configuration's code has between quotation marks.
fn read_by_the_code() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/config");
    let files = fs::read_dir(folder).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
    let code = files.map(|text| text.split("#[cfg(test)]").next().unwrap().to_owned());
    code.flat_map(|code| code.split('"').filter(|text| is_name(text)).map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

fn is_name(text: &str) -> bool {
    text.contains('_') && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

#[test]
fn the_sample_names_every_variable_once_and_no_other() {
    let names: Vec<_> = sample().into_iter().map(|(name, _)| name.to_owned()).collect();
    let distinct: BTreeSet<_> = names.iter().cloned().collect();
    assert!(distinct.contains("DATABASE_URL"));
    assert_eq!(names.len(), distinct.len(), "a variable is named twice");
    assert_eq!(distinct, read_by_the_code());
}

#[test]
fn the_documentation_has_a_row_for_every_variable() {
    for name in read_by_the_code() {
        assert!(DOCUMENTATION.contains(&format!("| `{name}` | ")), "{name}");
    }
}

#[test]
fn every_value_of_the_sample_is_the_default() {
    let configured =
        |pairs: Vec<_>| format!("{:#?}", Config::from_env(&Variables::from_iter(pairs)).unwrap());
    assert_eq!(configured(sample()), configured(Vec::new()));
}

#[test]
fn the_sample_as_it_stands_sets_nothing() {
    let set: Vec<_> = SAMPLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    assert_eq!(set, Vec::<&str>::new());
}
