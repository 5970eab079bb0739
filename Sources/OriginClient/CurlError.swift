internal import CCurl
internal import Glibc

/// Why an attempt brought no reply: a `CURLcode`, or one of the driver's own reasons, from -1 to -99. Values from -100 down are for
/// modules that interpret replies.
///
/// The set is open: a later libcurl may return codes that are not named here. Two errors are equal if they name the
/// same fault; `mayHaveSent` and `words` are circumstances of it.
package struct CurlError: Error, Sendable, Equatable {
    package let rawValue: Int32
    /// True if the origin may have processed the request. If false, no byte of it has left, or the origin has said that it did
    /// not process it; sending it again is safe for any request.
    package let mayHaveSent: Bool
    /// The `errno` of a local fault, the status of a proxy's refusal, and 0 for all others.
    package let detail: Int32
    /// What libcurl or OpenSSL says of it; it may name addresses, so it is for operators alone.
    package var words: String?

    package init(rawValue: Int32, mayHaveSent: Bool = false, detail: Int32 = 0) {
        self.rawValue = rawValue
        self.mayHaveSent = mayHaveSent
        self.detail = detail
    }

    init(_ code: CURLcode, mayHaveSent: Bool = false) {
        self.init(rawValue: Int32(truncatingIfNeeded: code.rawValue), mayHaveSent: mayHaveSent)
    }

    package static func == (left: CurlError, right: CurlError) -> Bool {
        left.rawValue == right.rawValue && left.detail == right.detail
    }
}

// MARK: The driver's own

extension CurlError {
    /// The body grew beyond `AttemptRequest.maxReplyBytes`, or its `Content-Length` said that it would.
    package static let replyTooLarge = CurlError(rawValue: -1, mayHaveSent: true)
    /// The reply's heads, interim ones and trailers counted, grew beyond `ReplyCollector.maxHeadBytes`.
    package static let headTooLarge = CurlError(rawValue: -2, mayHaveSent: true)
    /// libcurl was about to send the request a second time, without a reason that it would tell. The retry policy decides if it is
    /// sent again.
    package static let silentResend = CurlError(rawValue: -3, mayHaveSent: true)
    /// The origin has reset the request's stream with REFUSED_STREAM, or has ended the connection by a GOAWAY that leaves the
    /// stream out. It has not processed the request (RFC 9113 section 8.7).
    package static let refusedStream = CurlError(rawValue: -8)
    /// A header field's name is no token, or its value holds CR, LF or NUL.
    package static let badField = CurlError(rawValue: -4)
    /// An attempt of this id is in flight.
    package static let duplicateID = CurlError(rawValue: -5)
    /// The multi handle refused a call.
    package static let driverFault = CurlError(rawValue: -6)

    /// The proxy has answered CONNECT with a status other than 2xx.
    package static func proxyRefused(status: Int32) -> CurlError { CurlError(rawValue: -9, detail: status) }

    /// This machine or process lacks something that a connection takes; the service has not been asked.
    ///
    /// - Parameter code: as in `errno`.
    package static func localFault(_ code: Int32) -> CurlError { CurlError(rawValue: -10, detail: code) }
}

// MARK: libcurl's, as far as they are used by name

extension CurlError {
    package static let badURL = CurlError(CURLE_URL_MALFORMAT)
    package static let couldNotResolve = CurlError(CURLE_COULDNT_RESOLVE_HOST)
    package static let couldNotConnect = CurlError(CURLE_COULDNT_CONNECT)
    /// A reply that cannot be read without guessing, or a status that is not 200…599.
    package static let badReply = CurlError(CURLE_WEIRD_SERVER_REPLY, mayHaveSent: true)
    /// The body ended before its length was reached or its last chunk had come.
    package static let cutShort = CurlError(CURLE_PARTIAL_FILE, mayHaveSent: true)
    package static let outOfMemory = CurlError(CURLE_OUT_OF_MEMORY)
    package static let timeout = CurlError(CURLE_OPERATION_TIMEDOUT)
    /// The connection was closed before a byte of the reply came.
    package static let nothingReceived = CurlError(CURLE_GOT_NOTHING, mayHaveSent: true)
    /// The connection was reset while the reply was awaited or read.
    package static let receiveFailed = CurlError(CURLE_RECV_ERROR, mayHaveSent: true)
    /// The connection ended while the request was sent.
    package static let sendFailed = CurlError(CURLE_SEND_ERROR, mayHaveSent: true)
    /// The connection ended with a fault of HTTP/2 that concerns all its streams.
    package static let brokenHTTP2 = CurlError(CURLE_HTTP2, mayHaveSent: true)
    package static let badCertificate = CurlError(CURLE_PEER_FAILED_VERIFICATION)
}

// MARK: Classification

extension CurlError {
    /// True if the time for connecting, or for the whole attempt, ran out.
    package var isTimeout: Bool { self == .timeout }

    /// True if name lookup, connecting, the proxy's tunnel or the TLS handshake failed, so that no byte was sent. A
    /// timeout among these counts as a timeout only; its `mayHaveSent` is false.
    package var isConnectFailure: Bool {
        isProxyRefusal || rawValue == -10 || rawValue > 0 && !mayHaveSent && !isTimeout && !isRefusedByLibrary
    }

    /// True if the connection ended before the reply was complete.
    package var isLostConnection: Bool {
        [.silentResend, .nothingReceived, .receiveFailed, .sendFailed, .brokenHTTP2].contains(self)
    }

    /// True if a proxy refused to connect to the origin. Its configuration says so, so it would refuse again.
    package var isProxyRefusal: Bool { rawValue == -9 }

    /// True if this machine lacks something: ports, descriptors, memory. The service was not asked.
    package var isLocalFault: Bool { rawValue == -10 || self == .outOfMemory || self == .driverFault }

    /// The faults of this machine alone, not of the peer, by `errno` (Linux, connect(2) and socket(2)).
    static let localFaults: [Int32: String] = [
        EADDRNOTAVAIL: "EADDRNOTAVAIL, all local ports are in use",
        EMFILE: "EMFILE, this process has too many files open",
        ENFILE: "ENFILE, this machine has too many files open",
        ENOMEM: "ENOMEM, there is no memory",
        ENOBUFS: "ENOBUFS, there is no memory for sockets",
        EACCES: "EACCES, it is not permitted",
        EPERM: "EPERM, it is not permitted",
    ]

    /// True if libcurl refused the request itself, before any connection.
    private var isRefusedByLibrary: Bool {
        let code = CURLcode(rawValue: UInt32(bitPattern: rawValue))
        return switch code {
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_FAILED_INIT, CURLE_URL_MALFORMAT, CURLE_NOT_BUILT_IN,
            CURLE_OUT_OF_MEMORY, CURLE_LOGIN_DENIED, CURLE_ABORTED_BY_CALLBACK, CURLE_BAD_FUNCTION_ARGUMENT,
            CURLE_UNKNOWN_OPTION, CURLE_SETOPT_OPTION_SYNTAX:
            true
        default: false
        }
    }
}

extension CurlError: CustomStringConvertible {
    /// A short English phrase without addresses, names or secrets, fit to be shown to a client.
    package var description: String {
        switch self {
        case .replyTooLarge: return "the reply's body is too large"
        case .headTooLarge: return "the reply's header is too large"
        // Which of these errors it is depends on when libcurl notices.
        case _ where isLostConnection: return "the connection failed before the reply was complete"
        case .refusedStream: return "the service refused the request before it looked at it"
        case _ where isProxyRefusal: return "the proxy refused the connection with status \(detail)"
        case _ where rawValue == -10:
            let fault = Self.localFaults[detail] ?? "errno \(detail), the system refused"
            return "no connection could be opened from here: \(fault)"
        case .badField: return "a header field is not well-formed"
        case .duplicateID, .driverFault: return "internal error"
        case .badReply: return "the reply is not well-formed"
        case .cutShort: return "the reply was cut short"
        case .badCertificate: return "the server's certificate could not be verified"
        default: break
        }
        guard rawValue > 0, let text = unsafe curl_easy_strerror(CURLcode(rawValue: UInt32(bitPattern: rawValue)))
        else {
            return "internal error"
        }
        return unsafe String(cString: text)
    }
}
