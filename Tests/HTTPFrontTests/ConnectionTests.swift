import NIOCore
import Testing

@testable import HTTPFront

@Suite("A connection", .timeLimit(.minutes(1)))
struct ConnectionTests {
    @Test("carries one request after the other")
    func keepAlive() async throws {
        try await withServer { server in
            let client = try await server.connect()
            for number in 1...3 {
                try await client.send("POST /\(number) HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
                let answer = try await client.answer()
                #expect(answer.status == 200)
                #expect(answer.content == "/\(number):hi")
                #expect(answer["Connection"] == [])
                #expect(answer["Date"] == [testDate])
                #expect(answer["Content-Length"] == ["5"])
            }
            #expect(server.server.limiter.total == 1)
        }
    }

    @Test("gives the content of a chunked request without its framing")
    func chunked() async throws {
        try await withServer { server in
            let content = "2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\nX: y\r\n\r\n"
            let answer = try await server.answer(to: post("Transfer-Encoding: chunked\r\n", content))
            #expect(answer.content == "/:hello")
        }
    }

    @Test("understands a request that arrives byte by byte, and one that begins with empty lines")
    func pieces() async throws {
        try await withServer { server in
            let client = try await server.connect()
            for byte in bytes("\r\n\r\n" + post("Content-Length: 2\r\n", "hi")) { try await client.send([byte]) }
            #expect(try await client.answer().content == "/:hi")
        }
    }

    @Test("answers pipelined requests in order")
    func pipelining() async throws {
        try await withServer { server in
            let client = try await server.connect()
            let numbers = 1...200
            try await client.send(numbers.map { get("/\($0)") }.joined())
            for number in numbers { #expect(try await client.answer().content == "/\(number):") }
            try await server.journal.wait("the count of all answers") { server.journal.answered == numbers.count }
        }
    }

    @Test("looks at nothing behind a request that is answered later, until it is answered")
    func laterInPipeline() async throws {
        try await withServer { server in
            let client = try await server.connect()
            try await client.send(["/1", "/later", "/3", "/later/4", "/5"].map { get($0) }.joined())
            #expect(try await client.answer().content == "/1:")
            let waiter = try await server.journal.waiter("/later")
            try await server.journal.wait(ticks: 1)
            #expect(server.journal.paths == ["/1", "/later"])

            #expect(try await server.answer(waiter, "two"))
            #expect(try await client.answer().content == "two")
            #expect(try await client.answer().content == "/3:")
            #expect(try await server.answer(server.journal.waiter("/later/4"), "four"))
            #expect(try await client.answer().content == "four")
            #expect(try await client.answer().content == "/5:")
            #expect(server.journal.paths == ["/1", "/later", "/3", "/later/4", "/5"])
        }
    }

    @Test("reads what arrives while a request waits for its answer, afterwards")
    func arrivesMeanwhile() async throws {
        try await withServer { server in
            let client = try await server.connect()
            try await client.send(get("/later"))
            let waiter = try await server.journal.waiter("/later")
            try await client.send(get("/next"))
            #expect(try await server.answer(waiter, "late"))
            #expect(try await client.answer().content == "late")
            #expect(try await client.answer().content == "/next:")
        }
    }

    @Test(
        "ends after the answer where the client, its version or the responder wishes so",
        arguments: [
            get("/", "Connection: close\r\n"), get("/", version: "HTTP/1.0"), get("/close"),
        ])
    func closes(request: String) async throws {
        try await withServer { server in
            let client = try await server.connect()
            try await client.send(request + get("/behind"))
            let answer = try await client.answer()
            #expect(answer.status == 200)
            #expect(answer["Connection"] == ["close"])
            #expect(try await client.remainder() == "")
            #expect(!server.journal.paths.contains("/behind"))
        }
    }

    @Test("ends after an answer that came later, if its request wished so")
    func closesLater() async throws {
        try await withServer { server in
            let client = try await server.connect()
            try await client.send(get("/later", "Connection: close\r\n") + get("/behind"))
            #expect(try await server.answer(server.journal.waiter("/later"), "late"))
            let answer = try await client.answer()
            #expect(answer.content == "late")
            #expect(answer["Connection"] == ["close"])
            #expect(try await client.remainder() == "")
            #expect(server.journal.paths == ["/later"])
        }
    }

    @Test("of HTTP/1.0 is kept if the client asks, and the client is told (RFC 9112, appendix C.2.2)")
    func keepsHTTP10() async throws {
        try await withServer { server in
            let client = try await server.connect()
            for path in ["/1", "/later/2"] {
                try await client.send(get(path, "Connection: keep-alive\r\n", version: "HTTP/1.0"))
                if path != "/1" { #expect(try await server.answer(server.journal.waiter(path), "late")) }
                let answer = try await client.answer()
                #expect(answer.status == 200)
                #expect(answer["Connection"] == ["keep-alive"])
            }
        }
    }

    @Test("gives HEAD the fields of GET and no content, at once or later", arguments: ["/x", "/later"])
    func head(path: String) async throws {
        try await withServer { server in
            let client = try await server.connect()
            try await client.send("HEAD \(path) HTTP/1.1\r\nHost: a\r\n\r\n" + get("/next"))
            if path == "/later" { #expect(try await server.answer(server.journal.waiter(path), "abc")) }
            let answer = try await client.answer(toHead: true)
            #expect(answer.status == 200)
            #expect(answer["Content-Length"] == ["3"])
            #expect(try await client.answer().content == "/next:")
        }
    }

    @Test("says 100 Continue to a client that waits for it, before the answer")
    func sendsContinue() async throws {
        try await withServer { server in
            let client = try await server.connect()
            try await client.send(post("Expect: 100-continue\r\nContent-Length: 5\r\n"))
            #expect(try await client.answer().status == 100)
            try await client.send("hello")
            let answer = try await client.answer()
            #expect(answer.status == 200)
            #expect(answer.content == "/:hello")
        }
    }

    @Test("says no 100 Continue to a client that did not wait, or is of HTTP/1.0", arguments: ["HTTP/1.1", "HTTP/1.0"])
    func sendsNoContinue(version: String) async throws {
        try await withServer { server in
            let request = post("Expect: 100-continue\r\nContent-Length: 5\r\n", "hello", version: version)
            let answer = try await server.answer(to: request)
            #expect(answer.status == 200)
            #expect(answer.content == "/:hello")
        }
    }

    @Test("writes numbers in decimal", arguments: [0, 9, 10, 2_024, 1_234_567_890, .max, -1, -10, .min])
    func numbers(_ value: Int64) {
        var writer = ResponseWriter()
        writer.start(.ok)
        writer.field("X", value)
        writer.finish([])
        #expect(text(writer.output) == "X: \(value)\r\nContent-Length: 0\r\n\r\n")
    }

    @Test("lets control characters out of no value")
    func responseSplitting() {
        var writer = ResponseWriter()
        writer.start(.ok)
        writer.field("X", bytes("a\r\nSet-Cookie: b\u{0}\u{7f}\tc"))
        writer.field("Y") { $0.text(bytes("\n")) }
        writer.finish([])
        let answer = text(writer.output)
        #expect(answer.contains("X: a  Set-Cookie: b  \tc\r\nY:  \r\nContent-Length: 0\r\n\r\n"))
    }
}
