import Testing

@testable import Redis

@Suite("Errors")
struct RedisErrorTests {
    static let kinds: [(String, RedisError.Kind, isElsewhere: Bool)] = [
        ("OOM command not allowed when used memory > 'maxmemory'.", .down, false),
        ("BUSY Redis is busy running a script.", .down, false),
        ("READONLY You can't write against a read only replica.", .down, true),
        ("NOREPLICAS Not enough good replicas to write.", .down, true),
        ("LOADING Redis is loading the dataset in memory", .down, true),
        ("MASTERDOWN Link with MASTER is down", .down, true),
        ("CLUSTERDOWN The cluster is down", .down, true),
        ("MISCONF Redis is configured to save RDB snapshots", .down, true),
        ("MOVED 3999 127.0.0.1:6381", .down, true),
        ("UNBLOCKED force unblock from blocking operation", .down, true),
        ("ASK 3999 127.0.0.1:6381", .down, false),
        ("ERR max number of clients reached", .down, false),
        ("DENIED Redis is running in protected mode", .configuration, false),
        ("NOSCRIPT No matching script. Please use EVAL.", .noScript, false),
        ("NOPERM this user has no permissions", .configuration, false),
        ("NOAUTH Authentication required.", .configuration, false),
        ("WRONGPASS invalid username-password pair", .configuration, false),
        ("WRONGTYPE Operation against a key", .refused, false),
        ("ERR unknown command", .refused, false),
        ("OOMPH", .refused, false),
        ("", .refused, false),
        // Version 6, of commands in scripts.
        (
            "ERR Error running script (call to f_ab12): @user_script:1: @user_script: 1: -OOM command not allowed",
            .down, false
        ),
        ("ERR Error running script (call to f_ab12): @user_script:1: -READONLY You can't write", .down, true),
        (
            "ERR Error running script (call to f_ab12): @user_script:1: user_script:1: attempt to index - a nil",
            .refused, false
        ),
    ]

    @Test("of the server are classified by their code", arguments: kinds)
    func classes(_ text: String, _ kind: RedisError.Kind, _ isElsewhere: Bool) {
        let error = RedisServerError(text.utf8)
        #expect(error.kind == kind)
        #expect(error.needsAnotherServer == isElsewhere)
        #expect(RedisError.server(error).isDown == (kind == .down))
        #expect(error.text == text)
    }

    @Test("of the client are down, except what an operator has to change; what was not sent is known")
    func own() {
        let sent: [RedisError] = [.closed, .timeout, .connectionLost(""), .protocolFault(.unsolicited)]
        let unsent: [RedisError] = [.notConnected, .overloaded, .unreachable(""), .notPrimary("replica")]
        for error in sent + unsent { #expect(error.isDown) }
        for error in sent { #expect(error.mayHaveRun) }
        for error in unsent { #expect(!error.mayHaveRun) }
        #expect(RedisError.configuration("").kind == .configuration)
    }

    static let moves: [(String, RedisEndpoint?)] = [
        ("MOVED 3999 127.0.0.1:6381", .tcp(host: "127.0.0.1", port: 6381)),
        ("MOVED 3999 ::1:6381", .tcp(host: "::1", port: 6381)),
        ("MOVED 3999 node.example:1", .tcp(host: "node.example", port: 1)),
        ("MOVED 3999 :6381", .tcp(host: "seed", port: 6381)),
        ("MOVED 3999 a:0", nil), ("MOVED 3999 a:65536", nil), ("MOVED 3999 a", nil), ("MOVED a:1", nil),
        ("ASK 3999 127.0.0.1:6381", nil),
    ]

    @Test("of a cluster name the node to go to", arguments: moves)
    func moved(_ text: String, _ endpoint: RedisEndpoint?) {
        #expect(RedisServerError(text.utf8).movedEndpoint(from: .tcp(host: "seed", port: 1)) == endpoint)
    }

    @Test("keep 512 bytes of text")
    func length() {
        #expect(RedisServerError([UInt8](repeating: 0x41, count: 60_000)).text.utf8.count == 512)
    }
}
