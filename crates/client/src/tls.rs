//! TLS as this client uses it: rustls on `ring`, trusting what the operating system trusts.

use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;

/// A TLS configuration. The provider is given here and not installed for the whole process, which is for the program to
/// decide.
///
/// Where the service is asked over http, no server is trusted, so that no certificates are needed: redirects are not followed,
/// and nothing leads from there to https.
///
/// # Errors
/// When the operating system has no certificates.
pub(crate) fn client_config(uses_https: bool) -> Result<ClientConfig, rustls::Error> {
    let provider = ring::default_provider().into();
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let builder = if uses_https {
        builder.with_platform_verifier()?
    } else {
        builder.with_root_certificates(RootCertStore::empty())
    };
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
