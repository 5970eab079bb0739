internal import CCurl

/// The addresses of a name as libcurl is given them (`CURLOPT_RESOLVE`).
///
/// `@safe` because: the list is made and freed here alone, does not change, and each handle that libcurl may read it from keeps a
/// reference.
@safe final class CurlAddresses {
    let list: UnsafeMutablePointer<curl_slist>

    /// - Parameter addresses: numeric.
    /// - Throws: `outOfMemory`.
    init(_ name: OriginName, _ addresses: [String]) throws(CurlError) {
        let all = addresses.map { $0.utf8.contains(UInt8(ascii: ":")) ? "[\($0)]" : $0 }.joined(separator: ",")
        guard let list = unsafe curl_slist_append(nil, "\(name.name):\(name.port):\(all)") else { throw .outOfMemory }
        unsafe self.list = list
    }

    deinit { unsafe curl_slist_free_all(list) }
}
