import TestSupport
import Testing

@testable import OriginClient
import Primitives

/// TLS: whom an origin must be, and which versions are spoken.
@Suite(.serialized, .timeLimit(.minutes(1))) struct CurlTLSTests {
    private static func request(_ origin: OriginProgram, bundle: String?, host: String = "localhost") -> AttemptRequest
    {
        var request = AttemptRequest.to(url: "https://\(host):\(origin.port)/")
        request.endpoint = request.endpoint.with(caBundle: bundle)
        return request
    }

    @Test func `an origin is believed if its authority is in the bundle and it has the right name`() throws {
        let certificate = try OriginCertificate()
        let other = try OriginCertificate()
        let origin = try OriginProgram.nginx(certificate)
        defer { origin.stop() }
        let bench = try CurlBench()
        #expect(try bench.send(Self.request(origin, bundle: certificate.certificate)).status == 200)
        // One after the other through the same slot: nothing of a bundle stays behind.
        let table: [(bundle: String?, host: String, error: CurlError?)] = [
            (nil, "localhost", .badCertificate), (other.certificate, "localhost", .badCertificate),
            (certificate.certificate, TwoFamilies.name, .badCertificate),
            (certificate.certificate, "127.0.0.1", nil), (nil, "127.0.0.1", .badCertificate),
            (other.certificate + ".missing", "localhost", CurlError(rawValue: 77)),
            (certificate.certificate, "localhost", nil),
        ]
        for (bundle, host, error) in table {
            let failure = try bench.failure(Self.request(origin, bundle: bundle, host: host))
            #expect(failure == error, "\(bundle ?? "system") \(host)")
            guard let failure else { continue }
            #expect(!failure.mayHaveSent)
            #expect(failure.isConnectFailure)
        }
    }

    @Test(arguments: [("TLSv1", false), ("TLSv1.1", false), ("TLSv1.2", true), ("TLSv1.3", true)])
    func `nothing older than TLS 1.2 is spoken`(version: String, isSpoken: Bool) throws {
        let certificate = try OriginCertificate()
        // Without this OpenSSL itself would refuse the old ones, and the test could not fail.
        let server = "ssl_protocols \(version); ssl_ciphers ALL:@SECLEVEL=0;"
        let origin = try OriginProgram.nginx(certificate, server: server)
        defer { origin.stop() }
        let bench = try CurlBench()
        let failure = try bench.failure(Self.request(origin, bundle: certificate.certificate))
        if isSpoken {
            #expect(failure == nil)
        } else {
            let failure = try #require(failure)
            #expect(!failure.mayHaveSent)
            #expect(failure.isConnectFailure)
        }
    }

    @Test func `a handshake that fails, stalls or is no TLS sends nothing`() throws {
        let steps: [(name: String, step: ScriptedOrigin.Step, isTimeout: Bool)] = [
            ("close", .close, false), ("reset", .reset, false), ("stall", .stall, true),
            ("HTTP", .sequence([.raw("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), .close]), false),
            ("alert", .sequence([.bytes([21, 3, 3, 0, 2, 2, 40]), .close]), false),
            ("garbage", .sequence([.bytes([22, 3, 3, 255, 255] + Array(repeating: 7, count: 4096)), .close]), false),
        ]
        for (name, step, isTimeout) in steps {
            let origin = try ScriptedOrigin(onAccept: { _ in step }, script: { _, _ in .close })
            defer { origin.stop() }
            var request = AttemptRequest.to(url: "https://127.0.0.1:\(origin.port)/")
            request.endpoint = request.endpoint.with(connectTimeout: 300_000_000)
            let failure = try #require(try CurlBench().failure(request), "\(name)")
            #expect(!failure.mayHaveSent, "\(name)")
            #expect(failure.isTimeout == isTimeout, "\(name)")
            #expect(failure.isConnectFailure != isTimeout, "\(name)")
            #expect(origin.waitForOpenConnections(atMost: 0))
        }
    }

    @Test func `an origin behind a proxy is reached through a tunnel`() throws {
        let certificate = try OriginCertificate()
        let origin = try OriginProgram.nginx(certificate)
        let proxy = try Tunnel(to: origin.port)
        defer {
            proxy.stop()
            origin.stop()
        }
        var request = AttemptRequest.to(url: "https://localhost:1/")
        request.endpoint = request.endpoint.with(caBundle: certificate.certificate)
        request.endpoint = request.endpoint.with(proxy: "http://127.0.0.1:\(proxy.port)")
        let bench = try CurlBench()
        for _ in 0..<3 { #expect(try bench.send(request).status == 200) }
        #expect(proxy.targets == ["localhost:1"], "one tunnel for all")
    }

    @Test func `a proxy that refuses the tunnel is a connect failure, and its answer not the origin's`() throws {
        let proxy = try ScriptedOrigin { _, _ in
            .reply(status: 403, fields: [("x-amzn-errortype", "ProxyException")], body: "no")
        }
        defer { proxy.stop() }
        var request = AttemptRequest.to(url: "https://localhost:1/")
        request.endpoint = request.endpoint.with(proxy: proxy.url)
        let failure = try #require(try CurlBench().failure(request))
        #expect(!failure.mayHaveSent)
        #expect(failure.isConnectFailure)
        #expect(proxy.requests.first?.method == "CONNECT")
    }

    @Test func `a proxy whose answer has no end holds nothing up for longer than a connection may take`() throws {
        let start = "HTTP/1.1 407 x\r\nContent-Length: 99999999999\r\n\r\n"
        let block = String(repeating: "X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n", count: 16_384)
        let proxy = try ScriptedOrigin { _, _ in
            .sequence([.raw(start)] + Array(repeating: .raw(block), count: 100_000))
        }
        defer { proxy.stop() }
        var request = AttemptRequest.to(url: "https://localhost:1/")
        request.endpoint = request.endpoint.with(proxy: proxy.url, connectTimeout: 200_000_000)
        let began = MonotonicInstant.now
        let failure = try #require(try CurlBench().failure(request))
        #expect(failure.isTimeout)
        #expect(!failure.mayHaveSent)
        #expect(MonotonicInstant.now - began < 5_000_000_000)
    }
}
