import Foundation
import HTTPFront
import NIOPosix
import NIOTestSupport
import Primitives
import TestSupport
import Testing

@testable import GatewayFront
@testable import JobsProxy

@Suite("Where neither key nor token is asked for", .timeLimit(.minutes(1)))
struct UnidentifiedRequestTests {
    /// A request's fields, and the detail of its refusal; nil where it is served.
    struct Case: Sendable, CustomTestStringConvertible {
        let fields: String
        let detail: String?

        var testDescription: String { fields }
    }

    private static let cases = [
        Case(fields: "Host: localhost", detail: nil),
        Case(fields: "Host: LOCALHOST.:1", detail: nil),
        Case(fields: "Host: 127.9.9.9:8080", detail: nil),
        Case(fields: "Host: [::1]:8080", detail: nil),
        Case(fields: "Host: [0:0:0:0:0:0:0:1]", detail: nil),
        Case(fields: "Host: [::ffff:127.0.0.1]", detail: nil),
        Case(fields: "Host: gateway.example:8080", detail: nil),
        Case(fields: "Host: Gateway.Example.", detail: nil),
        Case(fields: "Host: localhost\r\nSec-Fetch-Site: none", detail: nil),
        Case(fields: "Host: rebound.example:8080", detail: "foreign-host"),
        Case(fields: "Host: localhost.rebound.example", detail: "foreign-host"),
        Case(fields: "Host: 127.0.0.1.rebound.example", detail: "foreign-host"),
        Case(fields: "Host: 127.1", detail: "foreign-host"),
        Case(fields: "Host: 192.0.2.1", detail: "foreign-host"),
        Case(fields: "Host: [::2]", detail: "foreign-host"),
        Case(fields: "Host: localhost\r\nOrigin: http://evil.example", detail: "cross-site"),
        Case(fields: "Host: localhost\r\nORIGIN: null", detail: "cross-site"),
        Case(fields: "Host: localhost\r\nsec-fetch-site: Cross-Site", detail: "cross-site"),
    ]

    private static let forwarding = [
        "X-Forwarded-For: 127.0.0.1", "x-forwarded-for:", "Forwarded: for=127.0.0.1", "X-REAL-IP: 127.0.0.1",
    ]

    private static let listen = "listen: {address: \"127.0.0.1:0\", hosts: [Gateway.Example]}\n"

    private func run(
        _ more: String = "", listen: String = Self.listen, _ body: (TestGateway, ScriptedOrigin) async throws -> Void
    ) async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url) + more, listen: listen) { gateway in
                try await body(gateway, origin)
            }
        }
    }

    private func call(_ fields: String, version: String = "1.1") -> String {
        "POST / HTTP/\(version)\r\n\(fields)\r\nX-Amz-Target: VoiceID.DeleteDomain\r\n"
            + "Content-Type: text/plain\r\nContent-Length: \(query().utf8.count)\r\n\r\n\(query())"
    }

    /// One request to the operator's listener.
    private func ask(_ gateway: TestGateway, _ line: String, _ fields: String) async throws -> HTTPReply {
        let client = try await LoopbackClient(
            host: gateway.assembly.adminAddress.host, port: gateway.assembly.adminAddress.port,
            group: MultiThreadedEventLoopGroup.singleton)
        let reply = try await client.send("\(line) HTTP/1.1\r\n\(fields)\r\nContent-Length: 0\r\n\r\n")
        try await client.close()
        return reply
    }

    private func expect(_ reply: HTTPReply, _ detail: String?) {
        #expect(reply.status == (detail == nil ? 200 : 403))
        guard let detail else { return }
        #expect(reply.fields["x-amzn-errortype"] == "AccessDeniedException")
        #expect(reply.fields["cache-status"] == "jobs-proxy; detail=\(detail)")
    }

    @Test("calls must name the listener, and no web page may be their cause", arguments: cases)
    func calls(_ example: Case) async throws {
        try await run { gateway, origin in
            let client = try await gateway.client()
            // A good one before it, and once more behind it: what was good is remembered.
            #expect(try await client.send(call("Host: localhost")).status == 200)
            for _ in 0..<2 { expect(try await client.send(call(example.fields)), example.detail) }
            #expect(try await client.send(call("Host: localhost")).status == 200)
            #expect(origin.requests.count == (example.detail == nil ? 4 : 2))
            try await client.close()
        }
    }

    @Test("so must scrapes and what the operator's listener does, but not checks of health", arguments: cases)
    func operators(_ example: Case) async throws {
        try await run { gateway, _ in
            for line in ["POST /purge", "GET /state", "GET /metrics"] {
                expect(try await ask(gateway, line, example.fields), example.detail)
            }
            let client = try await gateway.client()
            expect(try await client.send("GET /metrics HTTP/1.1\r\n\(example.fields)\r\n\r\n"), example.detail)
            for path in ["/healthz", "/readyz"] {
                #expect(try await client.send("GET \(path) HTTP/1.1\r\n\(example.fields)\r\n\r\n").status == 200)
                #expect(try await ask(gateway, "GET \(path)", example.fields).status == 200)
            }
            try await client.close()
        }
    }

    @Test("what a proxy passes on does not come from this machine", arguments: forwarding)
    func forwarded(field: String) async throws {
        try await run { gateway, origin in
            let client = try await gateway.client()
            let reply = try await client.send(call("Host: localhost\r\n\(field)"))
            #expect(reply.status == 403)
            #expect(reply.fields["x-amzn-errortype"] == "MissingAuthenticationTokenException")
            #expect(origin.requests.isEmpty)
            try await client.close()
            expect(try await ask(gateway, "POST /purge", "Host: localhost\r\n\(field)"), "forwarded")
        }
        try await run("anonymous: allow\n") { gateway, _ in
            let client = try await gateway.client()
            #expect(try await client.send(call("Host: localhost\r\n\(field)")).status == 200)
            try await client.close()
        }
    }

    @Test("a Unix socket is on this machine, for callers and for operators")
    func unixSockets() async throws {
        let directory = NSTemporaryDirectory() + "unix-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let (callers, operators) = (directory + "/callers", directory + "/operators")
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            try await TestGateway.run(
                TestGateway.service(origin.url), listen: "listen: {address: 'unix:\(callers)'}\n",
                admin: "admin: {address: 'unix:\(operators)'}\n"
            ) { gateway in
                #expect(gateway.assembly.announcement == "Callers:  unix:\(callers)\nOperator: unix:\(operators)")
                let group = MultiThreadedEventLoopGroup.singleton
                let client = try await LoopbackClient(path: callers, group: group)
                #expect(try await client.send(call("Host: localhost")).status == 200)
                try await client.close()
                let admin = try await LoopbackClient(path: operators, group: group)
                #expect(try await admin.get("/metrics").text.contains("jobsproxy_connections 0"))
                try await admin.close()
            }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory).isEmpty)
    }

    @Test("what a trusted proxy forwards does not come from this machine either: its client may have written the field")
    func trustedProxy() async throws {
        let listen = "listen: {address: \"127.0.0.1:0\", trustedProxies: [127.0.0.1, 10.0.0.0/8]}\n"
        try await run(listen: listen) { gateway, origin in
            let client = try await gateway.client()
            let fields = [
                "X-Forwarded-For: 127.0.0.5", "X-Forwarded-For: 127.0.0.1, 10.1.1.1",
                "X-Forwarded-For: 127.0.0.5, 192.0.2.1", "X-Forwarded-For: somebody", "X-Real-IP: 127.0.0.5",
            ]
            for field in fields {
                #expect(try await client.send(call("Host: localhost\r\n\(field)")).status == 403)
            }
            #expect(origin.requests.isEmpty)
            // The proxy's own.
            #expect(try await client.send(call("Host: localhost")).status == 200)
            try await client.close()
        }
    }

    @Test("nor does a connection handed on for this machine if its request was passed on, or if its client is not told")
    func proxyProtocol() async throws {
        let listen = "listen: {address: \"127.0.0.1:0\", trustedProxies: [127.0.0.1]}\n"
        let line = Array("PROXY TCP4 127.0.0.1 127.0.0.1 1000 80\r\n".utf8)
        let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10]
        let unix = signature + [0x21, 0x31, 0, 216] + [UInt8](repeating: 0, count: 216)
        try await run(listen: listen) { gateway, origin in
            func expect(_ status: Int, _ header: [UInt8], _ field: String = "") async throws {
                let client = try await gateway.client()
                let call = call("Host: localhost" + (field.isEmpty ? "" : "\r\n\(field)"))
                let reply = try await client.send(header + Array(call.utf8))
                try await client.close()
                #expect(reply.status == status, "\(header) \(field)")
            }
            for field in Self.forwarding + ["X-Forwarded-For: unknown", "X-Real-IP: 10.0.0.5"] {
                try await expect(403, line, field)
            }
            for header in [Array("PROXY UNKNOWN\r\n".utf8), signature + [0x21, 0, 0, 0], unix] {
                try await expect(403, header)
            }
            #expect(origin.requests.isEmpty)
            // The client on this machine, and the proxy's own connection.
            try await expect(200, line)
            try await expect(200, signature + [0x20, 0, 0, 0])
        }
    }

    @Test("a request without Host names no listener, though HTTP/1.0 allows it")
    func noHost() async throws {
        try await run { gateway, _ in
            let client = try await gateway.client()
            expect(try await client.send(call("Connection: keep-alive", version: "1.0")), "foreign-host")
            #expect(try await client.send("GET /healthz HTTP/1.0\r\n\r\n").status == 200)
            try await client.close()
        }
    }

    @Test("a name of the service's is one of the listener's, for callers whose way to it leads here")
    func serviceHost() async throws {
        try await run("anonymous: allow\n") { gateway, origin in
            let client = try await gateway.client()
            let target = "http://127.0.0.1:\(origin.port)"
            #expect(try await client.send(call("Host: 127.0.0.1:\(origin.port)")).status == 200)
            let absolute = call("Host: 127.0.0.1:\(origin.port)").replacing("POST /", with: "POST \(target)/")
            #expect(try await client.send(absolute).status == 200)
            try await client.close()
        }
    }

    @Test("who shows a key or a token may be anywhere and call the listener by any name")
    func identified() async throws {
        let callers = """
            callers: [{name: tester, keys: [{accessKeyId: GWTEST1, secretAccessKey: {env: CALLER_SECRET}}]}]

            """
        let admin = "admin: {address: \"127.0.0.1:0\", token: {env: ADMIN_TOKEN}}\n"
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url) + callers, admin: admin) { gateway in
                var client = try await SignedClient(gateway)
                client.host = "anything.example"
                let fields = [
                    (name: "Origin", value: "http://a.example"), (name: "X-Forwarded-For", value: "192.0.2.1"),
                ]
                let reply = try await client.post("ListDomains", "{}", more: fields)
                #expect(reply.status == 200)
                try await client.close()
                let token = try #require(TestGateway.secrets["ADMIN_TOKEN"])
                let shown = "Host: x\r\nOrigin: null\r\nX-Real-IP: 192.0.2.1\r\nAuthorization: Bearer \(token)"
                #expect(try await ask(gateway, "POST /purge", shown).status == 200)
            }
        }
    }

    @Test("HTTP/2 is no other way in")
    func http2() async throws {
        try await run { gateway, _ in
            let output = try await Python.run("pages_over_http2.py", ["\(gateway.assembly.address.port)"])
            #expect(output == "200 403 403 403 403\n")
        }
    }
}

@Suite("Hosts of a listener")
struct OwnHostsTests {
    private func contains(_ hosts: OwnHosts, _ authority: String) -> Bool {
        let bytes = Array(authority.utf8)
        return hosts.contains(bytes.span, bytes.indices)
    }

    @Test("are compared as bytes, in any case of ASCII's letters alone")
    func bytes() {
        let hosts = OwnHosts(["kiosk.example:80", "2001:db8::1", "[2001:db8::2]:80", "10.0.0.1"], hasLoopback: false)
        for good in ["KIOSK.example", "kiosk.example.:1", "[2001:0db8::1]", "[2001:DB8::2]:9", "10.0.0.1:1"] {
            #expect(contains(hosts, good))
        }
        // U+212A, the sign of kelvin, is `K` to Unicode.
        let bad = ["\u{212a}iosk.example", "kiosk.example..", "kios", "10.0.0.01", "localhost", "127.0.0.1"]
        for bad in bad { #expect(!contains(hosts, bad)) }
    }

    @Test("are the address that was connected to, in each of its spellings, and no other")
    func local() throws {
        let local = try PeerAddress(#require(IPAddress("192.0.2.5".utf8)))
        let other = try PeerAddress(#require(IPAddress("2001:db8::5".utf8)))
        func isAddress(_ local: PeerAddress, _ authority: String) -> Bool {
            let bytes = Array(authority.utf8)
            return OwnHosts.isAddress(local, bytes.span, bytes.indices)
        }
        for good in ["192.0.2.5", "192.0.2.5:8080", "[::ffff:192.0.2.5]:1"] { #expect(isAddress(local, good)) }
        for bad in ["192.0.2.6", "a.example", "192.0.2.5.a.example", "", "[2001:db8::5]"] {
            #expect(!isAddress(local, bad))
        }
        #expect(isAddress(other, "[2001:db8:0::5]:1") && !isAddress(other, "192.0.2.5"))
        #expect(!isAddress(PeerAddress(), "0.0.0.0") && !isAddress(PeerAddress(), "localhost"))
    }

    @Test("may have the word of an operation before them")
    func prefixes() {
        let hosts = OwnHosts(["kiosk.example:80", "10.0.0.1"], prefixes: ["sync-", "data."])
        for good in [
            "sync-kiosk.example", "SYNC-Kiosk.example.:9", "data.kiosk.example", "sync-10.0.0.1", "sync-localhost:1",
        ] {
            #expect(contains(hosts, good))
        }
        for bad in [
            "sync-", "sync-sync-kiosk.example", "sync.kiosk.example", "data-kiosk.example", "sync-other.example",
        ] {
            #expect(!contains(hosts, bad))
        }
    }
}
