import Testing

@testable import OriginClient
import Primitives
import TestSupport

@Suite("The name that an endpoint's connections go to")
struct OriginNameTests {
    private static let table: [(url: String, proxy: String?, name: String?, port: Int)] = [
        ("https://voiceid.us-east-1.amazonaws.com", nil, "voiceid.us-east-1.amazonaws.com", 443),
        ("https://a.example/", nil, "a.example", 443), ("http://a.example", nil, "a.example", 80),
        ("HTTP://A.example:8080/x?y", nil, "A.example", 8080), ("https://a.example:443/", nil, "a.example", 443),
        ("https://a.example?x", nil, "a.example", 443),
        ("http://a.svc.cluster.local.:80", nil, "a.svc.cluster.local.", 80),
        ("https://a.example", "http://proxy.example:3128", "proxy.example", 3128),
        ("https://127.0.0.1", "http://proxy.example", "proxy.example", 1080),
        ("https://a.example", "http://proxy.example:80", "proxy.example", 80),
        // An address, or this machine: there is nothing to look up.
        ("https://a.example", "http://10.0.0.1:3128", nil, 0), ("http://127.0.0.1:80/", nil, nil, 0),
        ("http://[::1]:80/", nil, nil, 0), ("http://127.1/", nil, nil, 0), ("http://0x7f.0.0.0x1/", nil, nil, 0),
        ("http://localhost:9000", nil, nil, 0), ("http://LOCALHOST", nil, nil, 0), ("http://a.localhost/", nil, nil, 0),
        // libcurl's own to read.
        ("ftp://a.example", nil, nil, 0), ("http://u:p@a.example", nil, nil, 0), ("http://ä.example", nil, nil, 0),
        ("http://", nil, nil, 0), ("http://a.example:", nil, nil, 0), ("http://a.example:0", nil, nil, 0),
        ("http://a.example:70000", nil, nil, 0), ("https://a.example", "socks5://p.example:1", nil, 0),
        ("", nil, nil, 0),
    ]

    @Test("is the host's, or its proxy's, unless there is nothing to look up", arguments: table.indices)
    func name(index: Int) {
        let (url, proxy, name, port) = Self.table[index]
        let endpoint = Endpoint(
            url: url, http2: .auto, caBundle: nil, proxy: proxy, maxConnections: 1, connectTimeout: 1)
        let found = OriginName(endpoint)
        #expect(found?.name == name, "\(url) \(proxy ?? "")")
        if name != nil { #expect(found?.port == port) }
    }
}

@Suite("What is known of a name")
struct NameRecordTests {
    private static let second: Int64 = 1_000_000_000

    /// An event, and what whoever asks right after it gets, and whether a lookup begins then.
    private enum Event {
        case asked
        case found([String])
        case failed
    }

    private static let steps: [(at: Int64, event: Event, answer: NameRecord.Answer, begins: Bool)] = [
        (0, .asked, .pending, true), (1, .asked, .pending, false),
        // Five seconds: the first name server is dead.
        (5, .found(["192.0.2.1"]), .addresses(["192.0.2.1"], version: 1), false),
        (34, .asked, .addresses(["192.0.2.1"], version: 1), false),
        // Old: it is looked up beside, and serves meanwhile.
        (35, .asked, .addresses(["192.0.2.1"], version: 1), true),
        (36, .asked, .addresses(["192.0.2.1"], version: 1), false),
        (100, .failed, .addresses(["192.0.2.1"], version: 1), false),
        (104, .asked, .addresses(["192.0.2.1"], version: 1), false),
        (105, .asked, .addresses(["192.0.2.1"], version: 1), true),
        (106, .found(["192.0.2.1"]), .addresses(["192.0.2.1"], version: 1), false),
        (136, .asked, .addresses(["192.0.2.1"], version: 1), true),
        (137, .found(["192.0.2.2", "2001:db8::1"]), .addresses(["192.0.2.2", "2001:db8::1"], version: 2), false),
    ]

    @Test("is the last answer, which a lookup beside renews")
    func answers() {
        var record = NameRecord()
        for step in Self.steps {
            let now = step.at * Self.second
            switch step.event {
            case .asked: break
            case .found(let addresses): record.ended(.success(addresses), now: .at(now))
            case .failed: record.ended(.failure(.couldNotResolve), now: .at(now))
            }
            let (answer, begins) = record.ask(now: .at(now))
            #expect(answer == step.answer, "at \(step.at) s")
            #expect(begins == step.begins, "at \(step.at) s")
        }
    }

    @Test("is a failure for a second, and then it is asked anew")
    func failure() {
        var record = NameRecord()
        #expect(record.ask(now: 0).begins == true)
        record.ended(.failure(.couldNotResolve), now: 0)
        let kept = record.ask(now: .at(Self.second - 1))
        #expect(kept.answer == .failed(.couldNotResolve) && !kept.begins)
        let renewed = record.ask(now: .at(Self.second))
        #expect(renewed.answer == .pending && renewed.begins)
        record.ended(.success(["192.0.2.1"]), now: .at(2 * Self.second))
        #expect(record.ask(now: .at(2 * Self.second)).answer == .addresses(["192.0.2.1"], version: 1))
    }
}
