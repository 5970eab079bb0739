/// The versions of HTTP that an endpoint is spoken to with.
public enum HTTP2Mode: String, Sendable, CaseIterable {
    /// HTTP/2 if the endpoint agrees to it in the TLS handshake (ALPN, RFC 9113 section 3.2), else HTTP/1.1. An
    /// `http://` endpoint gets HTTP/1.1.
    case auto
    /// HTTP/1.1 only.
    case off
    /// HTTP/2 by prior knowledge over plain TCP (RFC 9113 section 3.3). Over TLS the same as `auto`: libcurl negotiates by ALPN in
    /// either case.
    case priorKnowledge = "prior-knowledge"
}
