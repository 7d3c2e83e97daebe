//! Certificates that a test makes for itself.

use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
};
use std::{fs, path::PathBuf};
use tempfile::TempDir;

/// An authority that nobody knows, with one certificate for programs at 127.0.0.1. All is in files, which go with it.
#[derive(Debug)]
pub struct Authority {
    folder: TempDir,
}

impl Authority {
    /// Makes one.
    ///
    /// # Panics
    ///
    /// Panics when it can't.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder for temporary files");
        let mut params = CertificateParams::new([]).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name = named("an authority of tests");
        let key = KeyPair::generate().expect("a key");
        let root = params.self_signed(&key).expect("a certificate");
        let issuer = Issuer::new(params, key);

        let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).expect("a name");
        params.distinguished_name = named("a program of tests");
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &issuer).expect("a certificate");

        let made = Self { folder };
        let write = |path, what, der| fs::write(path, pem(what, der)).expect("a file of ours");
        write(made.root(), "CERTIFICATE", root.der());
        write(made.certificate(), "CERTIFICATE", certificate.der());
        write(made.key(), "PRIVATE KEY", key.serialized_der());
        made
    }

    /// Its own certificate, in PEM.
    pub fn root(&self) -> PathBuf {
        self.folder.path().join("root.pem")
    }

    /// The certificate of a program, for both sides of a connection.
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    /// The key of that certificate.
    pub fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

/// OpenSSL takes two names that are the same for one that has signed itself.
fn named(name: &str) -> DistinguishedName {
    let mut names = DistinguishedName::new();
    names.push(DnType::CommonName, name);
    names
}

fn pem(what: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    // RFC 7468, section 2: 64 characters to a line.
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(64)
        .map(String::from_utf8_lossy)
        .collect();
    let lines = lines.join("\n");
    format!("-----BEGIN {what}-----\n{lines}\n-----END {what}-----\n")
}
