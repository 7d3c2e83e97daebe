//! Encrypted connections: which certificates they trust, and which they show.

use super::{Place, Redis, is_encrypted};
use crate::ConnectError;
use redis::{Client, ClientTlsConfig, TlsCertificates};
use rustls::crypto::{CryptoProvider, ring};

/// What was given; without it, connections trust what the system trusts and show nothing.
#[derive(Clone, Default)]
pub(super) struct Certificates(Option<TlsCertificates>);

impl Certificates {
    pub(super) fn given(&self) -> Option<&TlsCertificates> {
        self.0.as_ref()
    }

    fn given_mut(&mut self) -> &mut TlsCertificates {
        self.0.get_or_insert(TlsCertificates {
            client_tls: None,
            root_cert: None,
        })
    }
}

impl Redis {
    /// Trusts servers with a certificate of this authority, or of these, instead of those that the system trusts: for servers with
    /// an authority of their own. It is in PEM. The certificate of a server names the host of the URL, for Sentinels and a Cluster
    /// also those hosts that these name.
    ///
    /// ```no_run
    /// use rooms_redis::{Classic, Redis};
    ///
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let redis = Redis::standalone("rediss://redis.internal:6380/")?
    ///     .root_certificate(std::fs::read("/etc/ssl/internal.pem")?)?;
    /// let adapter = Classic::connect(redis).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if there is no certificate in it, and where the URLs are not `rediss://`.
    #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Result<Self, ConnectError> {
        let pem = pem.into();
        check(&pem, CERTIFICATE, "root_certificate")?;
        self.certificates.given_mut().root_cert = Some(pem);
        self.with_certificates("root_certificate")
    }

    /// Shows this certificate to the server, which has `tls-auth-clients` then: in PEM, with those that lead from it to the
    /// authority, and its key.
    ///
    /// # Errors
    ///
    /// Fails if there is no certificate or no key in it, and where the URLs are not `rediss://`.
    #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
    pub fn client_certificate(
        mut self,
        pem: impl Into<Vec<u8>>,
        key: impl Into<Vec<u8>>,
    ) -> Result<Self, ConnectError> {
        let (client_cert, client_key) = (pem.into(), key.into());
        check(&client_cert, CERTIFICATE, "client_certificate")?;
        check(&client_key, KEY, "client_certificate")?;
        self.certificates.given_mut().client_tls = Some(ClientTlsConfig {
            client_cert,
            client_key,
        });
        self.with_certificates("client_certificate")
    }

    /// Puts the certificates beside the addresses.
    fn with_certificates(mut self, setting: &'static str) -> Result<Self, ConnectError> {
        let certificates = self.certificates.given_mut().clone();
        let nodes = match &mut self.place {
            Place::Standalone(node) => std::slice::from_mut(node),
            Place::Sentinel {
                sentinels: nodes, ..
            }
            | Place::Cluster(nodes) => nodes,
        };
        for node in nodes {
            if !is_encrypted(node) {
                return Err(ConnectError::Setting {
                    setting,
                    fault: "is for connections that are encrypted, whose URLs begin with `rediss://`",
                });
            }
            let client = Client::build_with_tls(node.clone(), certificates.clone());
            let client = client.map_err(|error| ConnectError::Certificate {
                setting,
                cause: error.to_string(),
            })?;
            *node = client.get_connection_info().clone();
        }
        Ok(self)
    }
}

const CERTIFICATE: &str = "CERTIFICATE-----";
const KEY: &str = "PRIVATE KEY-----";

/// Whether there is such a thing. What is no PEM at all would be read as a list of none.
fn check(pem: &[u8], what: &str, setting: &'static str) -> Result<(), ConnectError> {
    let is_there = pem.windows(what.len()).any(|part| part == what.as_bytes());
    let missing = || ConnectError::Certificate {
        setting,
        cause: format!("there is no `-----BEGIN .. {what}` in it"),
    };
    is_there.then_some(()).ok_or_else(missing)
}

/// Where the application has not said what encrypts, and rustls could choose between several, it would panic.
pub(super) fn choose_provider() {
    if CryptoProvider::get_default().is_none() {
        // Somebody else may have been quicker, which is as good.
        ring::default_provider().install_default().ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redis(scheme: &str) -> Redis {
        Redis::standalone(&format!("{scheme}://127.0.0.1/")).expect("a URL")
    }

    #[track_caller]
    fn check_refused(made: Result<Redis, ConnectError>, expected: &str) {
        let error = made.expect_err("it is refused").to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn certificates_that_can_not_be_used_are_told_at_the_start() {
        const NO_BASE64: &str = "-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n";
        check_refused(redis("rediss").root_certificate("nothing"), "there is no");
        check_refused(redis("rediss").root_certificate(NO_BASE64), "PEM");
        check_refused(
            redis("rediss").client_certificate(NO_BASE64, "no key"),
            "PRIVATE KEY",
        );
        check_refused(redis("redis").root_certificate(NO_BASE64), "`rediss://`");
    }
}
