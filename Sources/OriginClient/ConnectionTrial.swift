internal import CCurl
internal import Glibc
internal import Primitives

/// A connection that is made as those of attempts are, and closed again: no request is sent over it, but a TLS handshake, the
/// preface of HTTP/2 where that is agreed on, and CONNECT to a proxy.
///
/// `@safe` because: libcurl has the pointer to it only while `run` holds it.
@safe package final class ConnectionTrial {
    package struct Report: Sendable, Equatable {
        /// What TLS agreed on, as in ALPN (`h2`, `http/1.1`); `nil` if it was not asked, or did not answer.
        package let version: String?
        /// From the lookup of the name to the end of the handshake.
        package let nanoseconds: Int64
    }

    /// The cause in words for an operator. They may name addresses.
    package struct Failure: Error, Sendable, Equatable {
        package let error: CurlError
        package let words: String
    }

    private let deadline: MonotonicInstant
    private var version: String?

    private init(deadline: MonotonicInstant) { self.deadline = deadline }

    /// Connects, on the caller's thread, within the endpoint's `connectTimeout`.
    package static func run(_ endpoint: Endpoint) -> Result<Report, Failure> {
        let start = MonotonicInstant.now
        let trial = ConnectionTrial(deadline: start + endpoint.connectTimeout)
        guard CurlLibrary.isReady, let handle = CurlHandle() else {
            return .failure(Failure(error: .outOfMemory, words: CurlError.outOfMemory.description))
        }
        do throws(CurlError) {
            try trial.connect(endpoint, handle)
            return .success(Report(version: trial.version, nanoseconds: .now - start))
        } catch {
            return .failure(Failure(error: error, words: words(error, handle, endpoint)))
        }
    }

    private func connect(_ endpoint: Endpoint, _ handle: CurlHandle) throws(CurlError) {
        let easy = unsafe handle.easy
        try handle.set(CURLOPT_CONNECT_ONLY, to: 1)
        try handle.setEndpoint(endpoint)
        // HTTP/2 is offered to see whether it is taken.
        let asks = endpoint.isTLS && endpoint.http2 != .off && CurlLibrary.hasSoundHTTP2
        try handle.setVersion(Int(asks ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1))
        try handle.set(CURLOPT_VERBOSE, to: 1)
        let me = unsafe Unmanaged.passUnretained(self).toOpaque()
        try handle.check(unsafe ccurl_set_debug(easy, curlSaysOnTrial))
        try unsafe handle.set(CURLOPT_DEBUGDATA, pointer: me)
        try handle.check(unsafe ccurl_set_progress(easy, curlGoesOnTrying))
        try unsafe handle.set(CURLOPT_XFERINFODATA, pointer: me)
        if let name = OriginName(endpoint) {
            let addresses = try NameLookups.shared.addresses(of: name.name, until: deadline)
            try handle.setAddresses(try CurlAddresses(name, addresses))
        }
        try handle.setConnectTimeout(max(1, deadline - .now))
        let code = unsafe curl_easy_perform(easy)
        if code == CURLE_ABORTED_BY_CALLBACK { throw .timeout }
        if let fault = handle.connectFault(code) { throw fault }
        guard code == CURLE_OK else { throw CurlError(code) }
    }

    /// Returns true until the deadline: libcurl ignores its timeouts while a proxy answers CONNECT.
    fileprivate var mayGoOn: Bool { MonotonicInstant.now < deadline }

    /// A message of libcurl's (7.88; earlier ones have a comma for the colon). It has no other way to tell before there is a reply.
    fileprivate func take(_ message: String) {
        for start in ["ALPN: server accepted to use ", "ALPN: server accepted ", "ALPN, server accepted to use "]
        where version == nil && message.hasPrefix(start) {
            version = message.dropFirst(start.count).split(whereSeparator: \.isWhitespace).first.map(String.init)
        }
    }

    private static func words(_ error: CurlError, _ handle: CurlHandle, _ endpoint: Endpoint) -> String {
        if error.isTimeout { return "timed out after \(CurlTime.milliseconds(endpoint.connectTimeout)) ms" }
        if error == .couldNotResolve { return "the name is not known" }
        if error == .couldNotConnect {
            var number = 0
            _ = unsafe ccurl_get_long(handle.easy, CURLINFO_OS_ERRNO, &number)
            if number != 0, let text = unsafe strerror(Int32(truncatingIfNeeded: number)) {
                return unsafe String(cString: text).lowercased()
            }
        }
        return error.rawValue > 0 ? handle.words ?? error.description : error.description
    }
}

/// `CURLOPT_DEBUGFUNCTION` of a trial.
private func curlSaysOnTrial(
    _: OpaquePointer, _ kind: curl_infotype, _ bytes: UnsafeMutablePointer<CChar>?, _ count: Int,
    _ trial: UnsafeMutableRawPointer?
) -> Int32 {
    guard kind == CURLINFO_TEXT, let trial = unsafe trial else { return 0 }
    let text = unsafe UnsafeRawBufferPointer(start: bytes, count: count)
    unsafe Unmanaged<ConnectionTrial>.fromOpaque(trial).takeUnretainedValue().take(
        String(decoding: text, as: UTF8.self))
    return 0
}

/// `CURLOPT_XFERINFOFUNCTION` of a trial. Anything but 0 ends it.
private func curlGoesOnTrying(
    _ trial: UnsafeMutableRawPointer?, _: curl_off_t, _: curl_off_t, _: curl_off_t, _: curl_off_t
) -> Int32 {
    guard let trial = unsafe trial else { return 1 }
    return unsafe Unmanaged<ConnectionTrial>.fromOpaque(trial).takeUnretainedValue().mayGoOn ? 0 : 1
}
