//! A certificate of this run for servers on this machine. `openssl` makes it.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    },
};

/// The certificates of the machine, as far as it has them where Debian has them.
const ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Makes a certificate for this machine, and a file that has it.
#[must_use]
pub fn certified(file: &Path) -> TlsAcceptor {
    let key = file.with_extension("key");
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-nodes", "-days", "1", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
    openssl.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]);
    openssl.args(["-addext", "basicConstraints=critical,CA:FALSE"]).arg("-keyout").arg(&key).arg("-out").arg(file);
    let made = openssl.stderr(Stdio::null()).status().expect("openssl makes the certificate");
    assert!(made.success(), "openssl: {made}");
    let certificate = CertificateDer::from_pem_file(file).unwrap();
    let private = PrivateKeyDer::from_pem_file(&key).unwrap();
    fs::remove_file(key).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], private)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// Makes a file that has a certificate beside the machine's own: reading those is a part of a cold start.
pub fn bundle(certificate: &Path, file: &Path) {
    let roots = fs::read_to_string(ROOTS).unwrap_or_default();
    fs::write(file, fs::read_to_string(certificate).unwrap() + &roots).unwrap();
}
