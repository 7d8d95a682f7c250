//! TLS as the clients use it: rustls on `ring`, trusting what the operating system trusts.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;

/// The protocols offered, best first.
const ALPN: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// A TLS configuration. The provider is given here and not installed for the whole process, which is for the program
/// to decide.
///
/// With `trust_system_roots` false, no server is trusted: for clients that only speak http, such as those of a simulator,
/// which then work where no certificates are installed. Redirects are not followed, so nothing leads from there to https.
///
/// # Errors
/// When the operating system has no certificates.
pub(crate) fn client_config(trust_system_roots: bool) -> Result<ClientConfig, rustls::Error> {
    let provider: Arc<CryptoProvider> = ring::default_provider().into();
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let builder = if trust_system_roots {
        builder.with_platform_verifier()?
    } else {
        builder.with_root_certificates(RootCertStore::empty())
    };
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = ALPN.map(Vec::from).into();
    Ok(config)
}
