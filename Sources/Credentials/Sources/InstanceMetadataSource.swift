internal import AWSProtocol
internal import OriginClient
internal import Primitives

/// The role of an EC2 instance, through version 2 of its metadata service. Version 1 is not used, because it returns credentials
/// for a plain GET.
///
/// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
struct InstanceMetadataSource: CredentialSource, Redacted {
    let environment: CredentialEnvironment

    private static let path = "/latest/meta-data/iam/security-credentials/"

    let name = "the instance metadata service"

    func fetch() throws(CredentialFault) -> AWSCredentials {
        if environment["AWS_EC2_METADATA_DISABLED"]?.lowercased() == "true" {
            throw .absent("the instance metadata service is switched off (AWS_EC2_METADATA_DISABLED)")
        }
        let base = try endpoint()
        let service = CredentialService(
            name: "the instance metadata service at \(base.origin)", timeout: environment.patience.metadata)
        let fields = [(name: "X-aws-ec2-metadata-token", value: try token(service, base))]
        let role = try role(service, base, fields)
        let reply = try service.send(.get, base.origin + Self.path + role, fields: fields)
        guard reply.status == 200 else {
            throw .failed("\(service.name) gave no credentials for the role \(role.quoted): status \(reply.status)")
        }
        let document = try CredentialDocument(reply.body, "the answer of \(service.name)")
        // The status is also 200 for a role that the instance may not assume.
        if let code = document.code("Code"), code != "Success" {
            throw .failed("\(service.name) gave no credentials for the role \(role.quoted): \(code)")
        }
        return extended(try document.credentials(token: "Token"))
    }

    func endpoint() throws(CredentialFault) -> WebAddress {
        let name = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
        if let url = environment[name] {
            guard let address = WebAddress(url) else {
                throw .failed("\(name) is no URL of the form http(s)://host[:port]")
            }
            return address
        }
        let isIPv6 = environment["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"]?.lowercased() == "ipv6"
        let url = isIPv6 ? "http://[fd00:ec2::254]" : "http://169.254.169.254"
        guard let address = WebAddress(url) else { throw .failed("\(url.quoted) is no URL") }
        return address
    }

    /// A session token, valid for six hours. It is used for this fetch only.
    private func token(_ service: CredentialService, _ base: WebAddress) throws(CredentialFault) -> String {
        let reply: CurlReply
        do throws(CredentialFault) {
            reply = try service.send(
                .put, base.origin + "/latest/api/token", fields: [("X-aws-ec2-metadata-token-ttl-seconds", "21600")])
        } catch {
            // Most machines are not instances. In a container the answer to this request is lost if its hop limit is 1.
            throw .absent("\(error.message) (in a container on EC2 its hop limit must be 2)")
        }
        let token = String(decoding: reply.body, as: UTF8.self)
        guard reply.status == 200, !token.isEmpty, token.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw .absent("\(service.name) gave no token of version 2: status \(reply.status)")
        }
        return token
    }

    private func role(
        _ service: CredentialService, _ base: WebAddress, _ fields: [(name: String, value: String)]
    ) throws(CredentialFault) -> String {
        let reply = try service.send(.get, base.origin + Self.path, fields: fields)
        if reply.status == 404 { throw .absent("\(service.name) has no role for this instance") }
        guard reply.status == 200 else { throw .failed("\(service.name) named no role: status \(reply.status)") }
        let role = reply.body.prefix { $0 > 0x20 }
        // https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html
        let isName = role.allSatisfy { $0.isLetter || $0.isDigit || "_+=,.@-".utf8.contains($0) }
        guard isName, (1...128).contains(role.count) else {
            throw .failed("what \(service.name) answered is no role's name")
        }
        return String(decoding: role, as: UTF8.self)
    }

    /// Extends expired credentials by ten minutes. A metadata service that cannot renew credentials returns expired ones, which
    /// other services accept. The SDKs use them and ask again some minutes later.
    private func extended(_ credentials: AWSCredentials) -> AWSCredentials {
        let now = environment.clock()
        guard let expiration = credentials.expiration, expiration <= now else { return credentials }
        return AWSCredentials(
            accessKeyID: credentials.accessKeyID, secretAccessKey: credentials.secretAccessKey,
            sessionToken: credentials.sessionToken, expiration: now + 600_000_000_000)
    }
}
