//! Checks that the configuration makes sense.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use shared::Provider;
use url::{Host, Url};

use super::check::Check;
use super::found::{Found, redirect_variable};
use super::urls::callbacks;
use crate::config::{EncryptionConfig, LimitsConfig, RateLimits, ServerConfig};

/// Everything that can be told from the configuration alone.
pub(super) fn check(found: &Found) -> Vec<Check> {
    let mut checks: Vec<Check> = found
        .problems
        .iter()
        .map(|problem| {
            let advice =
                "the service does not start before this is right; docs/configuration.md has every variable";
            Check::failed("configuration", problem.to_string(), advice)
        })
        .collect();
    if checks.is_empty() {
        checks.push(Check::ok("configuration", "every variable is understood"));
    }
    checks.extend(Provider::ALL.into_iter().filter_map(|provider| app(found, provider)));
    checks.extend(Provider::ALL.into_iter().filter_map(|provider| redirect_uri(found, provider)));
    if let Some(server) = &found.server {
        checks.extend(https(found, server));
        checks.extend(web_app(found, server));
        checks.extend(browsers(found, server));
        checks.extend(found.limits.as_ref().and_then(|limits| proxies(found, server, limits)));
    }
    checks.extend(found.encryption.as_ref().filter(|_| !found.is_wrong("TOKEN_ENCRYPTION_KEYS")).map(keys));
    checks
}

/// Checks that a provider's app is set up. One provider is enough.
fn app(found: &Found, provider: Provider) -> Option<Check> {
    let (name, id) = match provider {
        Provider::Instagram => ("instagram app", "app id"),
        Provider::Spotify => ("spotify app", "client id"),
    };
    if !found.is_set_up(provider) && Provider::ALL.into_iter().any(|other| found.is_set_up(other)) {
        let message = format!("not set up, so nobody can connect {}", provider.title());
        return Some(Check::ok(name, message));
    }
    let missing = found.missing(provider);
    if missing.is_empty() {
        return Some(Check::ok(name, format!("{id}, secret and redirect URI are set")));
    }
    // What is wrong has been said.
    let missing: Vec<_> = missing.iter().filter(|name| !found.is_wrong(name)).copied().collect();
    (!missing.is_empty()).then(|| {
        let message = format!("not set: {}", missing.join(", "));
        let advice = "nobody can connect before; docs/oauth-setup.md says where they are found";
        Check::failed(name, message, advice)
    })
}

/// Checks that a provider sends people back to this service.
fn redirect_uri(found: &Found, provider: Provider) -> Option<Check> {
    let name = match provider {
        Provider::Instagram => "redirect URI",
        Provider::Spotify => "spotify redirect URI",
    };
    let uri = found.redirect_uri(provider)?;
    let ours = callbacks(found, provider);
    if ours.is_empty() {
        return None;
    }
    if ours.contains(&uri) {
        return Some(Check::ok(name, format!("{uri} leads to this service")));
    }
    let bare = |uri: &str| uri.trim_end_matches('/').split_once("://").map(|(_, rest)| rest.to_lowercase());
    let cause = match ours.iter().find(|our| bare(our) == bare(&uri)) {
        Some(our) if our.trim_end_matches('/') == uri.trim_end_matches('/') => {
            "a slash at its end is too many"
        }
        Some(_) => "http or https, or upper case, differs",
        None => "it leads elsewhere, or PUBLIC_URL or FRONTEND_URL is not what browsers see",
    };
    let message = format!("{uri} is not one of this service's callback addresses: {cause}");
    let variable = redirect_variable(provider);
    let advice = format!("set {variable}, and the dashboard's entry, to {}", ours.join(" or "));
    Some(Check::failed(name, message, advice))
}

/// Checks that browsers come by https. On this machine they need not.
fn https(found: &Found, server: &ServerConfig) -> Option<Check> {
    let redirect = |provider| Some((redirect_variable(provider), found.redirect_uri(provider)?));
    let redirects = Provider::ALL.into_iter().filter_map(redirect);
    let known: Vec<_> = [
        ("PUBLIC_URL", Some(server.public_url.clone())),
        ("FRONTEND_URL", Some(server.frontend_url.clone())),
    ]
    .into_iter()
    .chain(redirects.map(|(variable, uri)| (variable, Url::parse(&uri).ok())))
    .filter(|(variable, _)| !found.is_wrong(variable))
    .filter_map(|(variable, url)| Some((variable, url?)))
    .collect();
    let is_plain = |url: &Url| url.scheme() == "http" && !is_local(url);
    let plain: Vec<_> =
        known.iter().filter(|(_, url)| is_plain(url)).map(|&(variable, _)| variable).collect();
    if !plain.is_empty() {
        let message = format!("http for another machine than this: {}", plain.join(", "));
        let advice =
            "use https: providers send nobody back by http, and the session cookie could be read on the way";
        return Some(Check::failed("https", message, advice));
    }
    if known.is_empty() {
        return None;
    }
    let all_https = known.iter().all(|(_, url)| url.scheme() == "https");
    Some(Check::ok("https", if all_https { "everywhere" } else { "not needed on this machine itself" }))
}

fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Checks that the session cookie reaches the backend from the web app.
fn web_app(found: &Found, server: &ServerConfig) -> Option<Check> {
    if ["PUBLIC_URL", "FRONTEND_URL"].iter().any(|variable| found.is_wrong(variable)) {
        return None;
    }
    let (public, frontend) = (server.public_origin(), server.frontend_origin());
    Some(if public == frontend {
        Check::ok("web app", format!("it and the API have one address, {public}"))
    } else if server.frontend_dist.is_some() {
        let message = format!("FRONTEND_DIST serves it at {public}, and FRONTEND_URL is {frontend}");
        Check::warning(
            "web app",
            message,
            "set FRONTEND_URL to PUBLIC_URL, so that no second origin is let in",
        )
    } else if is_same_site(&server.public_url, &server.frontend_url) {
        Check::ok("web app", format!("{frontend} and {public} are one site"))
    } else {
        let message = format!("FRONTEND_URL {frontend} and PUBLIC_URL {public} look like two sites");
        let advice = "browsers do not send the session cookie from one site to another: nobody could stay signed in. Use \
                      the same scheme and one domain, such as app.example.com and api.example.com";
        Check::failed("web app", message, advice)
    })
}

/// Tells from which addresses pages are accepted. All others count as other sites, and what they send is
/// refused.
fn browsers(found: &Found, server: &ServerConfig) -> Option<Check> {
    let variables = ["BIND_ADDRESS", "PUBLIC_URL", "FRONTEND_URL"];
    if variables.iter().any(|variable| found.is_wrong(variable)) {
        return None;
    }
    let mut origins = vec![server.public_origin(), server.frontend_origin()];
    origins.dedup();
    let origins = origins.join(" and ");
    let reaches_others = !server.bind_address.ip().to_canonical().is_loopback();
    Some(if reaches_others && is_local(&server.public_url) {
        let message = format!(
            "BIND_ADDRESS lets other machines in, and pages are accepted from {origins} only: opened by another address, such \
             as this machine's in the network, the app signs nobody in (cross_site_request)"
        );
        let advice = "set PUBLIC_URL and FRONTEND_URL to the address that browsers use, byte for byte";
        Check::warning("browsers", message, advice)
    } else {
        Check::ok("browsers", format!("pages are accepted from {origins}, and from no other address"))
    })
}

/// Tells how clients are told apart behind a proxy. TLS ends there, so https means that there is one.
fn proxies(found: &Found, server: &ServerConfig, limits: &LimitsConfig) -> Option<Check> {
    let variables = ["PUBLIC_URL", "RATE_LIMITS", "TRUSTED_PROXIES"];
    if variables.iter().any(|variable| found.is_wrong(variable)) || limits.rate_limits == RateLimits::Off {
        return None;
    }
    let networks: Vec<_> = limits.trusted_proxies.iter().map(ToString::to_string).collect();
    Some(if !networks.is_empty() {
        let message =
            format!("the client's address is taken from X-Forwarded-For of {}", networks.join(", "));
        Check::ok("proxies", message)
    } else if server.is_https() {
        let message = "PUBLIC_URL is https, so a proxy is in front, and TRUSTED_PROXIES is not set: all clients have the \
                       proxy's address and share one client's limits";
        let advice = "set TRUSTED_PROXIES to the proxy's address, as this service sees it, and have it add X-Forwarded-For";
        Check::warning("proxies", message, advice)
    } else {
        Check::ok("proxies", "none: the client's address is that of its connection")
    })
}

/// Tells whether browsers take two addresses for the same site: one scheme, and one domain that somebody can
/// own. The list of domains that can be owned changes all the time; two parts of a name are a good guess.
fn is_same_site(one: &Url, other: &Url) -> bool {
    fn domain(url: &Url) -> Option<String> {
        match url.host()? {
            Host::Domain(name) => {
                let parts: Vec<_> = name.rsplitn(3, '.').take(2).collect();
                Some(parts.join("."))
            }
            address => Some(address.to_string()),
        }
    }
    one.scheme() == other.scheme() && domain(one) == domain(other)
}

/// Checks that the key file is the service's alone.
fn keys(encryption: &EncryptionConfig) -> Check {
    let EncryptionConfig::File { keys, database } = encryption else {
        return Check::ok("keys", "given by TOKEN_ENCRYPTION_KEYS");
    };
    let file = keys.display();
    let mode = match fs::metadata(keys) {
        Ok(metadata) => metadata.permissions().mode() & 0o777,
        Err(_) if !database.exists() => {
            return Check::ok("keys", format!("{file} is made along with the database, at the first start"));
        }
        Err(why) => {
            let advice = "restore it from its backup, or set TOKEN_ENCRYPTION_KEYS to the keys in use; without them people have \
                          to reconnect";
            return Check::failed("keys", format!("{file} cannot be read: {why}"), advice);
        }
    };
    if mode & 0o077 == 0 {
        return Check::ok("keys", format!("in {file}, which only its owner can read"));
    }
    let advice =
        format!("chmod 600 {file}; if somebody may have read it, change the key (docs/operations.md)");
    Check::failed(
        "keys",
        format!("{file} has mode {mode:o}: others on this machine can read the keys"),
        advice,
    )
}

#[cfg(test)]
mod tests {
    use super::super::check::Verdict;
    use super::*;
    use crate::config::Variables;

    fn found(pairs: &[(&str, &str)]) -> Found {
        Found::new(Variables::from_iter(pairs.iter().copied()), Vec::new())
    }

    fn messages(pairs: &[(&str, &str)], name: &str) -> Vec<String> {
        let checks = check(&found(pairs));
        checks.into_iter().filter(|check| check.name == name).map(|check| check.message).collect()
    }

    #[test]
    fn every_wrong_variable_is_told_and_the_rest_is_kept() {
        let pairs = [
            ("PUBLIC_URL", "nonsense"),
            ("LOG_FORMAT", "xml"),
            ("REFRESH_WINDOW_DAYS", "0"),
            ("TOKEN_ENCRYPTION_KEYS", "hunter2"),
            ("FRONTEND_URL", "https://app.example.com"),
        ];
        let found = found(&pairs);
        for variable in ["PUBLIC_URL", "LOG_FORMAT", "REFRESH_WINDOW_DAYS", "TOKEN_ENCRYPTION_KEYS"] {
            assert!(found.is_wrong(variable), "{variable}");
        }
        assert_eq!(messages(&pairs, "configuration").len(), 4);
        assert_eq!(found.server.unwrap().frontend_origin(), "https://app.example.com");
    }

    #[test]
    fn a_key_that_has_to_be_there_is_missed_once() {
        assert_eq!(
            messages(&[("DATABASE_URL", "mongodb://db/app"), ("LOG_FORMAT", "xml")], "configuration").len(),
            2
        );
    }

    #[test]
    fn a_redirect_uri_that_is_not_ours_is_told_why() {
        let message = |uri| messages(&[("INSTAGRAM_REDIRECT_URI", uri)], "redirect URI").remove(0);
        assert!(message("http://localhost:4002/auth/instagram/callback").contains("leads to this service"));
        assert!(message("http://localhost:4002/auth/instagram/callback/").contains("a slash"));
        assert!(message("https://localhost:4002/auth/instagram/callback").contains("http or https"));
        assert!(message("https://elsewhere.example/callback").contains("leads elsewhere"));
    }

    #[test]
    fn spotify_sends_people_back_to_this_machine_by_its_number() {
        let told = |uri| messages(&[("SPOTIFY_REDIRECT_URI", uri)], "spotify redirect URI");
        let ours = "http://127.0.0.1:4002/auth/spotify/callback";
        assert_eq!(told(ours), [format!("{ours} leads to this service")]);
        assert!(told("http://127.0.0.1:5176/auth/spotify/callback")[0].contains("leads elsewhere"));
        // The start is refused, with what to write instead.
        let on_localhost = [("SPOTIFY_REDIRECT_URI", "http://localhost:4002/auth/spotify/callback")];
        assert!(messages(&on_localhost, "configuration")[0].contains("write 127.0.0.1 instead"));
        assert!(messages(&on_localhost, "spotify redirect URI").is_empty(), "that has been told");
    }

    #[test]
    fn one_provider_is_enough() {
        let statuses = |pairs: &[(&str, &str)]| {
            let checks = check(&found(pairs)).into_iter();
            let of_apps = checks.filter(|check| ["instagram app", "spotify app"].contains(&check.name));
            of_apps.map(|check| check.status).collect::<Vec<_>>()
        };
        let spotify = [
            ("SPOTIFY_CLIENT_ID", "id"),
            ("SPOTIFY_CLIENT_SECRET", "secret"),
            ("SPOTIFY_REDIRECT_URI", "http://127.0.0.1:4002/auth/spotify/callback"),
        ];
        assert_eq!(statuses(&spotify), [Verdict::Ok, Verdict::Ok]);
        assert_eq!(statuses(&spotify[..2]), [Verdict::Ok, Verdict::Failed]);
        assert_eq!(statuses(&[]), [Verdict::Failed, Verdict::Failed]);
    }

    #[test]
    fn sites_are_told_apart_as_browsers_do() {
        let is_same = |one, other| is_same_site(&Url::parse(one).unwrap(), &Url::parse(other).unwrap());
        assert!(is_same("https://api.example.com", "https://app.example.com"));
        assert!(is_same("http://localhost:1", "http://localhost:2"));
        assert!(!is_same("http://localhost:1", "http://127.0.0.1:1"));
        assert!(!is_same("http://app.example.com", "https://app.example.com"));
        assert!(!is_same("https://example.com", "https://example.org"));
        assert!(!is_same("https://10.0.0.1", "https://10.1.0.1"));
    }

    #[test]
    fn an_address_that_pages_are_not_accepted_from_is_told() {
        let told = |pairs: &[(&str, &str)]| messages(pairs, "browsers").remove(0);
        let usual = told(&[]);
        assert!(
            usual.contains("accepted from http://localhost:4002 and http://localhost:5176, and"),
            "{usual}"
        );
        let home = told(&[("BIND_ADDRESS", "0.0.0.0:4002")]);
        assert!(home.contains("BIND_ADDRESS") && home.contains("http://localhost:4002"), "{home}");
        let address = "http://192.168.1.20:4002";
        let right = [("BIND_ADDRESS", "[::]:4002"), ("PUBLIC_URL", address), ("FRONTEND_URL", address)];
        assert_eq!(told(&right), format!("pages are accepted from {address}, and from no other address"));
        assert!(messages(&[("PUBLIC_URL", "nonsense")], "browsers").is_empty(), "that has been told");
    }

    #[test]
    fn a_proxy_that_is_not_trusted_is_told() {
        let https = ("PUBLIC_URL", "https://connect.example.com");
        let statuses = |pairs: &[(&str, &str)]| {
            let checks = check(&found(pairs)).into_iter();
            checks.filter(|check| check.name == "proxies").map(|check| check.status).collect::<Vec<_>>()
        };
        assert_eq!(statuses(&[https]), [Verdict::Warning]);
        assert_eq!(statuses(&[https, ("TRUSTED_PROXIES", "127.0.0.1")]), [Verdict::Ok]);
        assert_eq!(statuses(&[]), [Verdict::Ok]);
        assert_eq!(statuses(&[https, ("RATE_LIMITS", "off")]), []);
        assert_eq!(statuses(&[https, ("TRUSTED_PROXIES", "nonsense")]), []);
    }

    #[test]
    fn http_is_for_this_machine_only() {
        let plain = [("PUBLIC_URL", "http://connect.example.com"), ("FRONTEND_URL", "http://[::1]:5176")];
        assert_eq!(messages(&plain, "https"), ["http for another machine than this: PUBLIC_URL"]);
        assert_eq!(messages(&[], "https"), ["not needed on this machine itself"]);
    }
}
