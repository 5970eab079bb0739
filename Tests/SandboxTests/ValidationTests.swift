import AWSProtocol
import Primitives
import Testing

@testable import Sandbox

@Suite("Input")
struct ValidationTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let operation: Operation
        let body: String
        let message: String
        var testDescription: String { "\(operation.rawValue) \(body.prefix(60))" }

        init(_ operation: Operation, _ body: String, _ message: String) {
            self.operation = operation
            self.body = body
            self.message = message
        }
    }

    static let domain = TestCaller().domain
    static let pattern = "Member must satisfy regular expression pattern: ^[a-zA-Z0-9]{22}$"
    static let long = "Member must have length less than or equal to 22"
    static let short = "Member must have length greater than or equal to 22"
    static let failed = "failed to satisfy constraint:"
    static let statuses = "[SUBMITTED, IN_PROGRESS, COMPLETED, COMPLETED_WITH_ERRORS, FAILED]"

    static let invalid: [Case] = [
        Case(
            .listFraudsterRegistrationJobs, "{}",
            "1 validation error detected: Value null at 'domainId' \(failed) Member must not be null"),
        Case(
            .listFraudsterRegistrationJobs, #"{"DomainId":null,"NextToken":null}"#,
            "1 validation error detected: Value null at 'domainId' \(failed) Member must not be null"),
        Case(
            .listFraudsterRegistrationJobs, #"{"domainId":"\#(domain)"}"#,
            "1 validation error detected: Value null at 'domainId' \(failed) Member must not be null"),
        Case(
            .listFraudsterRegistrationJobs, #"{"DomainId":"x"}"#,
            "2 validation errors detected: Value 'x' at 'domainId' failed to satisfy constraint: Member must satisfy "
                + "regular expression pattern: ^[a-zA-Z0-9]{22}$; Value 'x' at 'domainId' failed to satisfy constraint: "
                + "Member must have length greater than or equal to 22"),
        Case(
            .listFraudsterRegistrationJobs, #"{"DomainId":"0123456789-abcdefghijk"}"#,
            "1 validation error detected: Value '0123456789-abcdefghijk' at 'domainId' failed to satisfy constraint: "
                + "Member must satisfy regular expression pattern: ^[a-zA-Z0-9]{22}$"),
        Case(
            .listFraudsterRegistrationJobs, #"{"DomainId":"0123456789abcdefghijklm"}"#,
            "2 validation errors detected: Value '0123456789abcdefghijklm' at 'domainId' \(failed) \(pattern); "
                + "Value '0123456789abcdefghijklm' at 'domainId' \(failed) \(long)"),
        Case(
            .listFraudsterRegistrationJobs, #"{"DomainId":"\#(domain)","MaxResults":0}"#,
            "1 validation error detected: Value '0' at 'maxResults' \(failed) "
                + "Member must have value greater than or equal to 1"),
        Case(
            .listFraudsterRegistrationJobs, #"{"DomainId":"\#(domain)","MaxResults":101}"#,
            "1 validation error detected: Value '101' at 'maxResults' \(failed) "
                + "Member must have value less than or equal to 100"),
        Case(
            .listSpeakerEnrollmentJobs, #"{"DomainId":"\#(domain)","JobStatus":"completed"}"#,
            "1 validation error detected: Value 'completed' at 'jobStatus' \(failed) "
                + "Member must satisfy enum value set: \(statuses)"),
        Case(
            .listFraudsterRegistrationJobs, #"{"DomainId":"\#(domain)","JobStatus":""}"#,
            "1 validation error detected: Value '' at 'jobStatus' \(failed) "
                + "Member must satisfy enum value set: \(statuses)"),
        Case(
            .listFraudsterRegistrationJobs, #"{"MaxResults":-9223372036854775808,"JobStatus":"X","NextToken":"é"}"#,
            "4 validation errors detected: Value null at 'domainId' \(failed) Member must not be null; "
                + "Value 'X' at 'jobStatus' \(failed) Member must satisfy enum value set: \(statuses); "
                + "Value '-9223372036854775808' at 'maxResults' \(failed) "
                + "Member must have value greater than or equal to 1; "
                + #"Value 'é' at 'nextToken' \#(failed) Member must satisfy regular expression pattern: ^\p{ASCII}{0,8192}$"#
        ),
        Case(
            .listDomains, #"{"MaxResults":11}"#,
            "1 validation error detected: Value '11' at 'maxResults' \(failed) "
                + "Member must have value less than or equal to 10"),
        Case(
            .describeFraudsterRegistrationJob, "{}",
            "2 validation errors detected: Value null at 'domainId' \(failed) Member must not be null; "
                + "Value null at 'jobId' \(failed) Member must not be null"),
        Case(
            .describeSpeakerEnrollmentJob, #"{"DomainId":"\#(domain)","JobId":""}"#,
            "2 validation errors detected: Value '' at 'jobId' \(failed) \(pattern); "
                + "Value '' at 'jobId' \(failed) \(short)"),
    ]

    @Test("that breaks a constraint is refused in the service's words", arguments: invalid)
    func constraint(invalid: Case) {
        let reply = TestCaller().call(invalid.operation.rawValue, invalid.body)
        #expect(reply.status == 400)
        #expect(reply.errorType == "ValidationException")
        #expect(reply.json["__type"]?.string == "com.amazonaws.voiceid#ValidationException")
        #expect(reply.message == invalid.message)
    }

    @Test("with a token of 8193 characters is too long, of 8192 merely unknown")
    func tokenLength() {
        let token = String(repeating: "x", count: 8193)
        #expect(TestCaller().list(token: String(token.dropLast())).message == PageTokenTests.unknown)
        let message = TestCaller().list(token: token).message
        #expect(
            message == "1 validation error detected: Value '\(token)' at 'nextToken' \(Self.failed) "
                + "Member must have length less than or equal to 8192")
    }

    @Test(
        "that is not a JSON object, or has a member of another type, is refused before its values are looked at",
        arguments: [
            "", " ", "null", "[]", "\"x\"", "7", "{", "{}}", "{} x", "{'DomainId':1}",
            #"{"DomainId":"a","DomainId":"a"}"#,
            #"{"DomainId":"a","Domain\u0049d":"a"}"#, #"{"x":{"y":1,"y":2}}"#, "\u{feff}{}", #"{"DomainId":7}"#,
            #"{"DomainId":["x"]}"#, #"{"DomainId":true}"#, #"{"MaxResults":"7"}"#, #"{"MaxResults":7.0}"#,
            #"{"MaxResults":1e1}"#, #"{"MaxResults":9223372036854775808}"#, #"{"JobStatus":{}}"#, #"{"NextToken":0}"#,
            #"{"DomainId":"x","MaxResults":7.5}"#, String(repeating: "[", count: 10_000),
            String(repeating: #"{"x":"#, count: 40) + "1" + String(repeating: "}", count: 40),
        ])
    func serialization(body: String) {
        let reply = TestCaller().call("ListFraudsterRegistrationJobs", body)
        #expect(reply.status == 400)
        #expect(reply.errorType == "SerializationException")
        #expect(reply.json["__type"]?.string == "com.amazon.coral.service#SerializationException")
        #expect(reply.message?.isEmpty == false)
    }

    @Test("of any kind is answered", arguments: Operation.allCases)
    func mutations(operation: Operation) {
        let caller = TestCaller(SandboxOptions(domains: 1, jobs: 5, rate: 1e7))
        let job = #""JobId":"\#(caller.domain)","JobStatus":"FAILED","MaxResults":2,"NextToken":"AAAA""#
        let body = Array(#"{"DomainId":"\#(caller.domain)",\#(job)}"#.utf8)
        var random = SplitMix64(seed: 9)
        for _ in 0..<1000 {
            var mutated = body
            for _ in 0...random.below(3) {
                let place = Int(random.below(UInt64(mutated.count)))
                switch random.below(3) {
                case 0: mutated[place] = UInt8(truncatingIfNeeded: random.next())
                case 1: mutated.remove(at: place)
                default: mutated.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
                }
            }
            let answer = caller.service.answer(
                target: "VoiceID.\(operation.rawValue)", body: mutated.span, now: 0, wallClock: WallInstant(seconds: 0))
            #expect(answer.status == 200 || answer.status == 400)
            #expect((try? JSONValue(answer.body)) != nil)
        }
    }

    @Test("that is not UTF-8 is refused")
    func encoding() {
        let bytes = Array(#"{"DomainId":""#.utf8) + [0xff] + Array(#""}"#.utf8)
        let answer = TestCaller().service.answer(
            target: "VoiceID.ListFraudsterRegistrationJobs", body: bytes.span, now: 0,
            wallClock: WallInstant(seconds: 0))
        #expect(answer.errorType == "SerializationException")
    }

    @Test(
        "is accepted in any spelling that means the same",
        arguments: [
            #"{"DomainId":"\#(domain)"}"#, "\t{ \"DomainId\" :\n\"\(domain)\" } ",
            #"{"DomainId":"\#(domain)","JobStatus":null,"MaxResults":null,"NextToken":null}"#,
            #"{"Unknown":{"x":[1,2]},"DomainId":"\#(domain)","MaxResults":100}"#,
            #"{"\u0044omainId":"\#(domain)"}"#,
        ])
    func spelling(body: String) {
        let caller = TestCaller()
        #expect(caller.call("ListFraudsterRegistrationJobs", body).text == caller.list().text)
    }
}
