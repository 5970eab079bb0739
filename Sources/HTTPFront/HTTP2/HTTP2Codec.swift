internal import NIOHTTP2

/// NIO's codec of HTTP/2 as this server sets it up, and the connection preface of clients.
enum HTTP2Codec {
    static func make(_ limits: HTTPLimits, _ failure: GoAwayWatch) -> NIOHTTP2Handler {
        var configuration = NIOHTTP2Handler.ConnectionConfiguration()
        configuration.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: limits.maxStreams),
            HTTP2Setting(parameter: .initialWindowSize, value: limits.streamWindow),
            HTTP2Setting(parameter: .maxHeaderListSize, value: limits.headerListBytes),
        ]
        // The stream checks both, so that the client gets an answer and the refusal is counted by its reason.
        configuration.headerBlockValidation = .disabled
        configuration.contentLengthValidation = .disabled
        configuration.maximumBufferedControlFrames = 1000
        return NIOHTTP2Handler(mode: .server, frameDelegate: failure, connectionConfiguration: configuration)
    }

    /// Tells the client the last request that is answered.
    static func goAway(after id: HTTP2StreamID) -> HTTP2Frame {
        HTTP2Frame(streamID: .rootStream, payload: .goAway(lastStreamID: id, errorCode: .noError, opaqueData: nil))
    }

    /// RFC 9113, section 3.4.
    private static let preface: StaticString = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

    /// Returns true if `bytes` begin with the connection preface; `nil` if there are too few bytes to tell.
    static func hasPreface(_ bytes: Span<UInt8>) -> Bool? {
        let length = preface.utf8CodeUnitCount
        for index in 0..<min(bytes.count, length) where unsafe bytes[index] != preface.utf8Start[index] { return false }
        return bytes.count >= length ? true : nil
    }
}

/// Remembers whether the codec has broken off the connection. Its other errors concern single streams.
final class GoAwayWatch: NIOHTTP2FrameDelegate {
    /// The code of the GOAWAY that broke off the connection.
    private(set) var code: HTTP2ErrorCode?

    func wroteFrame(_ frame: HTTP2Frame) {
        if case .goAway(_, let code, _) = frame.payload, code != .noError { self.code = code }
    }
}
