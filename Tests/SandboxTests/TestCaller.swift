import AWSProtocol
import Primitives

@testable import Sandbox

/// Calls a service without sockets, at times of the test's choosing.
struct TestCaller {
    let service: SandboxService
    /// Monotonic nanoseconds.
    var now: Int64 = 0
    /// Seconds since 1970.
    /// Seconds.
    var wallClock: Int64 = 1_700_000_000

    /// Unless a test is about quotas, there are plenty.
    init(_ options: SandboxOptions = SandboxOptions(rate: 1e7)) { service = SandboxService(options: options) }

    var domain: String { service.account.domains[0].id.text }

    func call(_ operation: String, _ body: String) -> Reply { call(target: "VoiceID.\(operation)", body) }

    func call(target: String?, _ body: String) -> Reply {
        let bytes = Array(body.utf8)
        return Reply(
            service.answer(target: target, body: bytes.span, now: now, wallClock: WallInstant(seconds: wallClock)))
    }

    /// Calls with `members` and, if they are not nothing, the others that lists know.
    func list(
        _ operation: Operation = .listFraudsterRegistrationJobs, domain: String? = nil, status: JobStatus? = nil,
        size: Int? = nil, token: String? = nil
    ) -> Reply {
        var members: [(name: String, value: JSONValue)] = []
        if operation != .listDomains { members.append(("DomainId", .string(domain ?? self.domain))) }
        if let status { members.append(("JobStatus", .string(status.rawValue))) }
        if let size { members.append(("MaxResults", .integer(Int64(size)))) }
        if let token { members.append(("NextToken", .string(token))) }
        return call(operation.rawValue, String(decoding: JSONValue.object(members).serialized(), as: UTF8.self))
    }
}

struct Reply {
    let status: Int
    let errorType: String?
    let result: CallResult
    let text: String
    let json: JSONValue

    init(_ answer: SandboxAnswer) {
        status = answer.status
        errorType = answer.errorType
        result = answer.result
        text = String(decoding: answer.body, as: UTF8.self)
        json = (try? JSONValue(answer.body)) ?? .null
    }

    var message: String? { json["Message"]?.string }
    var nextToken: String? { json["NextToken"]?.string }
    var jobs: [JSONValue] { json["JobSummaries"]?.array ?? [] }
    var domains: [JSONValue] { json["DomainSummaries"]?.array ?? [] }
}

extension JSONValue {
    var memberNames: [String] {
        if case .object(let members) = self { members.map(\.name) } else { [] }
    }

    /// A number, as it is written.
    var digits: String? {
        if case .number(let text) = self { text } else { nil }
    }
}
