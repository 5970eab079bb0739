import AWSProtocol
import TestSupport
import Testing

@testable import Sandbox

@Suite("Errors")
struct ErrorTests {
    @Test(
        "have the status and the shape of the real service",
        arguments: [
            ("AccessDeniedException", 400, "com.amazonaws.voiceid"),
            ("InternalServerException", 500, "com.amazonaws.voiceid"),
            ("ResourceNotFoundException", 400, "com.amazonaws.voiceid"),
            ("ThrottlingException", 400, "com.amazonaws.voiceid"),
            ("ValidationException", 400, "com.amazonaws.voiceid"),
            ("ServiceUnavailable", 503, "com.amazon.coral.service"),
            ("InternalFailure", 500, "com.amazon.coral.service"),
            ("UnrecognizedClientException", 403, "com.amazon.coral.service"),
            ("SomethingElse", 500, "com.amazon.coral.service"),
        ])
    func injected(code: String, status: Int, namespace: String) {
        let reply = TestCaller(SandboxOptions(faults: [(code: code, probability: 1)])).list()
        #expect(reply.status == status)
        #expect(reply.errorType == code)
        #expect(reply.json["__type"]?.string == "\(namespace)#\(code)")
        #expect(reply.message?.isEmpty == false)
    }

    @Test("name the type of what was not found")
    func notFound() throws {
        let caller = TestCaller()
        let other = caller.service.account.domains[1]
        let job = try #require(other.jobs[.fraudsterRegistration]?.jobs(in: nil, now: 0).first).id.text
        let absent = String(repeating: "0", count: 22)
        let huge = String(repeating: "z", count: 22)
        let calls = [
            (Operation.listFraudsterRegistrationJobs, #"{"DomainId":"\#(absent)"}"#, "DOMAIN"),
            (.listFraudsterRegistrationJobs, #"{"DomainId":"\#(huge)"}"#, "DOMAIN"),
            (.listFraudsterRegistrationJobs, #"{"DomainId":"\#(job)"}"#, "DOMAIN"),
            (.listSpeakerEnrollmentJobs, #"{"DomainId":"\#(absent)"}"#, "DOMAIN"),
            (.describeFraudsterRegistrationJob, #"{"DomainId":"\#(absent)","JobId":"\#(job)"}"#, "DOMAIN"),
            (.describeFraudsterRegistrationJob, #"{"DomainId":"\#(caller.domain)","JobId":"\#(job)"}"#, "BATCH_JOB"),
            (.describeFraudsterRegistrationJob, #"{"DomainId":"\#(other.id.text)","JobId":"\#(huge)"}"#, "BATCH_JOB"),
            (.describeSpeakerEnrollmentJob, #"{"DomainId":"\#(other.id.text)","JobId":"\#(job)"}"#, "BATCH_JOB"),
        ]
        for (operation, body, type) in calls {
            let reply = caller.call(operation.rawValue, body)
            #expect(reply.status == 400)
            #expect(reply.errorType == "ResourceNotFoundException")
            #expect(reply.json["__type"]?.string == "com.amazonaws.voiceid#ResourceNotFoundException")
            #expect(reply.json["ResourceType"]?.string == type)
        }
    }

    @Test(
        "of an unknown operation come from the framework",
        arguments: [
            nil, "", "VoiceID", "VoiceID.", "VoiceID.ListFraudsters", "VoiceID.listDomains", "VoiceID.ListDomains ",
            "voiceid.ListDomains", "ListDomains", "DynamoDB_20120810.ListTables", "VoiceID.VoiceID.ListDomains",
        ] as [String?])
    func unknownOperation(target: String?) {
        let reply = TestCaller().call(target: target, "{}")
        #expect(reply.status == 400)
        #expect(reply.errorType == "UnknownOperationException")
        #expect(reply.json["__type"]?.string == "com.amazon.coral.service#UnknownOperationException")
        #expect(reply.result == .clientError)
    }
}
