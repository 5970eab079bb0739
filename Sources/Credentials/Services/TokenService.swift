internal import AWSProtocol
internal import OriginClient
internal import Primitives

struct Role: Sendable {
    let arn: String
    var sessionName: String?
    /// A value that the role's owner has specified.
    var externalID: String?
    /// The life of the credentials; `nil` for the service's default.
    var durationSeconds: Int?
}

/// AWS Security Token Service: temporary credentials of roles.
///
/// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
struct TokenService: Sendable, Redacted {
    let environment: CredentialEnvironment
    let region: String

    /// Assumes a role with other credentials, which must be permitted to.
    func assume(_ role: Role, with source: AWSCredentials) throws(CredentialFault) -> AWSCredentials {
        var parameters = parameters("AssumeRole", role)
        if let externalID = role.externalID { parameters.append(("ExternalId", externalID)) }
        if let seconds = role.durationSeconds { parameters.append(("DurationSeconds", "\(seconds)")) }
        return try ask("AssumeRole", role, parameters, signedWith: source)
    }

    /// Assumes a role with a token of another identity provider. The request is not signed.
    func assume(_ role: Role, webIdentityToken token: String) throws(CredentialFault) -> AWSCredentials {
        let action = "AssumeRoleWithWebIdentity"
        var parameters = parameters(action, role)
        parameters.append(("WebIdentityToken", token))
        if let seconds = role.durationSeconds { parameters.append(("DurationSeconds", "\(seconds)")) }
        return try ask(action, role, parameters, signedWith: nil)
    }

    private func parameters(_ action: String, _ role: Role) -> [(name: String, value: String)] {
        [
            ("Action", action), ("Version", "2011-06-15"), ("RoleArn", role.arn),
            ("RoleSessionName", role.sessionName ?? "jobs-proxy"),
        ]
    }

    private func ask(
        _ action: String, _ role: Role, _ parameters: [(name: String, value: String)],
        signedWith source: AWSCredentials?
    ) throws(CredentialFault) -> AWSCredentials {
        let (service, reply, elements) = try exchange(parameters, signedWith: source)
        guard reply.status == 200 else {
            let code = elements["ErrorResponse/Error/Code"]?.errorCode
            throw .failed(
                "\(service.name) refused \(action) of \(role.arn.quoted) with status \(reply.status)"
                    + (code.map { ": \($0)" } ?? ""))
        }
        let path = "\(action)Response/\(action)Result/Credentials/"
        let values = CredentialValues(
            accessKeyID: elements[path + "AccessKeyId"], secretAccessKey: elements[path + "SecretAccessKey"],
            sessionToken: elements[path + "SessionToken"], expiration: elements[path + "Expiration"])
        let credentials = try values.checked("the answer of \(service.name)")
        guard credentials.sessionToken != nil, credentials.expiration != nil else {
            throw .failed("the answer of \(service.name) lacks a SessionToken or an Expiration")
        }
        return credentials
    }

    /// Sends a request, signed by the service's own clock if that is far from ours.
    ///
    /// - Returns: a reply of any status.
    /// - Throws: `failed` if there is no reply in XML.
    func exchange(
        _ parameters: [(name: String, value: String)], signedWith source: AWSCredentials?
    ) throws(CredentialFault) -> (CredentialService, CurlReply, XMLElements) {
        let address = try endpoint()
        let service = CredentialService(
            name: "the security token service at \(address.origin)", timeout: environment.patience.tokenService,
            caBundle: environment["AWS_CA_BUNDLE"])
        let body = Self.form(parameters)
        func send(clockOffset: Int64) throws(CredentialFault) -> (CurlReply, XMLElements) {
            var fields = [
                (name: "Host", value: address.authority),
                (name: "Content-Type", value: "application/x-www-form-urlencoded; charset=utf-8"),
            ]
            if let source {
                var signer = RequestSigner(scope: SigningScope(region: region, service: "sts"))
                fields += signer.sign(
                    method: "POST", path: address.path, query: address.query, fields: fields, body: body, with: source,
                    at: environment.clock() + clockOffset * 1_000_000_000)
            }
            let reply = try service.send(.post, address.url, fields: fields, body: body)
            do throws(XMLElements.Fault) {
                return (reply, try XMLElements(reply.body))
            } catch {
                throw .failed(
                    "the answer of \(service.name), status \(reply.status), is not XML (byte \(error.offset))")
            }
        }
        var (reply, elements) = try send(clockOffset: 0)
        if source != nil, let offset = clockOffset(reply, elements) {
            (reply, elements) = try send(clockOffset: offset)
        }
        return (service, reply, elements)
    }

    /// The offset of the service's clock from ours in seconds; `nil` if the request was not refused because of it.
    private func clockOffset(_ reply: CurlReply, _ elements: XMLElements) -> Int64? {
        guard reply.status != 200, let code = elements["ErrorResponse/Error/Code"], ErrorCode.clockSkew.contains(code),
            let date = reply["date"].flatMap({ HTTPDate.seconds($0) }),
            let offset = AWSTime.clockOffset(date: WallInstant(seconds: date), now: environment.clock()), offset != 0
        else { return nil }
        return offset
    }

    /// True if the environment names the endpoint.
    var hasConfiguredEndpoint: Bool {
        environment["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"]?.lowercased() != "true"
            && ["AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"].contains { environment[$0] != nil }
    }

    /// The configured endpoint, or else the service's endpoint in the Region.
    ///
    /// https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
    func endpoint() throws(CredentialFault) -> WebAddress {
        if environment["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"]?.lowercased() != "true" {
            for name in ["AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"] {
                guard let url = environment[name] else { continue }
                guard let address = WebAddress(url) else {
                    throw .failed("\(name) is no URL of the form http(s)://host[:port]/path")
                }
                return address
            }
        }
        let isName = region.utf8.allSatisfy { $0.isLowercaseLetter || $0.isDigit || $0 == UInt8(ascii: "-") }
        guard isName, let address = WebAddress("https://sts.\(region).\(Self.suffix(region))") else {
            throw .failed("\(region.quoted) is no Region's name")
        }
        return address
    }

    private static func suffix(_ region: String) -> String {
        let partitions = [
            ("cn-", "amazonaws.com.cn"), ("eusc-", "amazonaws.eu"), ("us-iso-", "c2s.ic.gov"),
            ("us-isob-", "sc2s.sgov.gov"), ("us-isof-", "csp.hci.ic.gov"), ("eu-isoe-", "cloud.adc-e.uk"),
        ]
        return partitions.first { region.hasPrefix($0.0) }?.1 ?? "amazonaws.com"
    }

    /// The parameters as `application/x-www-form-urlencoded`.
    private static func form(_ parameters: [(name: String, value: String)]) -> [UInt8] {
        var text: [UInt8] = []
        for (name, value) in parameters {
            text += (text.isEmpty ? "\(name)=" : "&\(name)=").utf8
            for byte in value.utf8 { text.append(percentEncoding: byte) }
        }
        return text
    }
}
