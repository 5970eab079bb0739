import Primitives

@testable import HTTPFront

/// Answers by path: `/later…` when the test says so, `/close…` with the wish to close, `/large/COUNT` with so many bytes of its own,
/// `/shared/COUNT` with so many bytes that all such answers share,
/// `/at-once…` later, but before `respond` returns, `/release` after it has answered all that wait for the test,
/// `/peer` with what is known of the peer, everything else with its path and content.
final class TestResponder: Responder {
    private let journal: Journal
    private var shared: [Int: [UInt8]] = [:]

    /// Weak, because the loop owns the responder.
    private weak var loop: ServerLoop<TestResponder>?

    init(journal: Journal, loop: ServerLoop<TestResponder>? = nil) {
        self.journal = journal
        self.loop = loop
    }

    func respond(
        to head: borrowing RequestHead, bytes: Span<UInt8>, content: Span<UInt8>, waiter: Waiter, now: MonotonicInstant,
        into response: inout ResponseWriter
    ) -> Disposition {
        let path = string(bytes.extracting(head.path))
        let content = string(content)
        journal.add(.request(path: path, content: content, waiter: waiter))
        if path.hasPrefix("/later") { return .later }
        if path.hasPrefix("/at-once") {
            let isTaken = loop?.answer(waiter) { _, response in Self.write(HTTPFrontTests.bytes(path), into: &response)
            }
            return isTaken == true ? .later : .answered
        }
        if path == "/release" {
            for case .request("/later", _, let waiter) in journal.events {
                loop?.answer(waiter) { _, response in Self.write(HTTPFrontTests.bytes("released"), into: &response) }
            }
        }
        if path == "/peer" {
            Self.write(HTTPFrontTests.bytes("\(head.peer.isLoopback) \(head.peer.identity)"), into: &response)
            return .answered
        }
        if path == "/client" {
            Self.write(HTTPFrontTests.bytes(head.peer.address.text), into: &response)
            return .answered
        }
        if path.hasPrefix("/close") { response.closes = true }
        if path.hasPrefix("/shared/") {
            let count = Int(path.dropFirst(8)) ?? 0
            let content = shared[count] ?? Self.content(count)
            shared[count] = content
            Self.write(content, into: &response)
        } else if path.hasPrefix("/large/") {
            let count = Int(path.dropFirst(7)) ?? 0
            Self.write([UInt8](repeating: UInt8(ascii: "x"), count: count), into: &response)
        } else {
            Self.write(HTTPFrontTests.bytes(path + ":" + content), into: &response)
        }
        return .answered
    }

    /// Bytes of which each part can be told from the others.
    static func content(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 8) } }

    func refuse(_ refusal: Refusal, from peer: PeerAddress, into response: inout ResponseWriter) {
        journal.add(.refused(refusal))
        response.start(refusal.status)
        response.finish(Array(refusal.rawValue.utf8))
    }

    func dropped(_ refusal: Refusal, from peer: PeerAddress) { journal.add(.dropped(refusal)) }

    /// The length of the subject, so that tests can tell identities apart.
    func identify(_ certificate: PeerCertificate) -> Int32 {
        journal.add(.identified(certificate))
        return Int32(clamping: certificate.subject.utf8.count)
    }

    func abandon(_ waiter: Waiter) { journal.add(.abandoned(waiter)) }

    func answered(count: Int, elapsed: Int64) { journal.add(.answered(count: count)) }

    func tick(now: MonotonicInstant) { journal.add(.tick) }

    static func write(_ content: [UInt8], into response: inout ResponseWriter) {
        response.start(.ok)
        response.field("Content-Type", "text/plain")
        response.finish(content)
    }

    private func string(_ span: Span<UInt8>) -> String { text((0..<span.count).map { span[$0] }) }
}
