import Glibc
import Synchronization
import TestSupport
import Testing

@testable import OriginClient

/// Makes the lookup of two names hang until `end`, whichever thread does it. One of them is then found to be this machine.
struct HungLookup {
    static let name = "hung.invalid"
    static let slowName = "slow.invalid"
    /// The end of a pipe that lookups read from; -1 while none is to hang.
    fileprivate static let gate = Atomic<Int32>(-1)
    /// How many have begun, and how many of them are over.
    fileprivate static let begun = Atomic(0)
    fileprivate static let over = Atomic(0)

    private let ends: [Int32]

    static func begin() -> HungLookup {
        var ends: [Int32] = [-1, -1]
        pipe(&ends)
        begun.store(0, ordering: .relaxed)
        over.store(0, ordering: .relaxed)
        gate.store(ends[0], ordering: .sequentiallyConsistent)
        return HungLookup(ends: ends)
    }

    var count: Int { Self.begun.load(ordering: .sequentiallyConsistent) }

    func end() {
        Self.gate.store(-1, ordering: .sequentiallyConsistent)
        close(ends[1])
        _ = eventually { Self.over.load(ordering: .sequentiallyConsistent) == count }
        close(ends[0])
    }
}

/// A name that has an IPv6 address and an IPv4 one, both this machine's, in this order.
enum TwoFamilies {
    static let name = "both.invalid"
}

/// Takes the place of the C library's function for the whole test process, libcurl included, and passes all names on to it but
/// the two above.
@_cdecl("getaddrinfo")
public func lookUp(
    _ name: UnsafePointer<CChar>?, _ service: UnsafePointer<CChar>?, _ hints: UnsafeRawPointer?,
    _ result: UnsafeMutableRawPointer?
) -> Int32 {
    let isSlow = name.map { strcmp($0, HungLookup.slowName) == 0 } ?? false
    if let name, isSlow || strcmp(name, HungLookup.name) == 0 {
        HungLookup.begun.add(1, ordering: .sequentiallyConsistent)
        defer { HungLookup.over.add(1, ordering: .sequentiallyConsistent) }
        var byte: UInt8 = 0
        _ = read(HungLookup.gate.load(ordering: .sequentiallyConsistent), &byte, 1)
        guard isSlow else { return EAI_FAIL }
    }
    typealias Lookup =
        @convention(c) (
            UnsafePointer<CChar>?, UnsafePointer<CChar>?, UnsafeRawPointer?, UnsafeMutableRawPointer?
        ) -> Int32
    // RTLD_NEXT, which Swift does not see.
    guard let next = dlsym(UnsafeMutableRawPointer(bitPattern: -1), "getaddrinfo") else { return EAI_FAIL }
    // The C library's function of this name has this type.
    let lookUp = unsafeBitCast(next, to: Lookup.self)
    guard let name, strcmp(name, TwoFamilies.name) == 0, let result else {
        return isSlow ? lookUp("127.0.0.1", service, hints, result) : lookUp(name, service, hints, result)
    }
    // The C library frees such a list link by link, so that two of its own make a third.
    var six: UnsafeMutablePointer<addrinfo>?
    var four: UnsafeMutablePointer<addrinfo>?
    var wanted = addrinfo()
    wanted.ai_socktype = Int32(SOCK_STREAM.rawValue)
    guard lookUp("::1", service, &wanted, &six) == 0, lookUp("127.0.0.1", service, &wanted, &four) == 0 else {
        return EAI_FAIL
    }
    six?.pointee.ai_next = four
    result.storeBytes(of: six, as: UnsafeMutablePointer<addrinfo>?.self)
    return 0
}

@Suite("A name lookup that hangs", .serialized, .timeLimit(.minutes(1)))
struct HungLookupTests {
    @Test("goes on beside the attempts that do not wait for it, and the next ones have its answer")
    func slow() throws {
        let origin = try ScriptedOrigin { _, _ in .reply() }
        defer { origin.stop() }
        let lookup = HungLookup.begin()
        let bench = try CurlBench(names: NameLookups())
        var request = AttemptRequest.to(url: "http://\(HungLookup.slowName):\(origin.port)/")
        request.endpoint = request.endpoint.with(connectTimeout: 100_000_000)
        try bench.driver.lookUpAhead([request.endpoint], now: CurlClock.now)
        for _ in 0..<2 {
            let error = try #require(try bench.failure(request))
            #expect(error == .timeout)
            #expect(!error.mayHaveSent)
        }
        #expect(lookup.count == 1, "one lookup for all who wait")
        // One that waits has the answer as soon as it is there.
        request.endpoint = request.endpoint.with(connectTimeout: 10_000_000_000)
        try bench.driver.start(7, request)
        bench.driver.wait(timeout: 0, finished: &bench.finished)
        #expect(bench.finished.isEmpty)
        lookup.end()
        #expect(bench.finish(1).map { (try? $0.result.get())?.status } == [200])
        #expect(try bench.send(request).status == 200)
        #expect(origin.connectionCount == 1)
    }

    @Test("costs an exchange its own time and no other's")
    func exchange() throws {
        let lookup = HungLookup.begin()
        let start = CurlClock.now
        let exchange = AttemptRequest(
            endpoint: Endpoint(url: "http://\(HungLookup.name)/", connectTimeout: 100_000_000), method: .get,
            fields: [], body: [], timeout: 5_000_000_000, maxReplyBytes: 64 * 1024)
        #expect(throws: CurlError.self) { try exchange.perform() }
        #expect(CurlClock.now - start < 3_000_000_000)
        lookup.end()
    }

    @Test("that fails ends those who wait for it at once")
    func failed() throws {
        let lookup = HungLookup.begin()
        let bench = try CurlBench(names: NameLookups())
        for id in 0..<UInt64(3) { try bench.driver.start(id, .to(url: "http://\(HungLookup.name)/")) }
        bench.driver.wait(timeout: 0, finished: &bench.finished)
        #expect(bench.finished.isEmpty)
        lookup.end()
        let finished = bench.finish(3)
        #expect(finished.map(\.result) == Array(repeating: .failure(.couldNotResolve), count: 3))
    }

    @Test("holds up neither its attempt, nor another, nor the driver's end")
    func hung() throws {
        let origin = try ScriptedOrigin { _, _ in .reply() }
        let lookup = HungLookup.begin()
        defer {
            lookup.end()
            origin.stop()
        }
        let start = CurlClock.now
        do {
            let bench = try CurlBench(names: NameLookups())
            var request = AttemptRequest.to(url: "http://\(HungLookup.name)/")
            request.timeout = 200_000_000
            try bench.driver.start(1, request)
            request.timeout = 60_000_000_000
            try bench.driver.start(2, request)
            try bench.driver.start(3, .to(origin))
            let finished = bench.finish(2)
            #expect(finished.map(\.id) == [3, 1])
            #expect(finished.last?.result == .failure(.timeout))
            #expect(lookup.count > 0)
        }
        #expect(CurlClock.now - start < 3_000_000_000)
    }
}
