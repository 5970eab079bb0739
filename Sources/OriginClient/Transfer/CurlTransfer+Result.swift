internal import CCurl

extension CurlTransfer {
    func result(_ code: CURLcode) -> Result<CurlReply, CurlError> {
        if var fault = fault(code) {
            // Of the driver's own reasons libcurl knows no more.
            if fault.rawValue > 0 || fault.rawValue == -10, collector.fault == nil {
                fault.words = connectWords ?? handle.words
            }
            return .failure(fault)
        }
        // libcurl takes a head that ends with the connection for a reply, and over HTTP/2 sometimes even no head.
        guard collector.hasHead else { return .failure(endOfStream ?? .cutShort) }
        var status: Int?
        if !usesHTTP1Connection {
            var seen = 0
            _ = unsafe ccurl_get_long(easy, CURLINFO_RESPONSE_CODE, &seen)
            status = seen
        }
        guard let reply = collector.reply(status: status) else { return .failure(.badReply) }
        return .success(reply)
    }

    /// Why there is no reply; nil if there may be one.
    private func fault(_ code: CURLcode) -> CurlError? {
        // The collector's own reason first: libcurl only knows that a callback ended the transfer.
        if let fault = collector.fault { return fault }
        if code == CURLE_OK { return nil }
        if isOverdue { return CurlError(CURLE_OPERATION_TIMEDOUT, mayHaveSent: sends > 0) }
        if let fault = connectFault ?? (isLaunched && sends == 0 ? handle.connectFault(code) : nil) { return fault }
        switch code {
        case CURLE_ABORTED_BY_CALLBACK where sends > 1: return isRefused ? .refusedStream : .silentResend
        case _ where collector.version == nil && isLeftOut: return .refusedStream
        case CURLE_PARTIAL_FILE where hasStream: return endOfStream
        // libcurl reads a line of at most 100 KiB, and reports a longer one as lack of memory.
        case CURLE_OUT_OF_MEMORY where sends > 0 && !collector.hasHead: return .headTooLarge
        // It takes a reply without a status line for HTTP/0.9.
        case CURLE_UNSUPPORTED_PROTOCOL where sends > 0: return .badReply
        default: return CurlError(code, mayHaveSent: sends > 0)
        }
    }

    /// The error for a stream that brought no more bytes; nil without a stream. The connection has ended then: libcurl has another code
    /// for a stream that the origin ended.
    private var endOfStream: CurlError? {
        guard hasStream else { return nil }
        return collector.version == nil && isLeftOut ? .refusedStream : .receiveFailed
    }
}
