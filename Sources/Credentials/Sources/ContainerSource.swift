internal import AWSProtocol
internal import OriginClient
internal import Primitives

/// The credentials endpoint of a container on ECS, EKS and others.
///
/// https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
struct ContainerSource: CredentialSource, Redacted {
    let environment: CredentialEnvironment

    let name = "the container's endpoint"

    func fetch() throws(CredentialFault) -> AWSCredentials {
        let address = try address()
        let service = CredentialService(
            name: "the container's endpoint at \(address.origin)", timeout: environment.patience.container,
            caBundle: environment["AWS_CA_BUNDLE"])
        var fields = [(name: "Accept", value: "application/json")]
        if let token = try token() { fields.append(("Authorization", token)) }
        let reply = try service.send(.get, address.url, fields: fields)
        guard reply.status == 200 else {
            let code = try? CredentialDocument(reply.body, "").code("code")
            throw .failed("\(service.name) refused with status \(reply.status)" + (code.map { " (\($0))" } ?? ""))
        }
        return try CredentialDocument(reply.body, "the answer of \(service.name)").credentials(token: "Token")
    }

    private func address() throws(CredentialFault) -> WebAddress {
        if let path = environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] {
            guard path.hasPrefix("/"), let address = WebAddress(environment.containerEndpoint + path) else {
                throw .failed("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is no path that begins with a slash")
            }
            return address
        }
        guard let url = environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] else {
            throw .absent(
                "neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set")
        }
        guard let address = WebAddress(url) else {
            throw .failed("AWS_CONTAINER_CREDENTIALS_FULL_URI is no URL of the form http(s)://host[:port]/path")
        }
        guard Self.isAllowed(address) else {
            throw .failed(
                "AWS_CONTAINER_CREDENTIALS_FULL_URI names \(address.host.quoted), to which nothing is sent in the clear: "
                    + "it must be https, or the machine itself, 169.254.170.2, 169.254.170.23 or fd00:ec2::23")
        }
        return address
    }

    /// Over plain HTTP only loopback and the addresses of ECS and EKS are allowed. The only allowed name is `localhost`, because
    /// the address of another name can change between the check and the connection.
    static func isAllowed(_ address: WebAddress) -> Bool {
        if address.isTLS { return true }
        let host = address.host
        if ["localhost", "::1", "169.254.170.2", "169.254.170.23", "fd00:ec2::23"].contains(host) { return true }
        guard let address = IPAddress(host.utf8), address.bytes.count == 4 else { return false }
        return address.isLoopback
    }

    /// The file is read at each fetch, because its token is replaced before it expires.
    private func token() throws(CredentialFault) -> String? {
        guard let path = environment["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] else {
            let token = environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
            if let token, !Self.isFieldValue(token) {
                throw .failed("AWS_CONTAINER_AUTHORIZATION_TOKEN is no field value")
            }
            return token
        }
        let file = "the file \(path.quoted) (AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE)"
        let token = try SourceFile.token(environment.path(path), file)
        guard !token.isEmpty, Self.isFieldValue(token) else { throw .failed("\(file) holds no token") }
        return token
    }

    private static func isFieldValue(_ text: String) -> Bool { text.utf8.allSatisfy { (0x20...0x7e).contains($0) } }
}
