//! The certificates that a server's certificate must lead to.

use rustls::{ClientConfig, RootCertStore, crypto::ring};
use std::{path::Path, sync::Arc};

/// There is no root certificate where one was said to be.
#[derive(Debug)]
pub(crate) struct NoRoots;

/// Makes the settings of TLS, with the roots compiled in: those of Mozilla, as Amazon Linux has them. If a file or a folder
/// is given, the roots in there count instead.
///
/// # Errors
/// [`NoRoots`] if the file and the folder hold none.
pub(crate) fn tls(file: Option<&Path>, folder: Option<&Path>) -> Result<ClientConfig, NoRoots> {
    let roots = match (file, folder) {
        (None, None) => RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() },
        _ => read(file, folder)?,
    };
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().map_err(|_| NoRoots)?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// Reads what can be read. A bundle may hold a certificate that TLS has no use for.
fn read(file: Option<&Path>, folder: Option<&Path>) -> Result<RootCertStore, NoRoots> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_certs_from_paths(file, folder);
    let (usable, _useless) = roots.add_parsable_certificates(found.certs);
    if usable == 0 { Err(NoRoots) } else { Ok(roots) }
}
