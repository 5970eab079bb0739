internal import Gateway
internal import HTTPFront

/// The `Cache-Status` field (RFC 9211) of every answer to a call, worded in this one place.
///
/// It says where an answer comes from and why: `hit; ttl=7`, `fwd=stale; ttl=-40; detail=error`, `fwd=miss; collapsed`. How the
/// request ended is its `Outcome`.
enum CacheStatus {
    /// The fields of a stored page: `Age` and `Cache-Status`, which `finishStale` completes if `isStale`.
    ///
    /// - Parameters:
    ///   - age: seconds.
    ///   - ttl: seconds for which the page is fresh yet; below zero if it is not.
    ///   - isStale: whether it is served because no newer page can be had.
    @inline(__always)
    static func page(age: Int64, ttl: Int64, isStale: Bool, _ output: inout OutputSpan<UInt8>) {
        output.text("Age: ")
        output.number(age)
        output.text("\r\nCache-Status: jobs-proxy; ")
        output.text(isStale ? "fwd=stale; ttl=" : "hit; ttl=")
        output.number(ttl)
        if !isStale { output.text("\r\n") }
    }

    /// Completes the field of a page that is served because no newer one can be had.
    ///
    /// - Parameter status: that of the service's answer; `nil` without one.
    static func finishStale(_ reason: PageUse.Reason, _ status: Int?, _ response: inout ResponseWriter) {
        finish(status: status, &response)
        response.text("; detail=")
        response.text(Array(reason.rawValue.utf8))
        response.text("\r\n")
    }

    /// The field of an answer that was fetched.
    ///
    /// - Parameter status: that of the service's answer if it is an error.
    static func forwarded(_ role: Verdict.Role, status: Int? = nil, _ response: inout ResponseWriter) {
        response.field("Cache-Status") { response in
            switch role {
            case .leader: response.text("jobs-proxy; fwd=miss")
            case .follower: response.text("jobs-proxy; fwd=miss; collapsed")
            case .noCache: response.text("jobs-proxy; fwd=request")
            case .pass: response.text("jobs-proxy; fwd=bypass")
            }
            finish(status: status, &response)
        }
    }

    private static func finish(status: Int?, _ response: inout ResponseWriter) {
        guard let status else { return }
        response.text("; fwd-status=")
        response.number(Int64(status))
    }

    /// The field of an error that the gateway answers itself.
    static func local(_ detail: String, _ response: inout ResponseWriter) {
        response.field("Cache-Status") { response in
            response.text("jobs-proxy; detail=")
            response.text(Array(detail.utf8))
        }
    }

    /// The field of a call that a limit refuses: 64 bytes at most.
    @inline(__always)
    static func throttled(_ scope: ThrottleScope, _ output: inout OutputSpan<UInt8>) {
        switch scope {
        case .caller: output.text("Cache-Status: jobs-proxy; detail=throttled-caller\r\n")
        case .domain: output.text("Cache-Status: jobs-proxy; detail=throttled-domain\r\n")
        case .quota: output.text("Cache-Status: jobs-proxy; detail=throttled-quota\r\n")
        case .waiters: output.text("Cache-Status: jobs-proxy; detail=throttled-waiters\r\n")
        }
    }
}
