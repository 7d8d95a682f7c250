//! The made-up people of a simulated provider, from the start or added.

use std::collections::HashMap;
use std::fmt::Debug;
use std::ops::{Index, IndexMut};

use serde::de::DeserializeOwned;
use serde_json::Value;

/// One person's account at a provider.
pub trait Account: Debug + Send + 'static {
    /// What the admin route can change of it.
    type Change: DeserializeOwned + 'static;

    /// Returns its name: lower-case letters, digits, dots and underscores.
    fn username(&self) -> &str;

    /// Makes an account with everything set, from its number.
    fn added(username: String, number: u64) -> Self;

    /// Changes what is given, and leaves the rest.
    fn change(&mut self, change: Self::Change);

    /// Returns it as the admin routes show it.
    fn describe(&self) -> Value;
}

/// Every account, found by its place in the order of their making, or by its name.
#[derive(Debug)]
pub struct Accounts<A> {
    list: Vec<A>,
    by_username: HashMap<String, usize>,
    /// Number of accounts from the start.
    named: usize,
}

/// Reasons why an account cannot be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddError {
    /// The name cannot stand in pages and URLs as it is.
    InvalidUsername,
    /// Another account has the name.
    Taken,
}

impl AddError {
    /// Says it in a sentence.
    pub fn message(self) -> &'static str {
        match self {
            Self::InvalidUsername => "username is 1 to 30 lower-case letters, digits, dots and underscores",
            Self::Taken => "there is an account of this name",
        }
    }
}

impl<A: Account> Accounts<A> {
    /// Begins with these accounts.
    pub fn new(list: Vec<A>) -> Self {
        let by_username =
            list.iter().enumerate().map(|(place, account)| (account.username().to_owned(), place)).collect();
        let named = list.len();
        Self { list, by_username, named }
    }

    /// Adds an account with a profile of its own.
    ///
    /// # Errors
    ///
    /// Where the name is taken, or is not 1 to 30 lower-case letters, digits, dots and underscores.
    pub fn add(&mut self, username: &str) -> Result<&A, AddError> {
        // The consent page and URLs hold user names as they are.
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_');
        if username.is_empty() || username.len() > 30 || !username.bytes().all(allowed) {
            return Err(AddError::InvalidUsername);
        }
        if self.by_username.contains_key(username) {
            return Err(AddError::Taken);
        }
        let place = self.list.len();
        self.by_username.insert(username.to_owned(), place);
        self.list.push(A::added(username.to_owned(), place as u64));
        Ok(&self.list[place])
    }

    /// Returns the place of the account of this name.
    pub fn place(&self, username: &str) -> Option<usize> {
        self.by_username.get(username).copied()
    }

    /// Returns all of them, in the order of their making.
    pub fn all(&self) -> &[A] {
        &self.list
    }

    /// Returns the accounts from the start. The consent page lists these alone, so that it stays a page.
    pub fn named(&self) -> &[A] {
        &self.list[..self.named]
    }
}

impl<A> Index<usize> for Accounts<A> {
    type Output = A;

    fn index(&self, place: usize) -> &A {
        &self.list[place]
    }
}

impl<A> IndexMut<usize> for Accounts<A> {
    fn index_mut(&mut self, place: usize) -> &mut A {
        &mut self.list[place]
    }
}
