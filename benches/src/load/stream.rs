//! A client's socket, with or without TLS.

use rustix::{
    fd::OwnedFd,
    io::Errno,
    net::{RecvFlags, SendFlags, recv, send},
};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use std::{
    io::{self, Read, Write},
    sync::Arc,
};

/// A connected socket that never waits.
#[derive(Debug)]
pub(super) struct Stream {
    socket: OwnedFd,
    /// In a box, since most runs have none.
    tls: Option<Box<ClientConnection>>,
}

impl Stream {
    pub(super) fn new(socket: OwnedFd, tls: Option<ClientConnection>) -> Stream {
        let tls = tls.map(Box::new);
        Stream { socket, tls }
    }

    /// Sends what the socket takes. Neither a full socket nor a broken one is an error here: epoll reports both.
    pub(super) fn send(&mut self, unsent: &mut Vec<u8>) {
        let Some(tls) = &mut self.tls else {
            if !unsent.is_empty()
                && let Ok(sent) = send(&self.socket, unsent, SendFlags::NOSIGNAL)
            {
                unsent.drain(..sent);
            }
            return;
        };
        // Its own buffer takes less than everything only while the handshake goes on.
        if let Ok(taken) = tls.writer().write(unsent) {
            unsent.drain(..taken);
        }
        while tls.wants_write() && tls.write_tls(&mut Socket(&self.socket)).is_ok() {}
    }

    /// Reads what is there; 0 is the end of the stream.
    pub(super) fn recv(&mut self, buf: &mut [u8]) -> Result<usize, Errno> {
        let Some(tls) = &mut self.tls else {
            return Ok(recv(&self.socket, buf, RecvFlags::empty())?.0);
        };
        loop {
            match tls.reader().read(buf) {
                Ok(read) => return Ok(read),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return Err(Errno::PROTO),
            }
            let read = tls.read_tls(&mut Socket(&self.socket));
            if read.map_err(|e| Errno::from_io_error(&e).unwrap_or(Errno::PROTO))? == 0 {
                return Ok(0);
            }
            tls.process_new_packets().map_err(|_| Errno::PROTO)?;
            while tls.wants_write() && tls.write_tls(&mut Socket(&self.socket)).is_ok() {}
        }
    }

    /// Whether a short read may leave something behind that raises no event.
    pub(super) fn buffers(&self) -> bool {
        self.tls.is_some()
    }
}

struct Socket<'a>(&'a OwnedFd);

impl Read for Socket<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        Ok(recv(self.0, buf, RecvFlags::empty())?.0)
    }
}

impl Write for Socket<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        Ok(send(self.0, buf, SendFlags::NOSIGNAL)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// TLS for clients of this machine's loopback, where any certificate will do.
pub(super) fn tls_config() -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

pub(super) fn tls_client(config: &Arc<ClientConfig>) -> Result<ClientConnection, rustls::Error> {
    let name = ServerName::from(std::net::IpAddr::from([127, 0, 0, 1]));
    ClientConnection::new(config.clone(), name)
}

/// Signatures are checked, for the sake of the time that it takes; whose they are is not.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
