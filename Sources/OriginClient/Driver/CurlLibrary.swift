package import Primitives
internal import CCurl
internal import Glibc

/// The library's set-up, and what its version can do.
enum CurlLibrary {
    /// Set up on first use, for the life of the process. A write to a closed TLS connection would raise SIGPIPE, which
    /// would end the process: it is ignored from then on.
    static let isReady: Bool = {
        signal(SIGPIPE, SIG_IGN)
        return curl_global_init(Int(CURL_GLOBAL_SSL)) == CURLE_OK
    }()

    /// Below 7.88.1 HTTP/2 bodies could be corrupted (curl issue 10525).
    static let hasSoundHTTP2 = version >= 0x07_58_01 && features & CURL_VERSION_HTTP2 != 0

    /// Below 8.0.0 a request on a plain TCP connection that speaks HTTP/2 fails if it asks for that by prior knowledge itself
    /// and is not the first (curl issue 10634).
    static let canRepeatPriorKnowledge = version >= 0x08_00_00

    private static let version = unsafe ccurl_version().pointee.version_num
    private static let features = unsafe ccurl_version().pointee.features
}

extension MonotonicInstant {
    /// By the kernel's monotonic clock, which event loops use too.
    package static var now: Self {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Self(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}

/// libcurl's unit of time.
enum CurlTime {
    /// Whole milliseconds, rounded up, from 1 to what libcurl takes.
    static func milliseconds(_ nanoseconds: Int64) -> Int {
        guard nanoseconds > 0 else { return 1 }
        return Int(min((nanoseconds - 1) / 1_000_000 + 1, Int64(Int32.max)))
    }
}

/// The authorities that libcurl trusts where no file of them is given.
package enum SystemTrust {
    /// The file and the directory that libcurl was built with; `nil` where it was built without.
    package static var places: (file: String?, directory: String?) {
        func text(_ pointer: UnsafePointer<CChar>?) -> String? { unsafe pointer.map { unsafe String(cString: $0) } }
        let version = unsafe ccurl_version().pointee
        return unsafe (text(version.cainfo), text(version.capath))
    }
}
