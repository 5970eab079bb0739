internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import NIOSSL

extension RedisError {
    /// What NIO and its TLS say of a connection, in words that tell an operator where to look.
    static func words(of error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError:
            if let failure = error.connectionErrors.first { return words(of: failure.error) }
            return (error.dnsAError ?? error.dnsAAAAError).map { "the name is not found: \($0)" } ?? "\(error)"
        case let error as IOError:
            return unsafe strerror(error.errnoCode).map { unsafe String(cString: $0).lowercased() } ?? "\(error)"
        case is ChannelError where "\(error)".contains("connectTimeout"): return "nobody answers there in time"
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            return "its certificate is for another name"
        default:
            let text = "\(error)"
            return knownFaults.first { text.contains($0.sign) }?.words ?? text
        }
    }

    /// By a part of BoringSSL's texts, which name places in its source.
    private static let knownFaults: [(sign: String, words: String)] = [
        (
            "CERTIFICATE_VERIFY_FAILED",
            "its certificate is not trusted: expired, or not signed by an authority of the CA bundle"
        ),
        ("WRONG_VERSION_NUMBER", "it does not speak TLS there (is it redis:// and not rediss://?)"),
        ("CERTIFICATE_REQUIRED", "it wants a client certificate"),
        ("UNKNOWN_CA", "it does not trust the client certificate"),
        ("uncleanShutdown", "the server has closed it without a word"),
    ]
}
