internal import Primitives
internal import CCurl

// The callbacks of libcurl, which it calls from within `curl_multi_perform`. They stand at file level because a closure for C that is
// formed in an isolated context traps on another thread. None of them may call libcurl, except for information on the transfer.
//
// The userdata is an unretained `CurlTransfer`, or `HTTP1Connection`: the driver keeps it alive for as long as it is in the multi
// handle.

/// `CURLOPT_WRITEFUNCTION`: a piece of the body. Anything but its length ends the transfer, or holds it up.
func curlBrought(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ transfer: UnsafeMutableRawPointer?
) -> Int {
    guard let transfer = unsafe object(transfer, CurlTransfer.self) else { return 0 }
    guard !transfer.mustWait() else { return Int(CURL_WRITEFUNC_PAUSE) }
    let piece = unsafe octets(bytes, count)
    return unsafe transfer.collector.takeBody(piece.span) ? count : 0
}

/// `CURLOPT_HEADERFUNCTION`: one line of a head or a trailer, whole. Anything but its length ends the transfer.
func curlBroughtLine(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ transfer: UnsafeMutableRawPointer?
) -> Int {
    guard let transfer = unsafe object(transfer, CurlTransfer.self) else { return 0 }
    let line = unsafe octets(bytes, count)
    return unsafe transfer.collector.takeLine(line.span) ? count : 0
}

/// `CURLOPT_SOCKOPTFUNCTION`: a socket has been made, to connect by it.
func curlOpened(_ transfer: UnsafeMutableRawPointer?, _ socket: curl_socket_t, _ purpose: curlsocktype) -> Int32 {
    unsafe object(transfer, CurlTransfer.self)?.opened(socket)
    return CURL_SOCKOPT_OK
}

/// `CURLOPT_OPENSOCKETFUNCTION`: a socket is wanted. The userdata is the handle.
func curlMakesSocket(
    _ handle: UnsafeMutableRawPointer?, _ purpose: curlsocktype, _ address: UnsafeMutablePointer<curl_sockaddr>?
) -> curl_socket_t {
    guard let handle = unsafe object(handle, CurlHandle.self), let address = unsafe address?.pointee else {
        return CURL_SOCKET_BAD
    }
    return handle.makeSocket(address.family, address.socktype, address.protocol)
}

/// `CURLOPT_CLOSESOCKETFUNCTION`: a socket is to be closed, perhaps long after the handle that opened it has gone.
func curlClosesSocket(_: UnsafeMutableRawPointer?, _ socket: curl_socket_t) -> Int32 { SocketCount.close(socket) }

/// `CURLOPT_DEBUGFUNCTION`: libcurl's messages about a transfer, and the bytes that it sends and reads.
func curlSays(
    _: OpaquePointer, _ kind: curl_infotype, _ bytes: UnsafeMutablePointer<CChar>?, _ count: Int,
    _ transfer: UnsafeMutableRawPointer?
) -> Int32 {
    guard kind == CURLINFO_TEXT, let transfer = unsafe object(transfer, CurlTransfer.self) else { return 0 }
    let text = unsafe octets(bytes, count)
    if let notice = unsafe HTTP2Notice(text.span) { transfer.take(notice) }
    return 0
}

/// `CURLOPT_XFERINFOFUNCTION`: libcurl still reads a proxy's answer. Anything but 0 ends the transfer.
func curlGoesOn(
    _ transfer: UnsafeMutableRawPointer?, _: curl_off_t, _: curl_off_t, _: curl_off_t, _: curl_off_t
) -> Int32 {
    guard let transfer = unsafe object(transfer, CurlTransfer.self) else { return 1 }
    return transfer.mayGoOn(now: .now) ? 0 : 1
}

/// The same while an HTTP/1.1 connection is made, which is its userdata.
func curlGoesOnConnecting(
    _ connection: UnsafeMutableRawPointer?, _: curl_off_t, _: curl_off_t, _: curl_off_t, _: curl_off_t
) -> Int32 {
    guard let connection = unsafe object(connection, HTTP1Connection.self) else { return 1 }
    return connection.mayGoOn(now: .now) ? 0 : 1
}

/// `CURLOPT_PREREQFUNCTION`: the connection is ready, and the request is sent next.
func curlIsAboutToSend(
    _ transfer: UnsafeMutableRawPointer?, _ remote: UnsafeMutablePointer<CChar>?, _ local: UnsafeMutablePointer<CChar>?,
    _ remotePort: Int32, _ localPort: Int32
) -> Int32 {
    guard let transfer = unsafe object(transfer, CurlTransfer.self) else { return CURL_PREREQFUNC_ABORT }
    let address = if let remote = unsafe remote { unsafe String(cString: remote) } else { "" }
    let key = CurlConnections.Key(localPort: localPort, remoteAddress: address, remotePort: remotePort)
    return transfer.maySend(over: key) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
}

/// libcurl documents the size of an element as 1, so that the count is in bytes.
private func octets(_ bytes: UnsafeMutablePointer<CChar>?, _ count: Int) -> UnsafeBufferPointer<UInt8> {
    unsafe UnsafeBufferPointer(start: UnsafeRawPointer(bytes)?.assumingMemoryBound(to: UInt8.self), count: count)
}

private func object<T: AnyObject>(_ userdata: UnsafeMutableRawPointer?, _ type: T.Type) -> T? {
    unsafe userdata.map { unsafe Unmanaged<T>.fromOpaque($0).takeUnretainedValue() }
}
