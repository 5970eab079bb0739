import NIOCore
import Testing

@testable import HTTPFront

@Suite("The connection limiter")
struct ConnectionLimiterTests {
    private func makeLimiter(total: Int, perPeer: Int) -> ConnectionLimiter {
        var limits = HTTPLimits()
        limits.maxConnections = total
        limits.maxConnectionsPerPeer = perPeer
        return ConnectionLimiter(limits: limits)
    }

    @Test("admits as many connections as the limit says, and refuses the next")
    func total() {
        let limiter = makeLimiter(total: 2, perPeer: 0)
        #expect(limiter.admit(nil, canAnswer: true) == .admitted)
        #expect(limiter.admit(nil, canAnswer: true) == .admitted)
        #expect(limiter.total == 2)
        #expect(limiter.admit(nil, canAnswer: true) == .shed(.connections))
    }

    @Test("admits again once a connection has ended")
    func release() {
        let limiter = makeLimiter(total: 1, perPeer: 0)
        #expect(limiter.admit(nil, canAnswer: true) == .admitted)
        limiter.release(nil)
        #expect(limiter.total == 0)
        #expect(limiter.admit(nil, canAnswer: true) == .admitted)
    }

    @Test("does not count a refused connection")
    func refusedAreNotCounted() {
        let limiter = makeLimiter(total: 1, perPeer: 0)
        #expect(limiter.admit(nil, canAnswer: true) == .admitted)
        #expect(limiter.admit(nil, canAnswer: true) == .shed(.connections))
        #expect(limiter.total == 1)
        limiter.release(nil)
        #expect(limiter.total == 0)
        #expect(limiter.admit(nil, canAnswer: true) == .admitted)
    }

    @Test("lets so many be told that they are refused, and drops the rest, and those who cannot be told")
    func shed() {
        let limiter = makeLimiter(total: 1, perPeer: 0)
        #expect(limiter.admit(nil, canAnswer: true) == .admitted)
        #expect(limiter.admit(nil, canAnswer: false) == .dropped(.connections))
        for _ in 0..<HTTPLimits().maxRefused { #expect(limiter.admit(nil, canAnswer: true) == .shed(.connections)) }
        #expect(limiter.admit(nil, canAnswer: true) == .dropped(.connections))
        limiter.release(nil, .dropped(.connections))
        #expect(limiter.admit(nil, canAnswer: true) == .dropped(.connections))
        limiter.release(nil, .shed(.connections))
        #expect(limiter.admit(nil, canAnswer: true) == .shed(.connections))
        #expect(limiter.total == 1)
    }

    @Test("limits each peer by itself")
    func perPeer() {
        let limiter = makeLimiter(total: 0, perPeer: 2)
        #expect(limiter.admit("10.0.0.1", canAnswer: true) == .admitted)
        #expect(limiter.admit("10.0.0.1", canAnswer: true) == .admitted)
        #expect(limiter.admit("10.0.0.1", canAnswer: true) == .shed(.connectionsPerPeer))
        #expect(limiter.admit("10.0.0.2", canAnswer: true) == .admitted)
        limiter.release("10.0.0.1")
        #expect(limiter.admit("10.0.0.1", canAnswer: true) == .admitted)
        #expect(limiter.admit("10.0.0.1", canAnswer: true) == .shed(.connectionsPerPeer))
    }

    @Test("does not let the refused connections of one peer use up the room of all others")
    func refusedLeaveRoomForOthers() {
        let limiter = makeLimiter(total: 3, perPeer: 1)
        #expect(limiter.admit("10.0.0.1", canAnswer: true) == .admitted)
        for _ in 0..<5 { #expect(limiter.admit("10.0.0.1", canAnswer: true) == .shed(.connectionsPerPeer)) }
        #expect(limiter.admit("10.0.0.2", canAnswer: true) == .admitted)
    }

    @Test("knows no limit where the limit is 0")
    func unlimited() {
        let limiter = makeLimiter(total: 0, perPeer: 0)
        for _ in 0..<1000 { #expect(limiter.admit("10.0.0.1", canAnswer: true) == .admitted) }
        #expect(limiter.total == 1000)
    }

    @Test("tells peers apart by address without port, and only if they are limited", arguments: ["10.1.2.3", "::1"])
    func peer(address: String) throws {
        let one = try SocketAddress(ipAddress: address, port: 1)
        let other = try SocketAddress(ipAddress: address, port: 2)
        let limited = makeLimiter(total: 0, perPeer: 1)
        #expect(limited.address(one) == limited.address(other))
        #expect(limited.address(one) != nil)
        #expect(limited.address(nil) == nil)
        #expect(makeLimiter(total: 0, perPeer: 0).address(one) == nil)
    }
}
