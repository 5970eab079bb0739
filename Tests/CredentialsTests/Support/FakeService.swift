import AWSProtocol
import Foundation
import Primitives
import Synchronization
import TestSupport

@testable import Credentials

/// Fakes of the services that return credentials. Each speaks the service's protocol and refuses what the service refuses.
/// The test decides on the returned credentials, or on another behaviour.
enum FakeService {
    typealias Request = ScriptedOrigin.Request
    typealias Step = ScriptedOrigin.Step

    /// Version 2 of the instance metadata service.
    ///
    /// - Parameter answer: the answer to a request for the credentials themselves.
    static func metadata(role: String = "jobs-role", _ answer: @escaping @Sendable () -> Step) throws -> ScriptedOrigin
    {
        let token = "QVFBQUFOx-token=="
        return try ScriptedOrigin { request, _ in
            switch (request.method, request.target) {
            case ("PUT", "/latest/api/token"):
                guard let ttl = request["X-aws-ec2-metadata-token-ttl-seconds"].flatMap({ Int($0) }),
                    (1...21600).contains(ttl)
                else { return .reply(status: 400) }
                return .reply(fields: [("x-aws-ec2-metadata-token-ttl-seconds", "\(ttl)")], body: token)
            case ("GET", let target):
                guard request["X-aws-ec2-metadata-token"] == token else { return .reply(status: 401) }
                if target == "/latest/meta-data/iam/security-credentials/" { return .reply(body: role) }
                return target == "/latest/meta-data/iam/security-credentials/" + role
                    ? answer() : .reply(status: 404, body: "<html>Not Found</html>")
            default: return .reply(status: 405)
            }
        }
    }

    /// The credentials endpoint of ECS and EKS.
    static func container(
        path: String = "/v2/credentials/1", authorization: (@Sendable () -> String)? = nil,
        _ answer: @escaping @Sendable () -> Step
    ) throws -> ScriptedOrigin {
        try ScriptedOrigin { request, _ in
            guard request.method == "GET", request.target == path else { return .reply(status: 404) }
            guard request["Authorization"] == authorization?() else {
                return .reply(
                    status: 401, body: #"{"code":"Unauthorized","message":"\#(request["Authorization"] ?? "")"}"#)
            }
            return answer()
        }
    }

    /// The security token service. `AssumeRole` must be signed with one of `keys`.
    ///
    /// - Parameters:
    ///   - isDated: true if the answer to a refused signature has a `Date`.
    ///   - answer: the answer to a valid request, from its parameters and the id of its key.
    static func tokenService(
        keys: [AWSCredentials] = [], region: String = "eu-west-1", now: @escaping @Sendable () -> WallInstant,
        isDated: Bool = false,
        _ answer: @escaping @Sendable ([String: String], String?) -> Step
    ) throws -> ScriptedOrigin {
        try ScriptedOrigin { request, _ in
            guard request.method == "POST",
                request["Content-Type"]?.hasPrefix("application/x-www-form-urlencoded") == true,
                let parameters = form(request.body), parameters["Version"] == "2011-06-15",
                parameters["RoleArn"] != nil, parameters["RoleSessionName"] != nil
            else { return refusal("ValidationError", status: 400) }
            switch parameters["Action"] {
            case "AssumeRole":
                switch signer(of: request, keys, region: region, now: now()) {
                case .success(let id): return answer(parameters, id)
                case .failure(let refused):
                    let date = isDated ? [("Date", httpDate(now().seconds))] : []
                    return refusal(refused.code, status: 403, fields: date)
                }
            case "AssumeRoleWithWebIdentity":
                guard request["Authorization"] == nil, parameters["WebIdentityToken"] != nil else {
                    return refusal("ValidationError", status: 400)
                }
                return answer(parameters, nil)
            default: return refusal("InvalidAction", status: 400)
            }
        }
    }

    // MARK: Answers

    /// The answer of the metadata service (with `Code`) and of containers.
    static func document(_ id: String, _ expiration: String?, token: String = "Token") -> String {
        let end = expiration.map { #","Expiration":"\#($0)""# } ?? ""
        return #"{"Code":"Success","LastUpdated":"2023-11-14T22:13:20Z","Type":"AWS-HMAC","AccessKeyId":"\#(id)","#
            + #""SecretAccessKey":"secret-of-\#(id)","\#(token)":"token/of+\#(id)=="\#(end)}"#
    }

    /// The credentials in `document`.
    static func credentials(_ id: String, _ expiration: WallInstant?) -> AWSCredentials {
        AWSCredentials(
            accessKeyID: id, secretAccessKey: "secret-of-\(id)", sessionToken: "token/of+\(id)==",
            expiration: expiration)
    }

    static func assumed(_ action: String, _ id: String, _ expiration: String) -> Step {
        .reply(
            fields: [("Content-Type", "text/xml")],
            body: """
                <\(action)Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
                  <\(action)Result>
                    <AssumedRoleUser><AssumedRoleId>AROA3XFRBF23:jobs</AssumedRoleId></AssumedRoleUser>
                    <Credentials>
                      <AccessKeyId>\(id)</AccessKeyId>
                      <SecretAccessKey>secret-of-\(id)</SecretAccessKey>
                      <SessionToken>token/of&#43;\(id)==</SessionToken>
                      <Expiration>\(expiration)</Expiration>
                    </Credentials>
                  </\(action)Result>
                  <ResponseMetadata><RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId></ResponseMetadata>
                </\(action)Response>
                """)
    }

    static func refusal(
        _ code: String, status: Int, message: String = "no", fields: [(String, String)] = []
    ) -> Step {
        .reply(
            status: status, fields: [("Content-Type", "text/xml")] + fields,
            body: """
                <ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
                  <Error><Type>Sender</Type><Code>\(code)</Code><Message>\(message)</Message></Error>
                  <RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId>
                </ErrorResponse>
                """)
    }

    // MARK: Reading

    private static func form(_ body: [UInt8]) -> [String: String]? {
        var parameters: [String: String] = [:]
        for pair in body.split(separator: UInt8(ascii: "&")) {
            let sides = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2, let name = unescaped(sides[0]), let value = unescaped(sides[1]),
                parameters.updateValue(value, forKey: name) == nil
            else { return nil }
        }
        return parameters
    }

    private static func unescaped(_ text: ArraySlice<UInt8>) -> String? {
        var bytes: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard rest.count >= 2, let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
                else {
                    return nil
                }
                bytes.append(code)
                rest = rest.dropFirst(2)
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private struct Refused: Error { let code: String }

    /// Signs the received request and compares the signatures.
    private static func signer(
        of request: Request, _ keys: [AWSCredentials], region: String, now: WallInstant
    ) -> Result<String, Refused> {
        guard let value = request["Authorization"], let date = request["X-Amz-Date"] else {
            return .failure(Refused(code: "MissingAuthenticationToken"))
        }
        let parameters = value.split { $0 == " " || $0 == "," }.compactMap { part -> (Substring, Substring)? in
            let sides = part.split(separator: "=", maxSplits: 1)
            return sides.count == 2 ? (sides[0], sides[1]) : nil
        }
        let found = Dictionary(parameters) { first, _ in first }
        let id = String(found["Credential"]?.split(separator: "/").first ?? "")
        guard let key = keys.first(where: { $0.accessKeyID == id }), request["X-Amz-Security-Token"] == key.sessionToken
        else { return .failure(Refused(code: "InvalidClientTokenId")) }
        let names = found["SignedHeaders"]?.split(separator: ";").map(String.init) ?? []
        let time = Array(date.utf8)
        guard names.contains("host"), names.contains("x-amz-date"),
            key.sessionToken == nil || names.contains("x-amz-security-token"),
            let seconds = AWSTime.basic(time.span), abs(seconds - now.seconds) <= 300
        else { return .failure(Refused(code: "SignatureDoesNotMatch")) }
        let target = request.target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var signer = RequestSigner(scope: SigningScope(region: region, service: "sts"))
        let signed = signer.sign(
            method: request.method, path: String(target[0]), query: target.count > 1 ? String(target[1]) : "",
            // The signer adds these two.
            fields: names.filter { $0 != "x-amz-date" && $0 != "x-amz-security-token" }.map { ($0, request[$0] ?? "") },
            body: request.body, with: key, at: WallInstant(seconds: seconds))
        let expected = signed.first { $0.name == "Authorization" }?.value
        guard let signature = found["Signature"], expected?.hasSuffix("Signature=\(signature)") == true,
            found["Credential"]?.hasSuffix("/\(region)/sts/aws4_request") == true
        else { return .failure(Refused(code: "SignatureDoesNotMatch")) }
        return .success(id)
    }
}

/// The next behaviour of a fake service, which the test changes while it runs. Counts requests and concurrent requests.
final class Script: @unchecked Sendable {
    // `@unchecked` because: all state is accessed only under the lock.
    private let lock = NSLock()
    private var current: @Sendable (Int) -> ScriptedOrigin.Step
    private var count = 0

    init(_ step: @escaping @Sendable (_ number: Int) -> ScriptedOrigin.Step) { current = step }

    /// The number of requests.
    var asked: Int { lock.withLock { count } }

    func set(_ step: @escaping @Sendable (_ number: Int) -> ScriptedOrigin.Step) { lock.withLock { current = step } }

    func next() -> ScriptedOrigin.Step {
        let (step, number) = lock.withLock {
            count += 1
            return (current, count)
        }
        return step(number)
    }
}
