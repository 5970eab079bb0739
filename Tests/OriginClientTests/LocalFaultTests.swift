import Glibc
import Synchronization
import TestSupport
import Testing

@testable import OriginClient

/// Makes connecting to one port fail with an `errno`, whoever connects.
enum FailingConnect {
    static let port = Atomic<Int>(-1)
    static let code = Atomic<Int32>(0)
}

/// Takes the place of the C library's function for the whole test process, libcurl included.
@_cdecl("connect")
public func connectOrFail(_ socket: Int32, _ address: UnsafePointer<sockaddr>?, _ size: socklen_t) -> Int32 {
    if let address {
        // The port lies at the same place in both families.
        let port = UnsafeRawPointer(address).loadUnaligned(fromByteOffset: 2, as: UInt16.self)
        if Int(UInt16(bigEndian: port)) == FailingConnect.port.load(ordering: .relaxed) {
            errno = FailingConnect.code.load(ordering: .relaxed)
            return -1
        }
    }
    typealias Connect = @convention(c) (Int32, UnsafePointer<sockaddr>?, socklen_t) -> Int32
    // RTLD_NEXT, which Swift does not see.
    guard let next = dlsym(UnsafeMutableRawPointer(bitPattern: -1), "connect") else { return -1 }
    // The C library's function of this name has this type.
    return unsafeBitCast(next, to: Connect.self)(socket, address, size)
}

@Suite("A fault of this machine", .serialized, .timeLimit(.minutes(1)))
struct LocalFaultTests {
    static let codes: [(Int32, String?)] = [
        (EADDRNOTAVAIL, "EADDRNOTAVAIL, all local ports are in use"),
        (EMFILE, "EMFILE, this process has too many files open"), (ENOMEM, "ENOMEM, there is no memory"),
        (ENOBUFS, "ENOBUFS, there is no memory for sockets"), (ECONNREFUSED, nil), (ENETUNREACH, nil),
        (EHOSTUNREACH, nil),
    ]

    @Test(
        "is named by its errno, and is not the service's", arguments: codes.indices, [HTTP2Mode.off, .priorKnowledge])
    func named(index: Int, mode: HTTP2Mode) throws {
        let (code, words) = Self.codes[index]
        let origin = try ScriptedOrigin { _, _ in .reply() }
        defer {
            FailingConnect.port.store(-1, ordering: .relaxed)
            origin.stop()
        }
        FailingConnect.code.store(code, ordering: .relaxed)
        FailingConnect.port.store(Int(origin.port), ordering: .relaxed)
        var request = AttemptRequest.to(origin)
        request.endpoint = request.endpoint.with(http2: mode)
        let error = try #require(try CurlBench().failure(request))
        #expect(error.isLocalFault == (words != nil))
        #expect(!error.mayHaveSent)
        #expect(error.isConnectFailure)
        if let words { #expect(error.description == "no connection could be opened from here: \(words)") }
    }
}

@Suite("Where no more connections can be opened from here", .serialized, .timeLimit(.minutes(1)))
struct SharedPortTests {
    @Test("attempts wait for one that is open, and use it", arguments: [EADDRNOTAVAIL, EMFILE])
    func reuse(code: Int32) throws {
        let isReleased = Atomic(false)
        let origin = try ScriptedOrigin { _, index in
            .sequence([.run { _ = index > 0 || eventually { isReleased.load(ordering: .acquiring) } }, .reply()])
        }
        defer {
            FailingConnect.port.store(-1, ordering: .relaxed)
            origin.stop()
        }
        let bench = try CurlBench()
        try bench.driver.start(1, .to(origin))
        #expect(bench.pump { origin.requests.count == 1 })
        FailingConnect.code.store(code, ordering: .relaxed)
        FailingConnect.port.store(Int(origin.port), ordering: .relaxed)
        for id in 2...UInt64(5) { try bench.driver.start(id, .to(origin)) }
        #expect(bench.pump { bench.driver.localFault != nil })
        #expect(bench.driver.localFault == .localFault(code))
        #expect(bench.finished.isEmpty)
        isReleased.store(true, ordering: .releasing)
        #expect(bench.finish(5).allSatisfy { (try? $0.result.get())?.status == 200 })
        #expect(origin.connectionCount == 1)
    }
}

/// What a proxy answers to CONNECT.
@Suite("A proxy that refuses to connect", .serialized, .timeLimit(.minutes(1)))
struct ProxyRefusalTests {
    @Test(
        "is named with its status, over both versions of HTTP", arguments: [403, 407, 502, 503], [HTTP2Mode.off, .auto])
    func status(status: Int, mode: HTTP2Mode) throws {
        let proxy = try ScriptedOrigin { _, _ in .reply(status: status, body: "no") }
        defer { proxy.stop() }
        let bench = try CurlBench()
        var request = AttemptRequest.to(url: "https://origin.invalid/")
        request.endpoint = Endpoint(
            url: request.endpoint.url, http2: mode, caBundle: nil, proxy: "http://127.0.0.1:\(proxy.port)",
            maxConnections: 4, connectTimeout: 2_000_000_000)
        let error = try #require(try bench.failure(request))
        #expect(error == .proxyRefused(status: Int32(status)))
        #expect(error.description == "the proxy refused the connection with status \(status)")
        #expect(!error.mayHaveSent && error.isConnectFailure && !error.isLocalFault)
        #expect(proxy.requests.map(\.method) == ["CONNECT"])
    }
}
