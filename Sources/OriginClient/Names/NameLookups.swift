internal import Glibc
internal import Locking

/// Looks names up on threads of their own, for all drivers and exchanges of the process.
///
/// libcurl's own lookup ends with the attempt that began it, so the answer of a name server that is slower than that is lost. Here it
/// is kept for the next attempt.
package final class NameLookups: Sendable {
    package static let shared = NameLookups()

    /// How many lookups are made at the same time. Names come from the configuration, so there are few; a name above the limit is
    /// looked up when it is asked for again.
    private static let maxLookups = 16

    private struct State {
        var records: [String: NameRecord] = [:]
        var lookups = 0
        /// Woken when a lookup ends.
        var wakers: [ObjectIdentifier: Waker] = [:]
    }

    private let state = Locked(State())

    /// Asks for the addresses of a name, and has it looked up if they are not known or old.
    func ask(_ name: String, now: Int64) -> NameRecord.Answer {
        let (answer, begins) = state.withLock { state -> (NameRecord.Answer, Bool) in
            guard state.lookups < Self.maxLookups else {
                // No lookup begins, so the record must not note one.
                var record = state.records[name] ?? NameRecord()
                return (record.ask(now: now).answer, false)
            }
            let (answer, begins) = state.records[name, default: NameRecord()].ask(now: now)
            if begins { state.lookups += 1 }
            return (answer, begins)
        }
        if begins { begin(name) }
        return answer
    }

    /// Asks, and waits for an answer up to an instant.
    ///
    /// - Throws: the fault of the lookup, `timeout` at the deadline, or `driverFault` without descriptors.
    func addresses(of name: String, until deadline: Int64) throws(CurlError) -> [String] {
        if case .addresses(let addresses, _) = ask(name, now: CurlClock.now) { return addresses }
        let waker = try Waker()
        add(waker)
        defer { remove(waker) }
        while true {
            let now = CurlClock.now
            switch ask(name, now: now) {
            case .addresses(let addresses, _): return addresses
            case .failed(let error): throw error
            case .pending: break
            }
            guard now < deadline else { throw .timeout }
            var entry = pollfd(fd: waker.descriptor, events: Int16(POLLIN), revents: 0)
            _ = unsafe poll(&entry, 1, Int32(CurlClock.milliseconds(min(deadline - now, 1_000_000_000))))
            waker.reset()
        }
    }

    /// Has `waker` woken whenever a lookup ends, until `remove`.
    func add(_ waker: Waker) { state.withLock { $0.wakers[ObjectIdentifier(waker)] = waker } }

    func remove(_ waker: Waker) { state.withLock { $0.wakers[ObjectIdentifier(waker)] = nil } }

    private func begin(_ name: String) {
        do throws(ThreadError) {
            try spawnThread { [self] in end(name, Self.lookUp(name)) }
        } catch {
            end(name, .failure(.localFault(error.code)))
        }
    }

    private func end(_ name: String, _ result: Result<[String], CurlError>) {
        let wakers = state.withLock { state in
            state.lookups -= 1
            state.records[name]?.ended(result, now: CurlClock.now)
            return Array(state.wakers.values)
        }
        for waker in wakers { waker.wake() }
    }

    /// Looks a name up, without a time limit.
    private static func lookUp(_ name: String) -> Result<[String], CurlError> {
        var hints = unsafe addrinfo()
        unsafe hints.ai_family = AF_UNSPEC
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(name, nil, &hints, &list)
        let fault = errno
        defer { if let list = unsafe list { unsafe freeaddrinfo(list) } }
        guard code == 0 else {
            if code == EAI_MEMORY { return .failure(.localFault(ENOMEM)) }
            let isLocal = code == EAI_SYSTEM && CurlError.localFaults[fault] != nil
            return .failure(isLocal ? .localFault(fault) : .couldNotResolve)
        }
        var addresses: [String] = []
        var next = unsafe list
        while let entry = unsafe next {
            if let address = unsafe text(of: entry.pointee), !addresses.contains(address) { addresses.append(address) }
            unsafe next = entry.pointee.ai_next
        }
        return addresses.isEmpty ? .failure(.couldNotResolve) : .success(addresses)
    }

    /// A numeric address; nil for one that is valid on one link only, which libcurl does not take from a list.
    private static func text(of entry: addrinfo) -> String? {
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let code = unsafe getnameinfo(
            entry.ai_addr, entry.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
        guard code == 0 else { return nil }
        let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return bytes.contains(UInt8(ascii: "%")) ? nil : String(decoding: bytes, as: UTF8.self)
    }
}
