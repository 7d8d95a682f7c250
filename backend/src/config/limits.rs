//! Limits on how often a client may ask, and the way to know the client.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{ConfigError, Variables};

/// Rate limits, and which proxies say truly from where a request comes.
#[derive(Clone, Debug)]
pub struct LimitsConfig {
    /// `RATE_LIMITS`: whether there are limits, and how wide they are.
    pub rate_limits: RateLimits,
    /// `TRUSTED_PROXIES`: whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
}

/// Value of `RATE_LIMITS`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RateLimits {
    /// There are none: for closed networks and tests.
    Off,
    /// The usual ones, times this; 1 is `on`.
    Times(f64),
}

impl RateLimits {
    /// A usual limit as it is here: at least 1. `None` where there are none.
    pub fn scale(self, usual: u32) -> Option<u32> {
        match self {
            Self::Off => None,
            // A cast from a float stops at the largest number there is.
            Self::Times(factor) => Some(((f64::from(usual) * factor).round() as u32).max(1)),
        }
    }
}

impl LimitsConfig {
    /// Reads the variables named at the fields.
    ///
    /// # Errors
    /// On a wrong value.
    pub fn from_env(variables: &Variables) -> Result<Self, ConfigError> {
        Ok(Self { rate_limits: rate_limits(variables)?, trusted_proxies: trusted_proxies(variables)? })
    }
}

fn rate_limits(variables: &Variables) -> Result<RateLimits, ConfigError> {
    let name = "RATE_LIMITS";
    match variables.get_or(name, "on")? {
        "on" => Ok(RateLimits::Times(1.0)),
        "off" => Ok(RateLimits::Off),
        factor => {
            let factor = factor.parse().ok().filter(|factor: &f64| factor.is_finite() && *factor > 0.0);
            let accepts = "on, off, or a number above 0 that all limits are multiplied by";
            factor.map(RateLimits::Times).ok_or_else(|| ConfigError::new(name, accepts))
        }
    }
}

fn trusted_proxies(variables: &Variables) -> Result<Vec<IpNet>, ConfigError> {
    let name = "TRUSTED_PROXIES";
    let Some(text) = variables.get(name)? else { return Ok(Vec::new()) };
    let parsed: Option<Vec<_>> = text.split(',').map(|entry| network(entry.trim())).collect();
    let accepts = "IP addresses and networks such as 10.0.0.1,192.168.0.0/16, separated by commas";
    parsed.ok_or_else(|| ConfigError::new(name, accepts))
}

/// A network, or an address as a network of one.
fn network(text: &str) -> Option<IpNet> {
    text.parse().or_else(|_| text.parse().map(|address: IpAddr| IpNet::from(address.to_canonical()))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &'static str, value: &str) -> Result<LimitsConfig, ConfigError> {
        LimitsConfig::from_env(&Variables::from_iter([(name, value)]))
    }

    #[test]
    fn limits_are_on_off_or_multiplied() {
        let of = |text: &str| read("RATE_LIMITS", text).map(|config| config.rate_limits);
        assert_eq!(of(""), Ok(RateLimits::Times(1.0)));
        assert_eq!(of("on"), Ok(RateLimits::Times(1.0)));
        assert_eq!(of("off"), Ok(RateLimits::Off));
        assert_eq!(of("0.5"), Ok(RateLimits::Times(0.5)));
        for wrong in ["0", "-1", "NaN", "inf", "1e999", "ON", "false", "2x"] {
            assert_eq!(of(wrong).unwrap_err().variable, "RATE_LIMITS", "{wrong}");
        }
    }

    #[test]
    fn no_factor_makes_a_limit_that_lets_nobody_in() {
        assert_eq!(RateLimits::Times(0.001).scale(60), Some(1));
        assert_eq!(RateLimits::Times(2.5).scale(60), Some(150));
        assert_eq!(RateLimits::Times(f64::MAX).scale(60), Some(u32::MAX));
        assert_eq!(RateLimits::Off.scale(60), None);
    }

    #[test]
    fn proxies_are_addresses_and_networks() {
        let of = |text: &str| read("TRUSTED_PROXIES", text).map(|config| config.trusted_proxies);
        assert_eq!(of(""), Ok(vec![]));
        let read = of("10.0.0.1, 192.168.0.0/16 ,::1,fd00::/8").unwrap();
        let shown: Vec<_> = read.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["10.0.0.1/32", "192.168.0.0/16", "::1/128", "fd00::/8"]);
        for wrong in ["proxy.example.com", "10.0.0.0/33", "10.0.0.1,", "*"] {
            assert_eq!(of(wrong).unwrap_err().variable, "TRUSTED_PROXIES", "{wrong}");
        }
    }
}
