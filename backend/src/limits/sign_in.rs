//! Passwords are not guessed: each failure makes the next try at the same account wait longer. Its owner is not locked out:
//! a browser that signed in before has tries of its own.
//!
//! After <https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies>. Nothing here depends on
//! whether the account exists.

use actix_web::HttpRequest;
use actix_web::cookie::Cookie;
use actix_web::cookie::time::Duration as CookieLife;
use jiff::SignedDuration;
use token_vault::{Context, Vault};

use super::{Limits, hashed};
use crate::api_error::ApiError;
use crate::caller::cookies;

/// Failures that cost nothing: people mistype.
const FREE: u32 = 5;

/// Time for which failures are remembered, from the first one on.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24);

/// The first wait; each failure doubles it.
const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(15);

/// No wait is longer.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(15);

/// Bytes that tell one browser from another.
const DEVICE_BYTES: usize = 16;

/// A place for passwords to be tried at one account: a browser that signed in there before, or everybody else together.
pub(crate) struct Tries {
    /// Counts the free tries, and can go on counting when they are used up.
    free: String,
    /// Counts the waits that were opened, each by a try that is not refused.
    waited: String,
    /// Counts who asked during the present wait, beginning with the try that opened it.
    wait: String,
}

impl Tries {
    fn of(who: &str) -> Self {
        let [free, waited, wait] =
            ["failures", "waited", "wait"].map(|count| format!("sign-in:{count}:{who}"));
        Self { free, waited, wait }
    }
}

impl Limits {
    /// Counts a try to prove the password of an account, before it is looked at: of many at once none is free. `device` is what the
    /// browser's [`DeviceCookie`] says. When the
    /// password was right, say so with [`password_was_right`](Self::password_was_right).
    ///
    /// # Errors
    /// `rate_limited`: it is not this try's turn; then the password must not be looked at. `unavailable`.
    pub(crate) async fn try_password(
        &self,
        device: Option<Vec<u8>>,
        email_key: &str,
    ) -> Result<Tries, ApiError> {
        let tries = Tries::of(&hashed(device.as_deref().unwrap_or(email_key.as_bytes())));
        let Some(free) = self.rate_limits.scale(FREE) else { return Ok(tries) };
        let (store, now) = (&self.store, self.clock.now());
        let before = store.tries(&tries.free, now).await?;
        let counted = match before.filter(|tries| tries.count >= free) {
            Some(used_up) => used_up,
            None => store.count_try(&tries.free, REMEMBERED, now).await?,
        };
        if counted.count < free {
            return Ok(tries);
        }
        // The last free try opens the first wait, or one that came after it and was faster. After that, whoever opens the next one may
        // try, and all others have to sit it out: they are refused, and so are no failures.
        let opened = store.tries(&tries.waited, now).await?.map_or(0, |tries| tries.count);
        let wait = store.count_try(&tries.wait, wait_after(opened.saturating_sub(1)), now).await?;
        if wait.count > 1 {
            return Err(ApiError::too_many_passwords(wait.resets_at.duration_since(now)));
        }
        store.count_try(&tries.waited, counted.resets_at.duration_since(now), now).await?;
        Ok(tries)
    }

    /// Forgets what failed before at the same place.
    ///
    /// # Errors
    /// `unavailable`.
    pub(crate) async fn password_was_right(&self, tries: &Tries) -> Result<(), ApiError> {
        if self.is_on() {
            for count in [&tries.free, &tries.waited, &tries.wait] {
                self.store.forget_tries(count).await?;
            }
        }
        Ok(())
    }
}

/// Returns the wait for the next attempt when so many have failed after a wait.
fn wait_after(failures: u32) -> SignedDuration {
    let doubled = FIRST_WAIT.checked_mul(1_i32.checked_shl(failures.min(30)).unwrap_or(i32::MAX));
    doubled.map_or(LONGEST_WAIT, |wait| wait.min(LONGEST_WAIT))
}

/// The cookie by which a browser is known that signed in to an account before. It lets nobody in: it says only whose tries
/// are counted apart. What it says is sealed for the account, so nobody can make one.
#[derive(Clone, Debug)]
pub(crate) struct DeviceCookie {
    secure: bool,
}

impl DeviceCookie {
    /// `secure` when browsers come by https.
    pub(crate) fn new(secure: bool) -> Self {
        Self { secure }
    }

    fn name(&self) -> &'static str {
        if self.secure { "__Host-connect_device" } else { "connect_device" }
    }

    /// The browser's own bytes, where it signed in to this account before.
    pub(crate) fn read(&self, request: &HttpRequest, vault: &Vault, email_key: &str) -> Option<Vec<u8>> {
        let (_, opened) = self.find(request, vault, email_key)?;
        // Apart from any address, so that no account's tries are taken for a browser's.
        Some([b"device\0".as_slice(), &opened].concat())
    }

    /// The cookie that is this account's, and the bytes in it.
    fn find<'a>(
        &self,
        request: &'a HttpRequest,
        vault: &Vault,
        email_key: &str,
    ) -> Option<(&'a str, Vec<u8>)> {
        let mut values = cookies::values(request.headers(), self.name());
        values.find_map(|value| Some((value, vault.open(value, &context(email_key)).ok()?.to_vec())))
    }

    /// The cookie for a browser that has signed in just now, sealed with the key that seals now: the same browser as before,
    /// where the cookie that it has is this account's.
    pub(crate) fn write(&self, request: &HttpRequest, vault: &Vault, email_key: &str) -> Cookie<'static> {
        let bytes = self.find(request, vault, email_key).map_or_else(
            || {
                let mut bytes = vec![0_u8; DEVICE_BYTES];
                getrandom::fill(&mut bytes)
                    .expect("an operating system without random numbers cannot serve anybody");
                bytes
            },
            |(_, present)| present,
        );
        cookies::build(self.name(), vault.seal(&bytes, &context(email_key)), self.secure)
            .max_age(CookieLife::days(400))
            .finish()
    }

    /// The cookie sealed anew, for a browser that is signed in and has one that is sealed with an older key: else it would be
    /// unknown once that key is gone. `None` where nothing is to be done.
    pub(crate) fn renew(
        &self,
        request: &HttpRequest,
        vault: &Vault,
        email_key: &str,
    ) -> Option<Cookie<'static>> {
        let (present, _) = self.find(request, vault, email_key)?;
        (!vault.is_current(present)).then(|| self.write(request, vault, email_key))
    }

    /// The cookie that makes the browser forget.
    pub(crate) fn erase(&self) -> Cookie<'static> {
        cookies::build(self.name(), String::new(), self.secure).max_age(CookieLife::ZERO).finish()
    }
}

fn context(email_key: &str) -> Context<'_> {
    Context { purpose: "deviceCookie", subject: email_key }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_quarter_of_an_hour() {
        let seconds: Vec<_> = (0..8).map(|failures| wait_after(failures).as_secs()).collect();
        assert_eq!(seconds, [15, 30, 60, 120, 240, 480, 900, 900]);
        assert_eq!(wait_after(u32::MAX), LONGEST_WAIT);
    }
}
