//! Access to environment variables, and what can be wrong with one.

use std::collections::HashMap;
use std::ffi::OsString;
use std::ops::RangeInclusive;
use std::path::Path;

use env_file::{BrokenLine, ReadError};
use thiserror::Error;
use url::Url;

/// Names the file that variables come from beside the process's own environment.
const FILE: &str = ".env";

/// The environment as it was at start.
#[derive(Default)]
pub struct Variables(HashMap<String, String>);

/// A variable that keeps the program from starting.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{variable}: expected {accepts}")]
pub struct ConfigError {
    /// The variable's name.
    pub variable: &'static str,
    /// Values that the variable accepts, to be read after "expected".
    pub accepts: String,
}

impl ConfigError {
    /// For a variable and what it accepts.
    pub fn new(variable: &'static str, accepts: impl Into<String>) -> Self {
        Self { variable, accepts: accepts.into() }
    }
}

impl Variables {
    /// The process's own environment over what a `.env` file in the working folder says.
    ///
    /// # Errors
    /// When there is a `.env` that cannot be read or understood; a line of it is named by its number.
    pub fn of_process_and_file() -> Result<Self, ConfigError> {
        let of_file = env_file::read(Path::new(FILE)).map_err(|error| match error {
            ReadError::Unreadable(cause) => ConfigError::new(FILE, format!("a readable file; {cause}")),
            // The line itself is not shown: it may hold a secret.
            ReadError::Broken(BrokenLine(number)) => ConfigError::new(
                FILE,
                format!(
                    "NAME=value in line {number}, a value with a # after a blank in quotation marks, comments in lines of \
                     their own"
                ),
            ),
        })?;
        let mut variables = HashMap::from_iter(of_file);
        variables.extend(Self::of_process().0);
        Ok(Self(variables))
    }

    /// The process's own environment alone.
    pub(crate) fn of_process() -> Self {
        // What is not UTF-8 is kept as text that its variable will refuse, rather than passed over for a default.
        let as_text = |(name, value): (OsString, OsString)| {
            (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned())
        };
        Self(std::env::vars_os().map(as_text).collect())
    }

    /// Makes a variable unset; `false` when it was.
    pub(crate) fn remove(&mut self, name: &str) -> bool {
        let was_set = self.text(name).is_some();
        self.0.remove(name);
        was_set
    }

    /// Returns the value of a variable; an empty one counts as unset, since that is what deployment tools
    /// leave behind.
    ///
    /// # Errors
    /// When there are quotation marks around it: no value has any, and some readers of env files pass them
    /// on.
    pub fn get(&self, name: &'static str) -> Result<Option<&str>, ConfigError> {
        let value = self.text(name);
        match value.and_then(env_file::quotation_mark) {
            Some(mark) => Err(ConfigError::new(
                name,
                format!("a value without quotation marks; this one has a {mark} at its beginning or end"),
            )),
            None => Ok(value),
        }
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// The value of a variable, or what stands for it.
    ///
    /// # Errors
    /// As of [`get`](Self::get).
    pub fn get_or<'a>(&'a self, name: &'static str, default: &'a str) -> Result<&'a str, ConfigError> {
        Ok(self.get(name)?.unwrap_or(default))
    }

    /// The values of variables that are of use together only, or the names of those that are missing.
    ///
    /// # Errors
    /// As of [`get`](Self::get).
    pub(super) fn all_of<const N: usize>(
        &self,
        names: [&'static str; N],
    ) -> Result<Result<[&str; N], Vec<&'static str>>, ConfigError> {
        let (mut values, mut missing) = ([""; N], Vec::new());
        for (place, name) in values.iter_mut().zip(names) {
            match self.get(name)? {
                Some(value) => *place = value,
                None => missing.push(name),
            }
        }
        Ok(if missing.is_empty() { Ok(values) } else { Err(missing) })
    }

    /// A number within bounds.
    pub(super) fn whole_number(
        &self,
        name: &'static str,
        default: u32,
        bounds: RangeInclusive<u32>,
    ) -> Result<u32, ConfigError> {
        let Some(text) = self.get(name)? else { return Ok(default) };
        text.parse().ok().filter(|number| bounds.contains(number)).ok_or_else(|| {
            ConfigError::new(name, format!("a whole number from {} to {}", bounds.start(), bounds.end()))
        })
    }

    /// An `http` or `https` URL without credentials, query and fragment.
    pub(super) fn web_url(&self, name: &'static str, default: &str) -> Result<Url, ConfigError> {
        Url::parse(self.get_or(name, default)?)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .filter(|url| url.username().is_empty() && url.password().is_none())
            .filter(|url| url.query().is_none() && url.fragment().is_none())
            .ok_or_else(|| ConfigError::new(name, format!("an http or https URL such as {default}")))
    }

    /// A URL of which only the origin is used. One with a path is refused, since the path would be passed over.
    pub(super) fn web_origin(&self, name: &'static str, default: &str) -> Result<Url, ConfigError> {
        let url = self.web_url(name, default)?;
        if url.path() != "/" {
            return Err(ConfigError::new(
                name,
                format!("an http or https URL without a path, such as {default}"),
            ));
        }
        Ok(url)
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Variables {
    fn from_iter<T: IntoIterator<Item = (&'a str, &'a str)>>(pairs: T) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}
