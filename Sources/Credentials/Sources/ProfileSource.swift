internal import AWSProtocol

/// The credentials of a profile in the shared files, in botocore's order: a role to assume, a web identity (the environment's
/// before the profile's), keys in the credentials file, a process, keys in the config file.
///
/// https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html
struct ProfileSource: CredentialSource, Redacted {
    let environment: CredentialEnvironment
    let region: String

    let name = "a profile"

    func fetch() throws(CredentialFault) -> AWSCredentials { try found().credentials }

    func found() throws(CredentialFault) -> FoundCredentials {
        let files = try SharedFiles(environment)
        let name = environment["AWS_PROFILE"] ?? "default"
        guard let profile = files[name] else {
            let message = "there is no profile \(name.quoted) (\(files.places.joined(separator: ", ")))"
            if environment["AWS_PROFILE"] != nil { throw .failed(message + ", which AWS_PROFILE asks for") }
            let empty = SharedFiles.Profile(name: name)
            guard let source = try webIdentity(empty, isNested: false) else {
                throw .absent(message + ", and AWS_WEB_IDENTITY_TOKEN_FILE is not set")
            }
            return try source.found()
        }
        let found = try source(profile, files, visited: [name]).found()
        return FoundCredentials(credentials: found.credentials, source: "\(profile.shown), \(found.source)")
    }

    /// - Parameter visited: the profiles that lead to this one by `source_profile`, and this one.
    private func source(
        _ profile: SharedFiles.Profile, _ files: SharedFiles, visited: [String]
    ) throws(CredentialFault) -> any CredentialSource {
        let isNested = visited.count > 1
        let hasKeys = profile["aws_access_key_id"] != nil || profile["aws_secret_access_key"] != nil
        // In a profile that others refer to, keys come before the role. In the first one the role comes first: it would have no
        // effect otherwise.
        if let arn = profile["role_arn"], profile["web_identity_token_file"] == nil, !(isNested && hasKeys) {
            return try assumedRole(arn, profile, files, visited: visited)
        }
        if let source = try webIdentity(profile, isNested: isNested) { return source }
        if let settings = profile.credentials, settings["aws_access_key_id"] != nil {
            return try keys(settings, profile, "credentials")
        }
        if let command = profile["credential_process"] {
            return ProcessSource(
                command: command, environment: environment, whose: "the credential_process of \(profile.shown)")
        }
        if let settings = profile.config, settings["aws_access_key_id"] != nil {
            return try keys(settings, profile, "config")
        }
        if profile["sso_session"] != nil || profile["sso_start_url"] != nil {
            throw .failed(
                "\(profile.shown) signs in through IAM Identity Center, which needs a person; "
                    + "give the gateway a role or a credential_process")
        }
        let message = "\(profile.shown) has no credentials (\(files.places.joined(separator: ", ")))"
        if isNested { throw .failed(message) }
        throw .absent(message + ", and AWS_WEB_IDENTITY_TOKEN_FILE is not set")
    }

    private func keys(
        _ settings: [String: String], _ profile: SharedFiles.Profile, _ file: String
    ) throws(CredentialFault) -> StaticSource {
        let values = CredentialValues(
            accessKeyID: settings["aws_access_key_id"], secretAccessKey: settings["aws_secret_access_key"],
            // Older tools write the second name.
            sessionToken: settings["aws_session_token"] ?? settings["aws_security_token"])
        let names = CredentialValues.Names(
            accessKeyID: "aws_access_key_id", secretAccessKey: "aws_secret_access_key",
            sessionToken: "aws_session_token")
        return StaticSource(credentials: try values.checked("\(profile.shown) in the \(file) file", names))
    }

    // MARK: Roles

    private func assumedRole(
        _ arn: String, _ profile: SharedFiles.Profile, _ files: SharedFiles, visited: [String]
    ) throws(CredentialFault) -> any CredentialSource {
        guard profile["mfa_serial"] == nil else {
            throw .failed("\(profile.shown) asks for a code from a device (mfa_serial), which nobody can type in here")
        }
        let role = Role(
            arn: arn, sessionName: profile["role_session_name"], externalID: profile["external_id"],
            durationSeconds: try duration(profile))
        return AssumeRoleSource(
            role: role, source: try sourceOfRole(profile, files, visited: visited),
            service: TokenService(environment: environment, region: region), whose: profile.shown)
    }

    private func sourceOfRole(
        _ profile: SharedFiles.Profile, _ files: SharedFiles, visited: [String]
    ) throws(CredentialFault) -> any CredentialSource {
        switch (profile["source_profile"], profile["credential_source"]) {
        case (nil, nil):
            throw .failed("\(profile.shown) has a role_arn, but neither source_profile nor credential_source")
        case (.some, .some): throw .failed("\(profile.shown) has both source_profile and credential_source")
        case (nil, "Environment"): return EnvironmentSource(environment: environment)
        case (nil, "EcsContainer"): return ContainerSource(environment: environment)
        case (nil, "Ec2InstanceMetadata"): return InstanceMetadataSource(environment: environment)
        case (nil, let other?):
            throw .failed(
                "\(profile.shown) has a credential_source \(other.quoted): "
                    + "it must be Environment, EcsContainer or Ec2InstanceMetadata")
        case (let name?, nil):
            // A profile may have both the keys and the role.
            if name == profile.name { return try ownKeys(profile, visited: visited) }
            guard !visited.contains(name) else { throw Self.loop(visited + [name]) }
            guard let next = files[name] else {
                throw .failed("\(profile.shown) has a source_profile \(name.quoted), which does not exist")
            }
            return try source(next, files, visited: visited + [name])
        }
    }

    private func ownKeys(
        _ profile: SharedFiles.Profile, visited: [String]
    ) throws(CredentialFault) -> any CredentialSource {
        for (settings, file) in [(profile.credentials, "credentials"), (profile.config, "config")] {
            if let settings, settings["aws_access_key_id"] != nil { return try keys(settings, profile, file) }
        }
        throw Self.loop(visited + [profile.name])
    }

    private static func loop(_ names: [String]) -> CredentialFault {
        .failed("source_profile goes round in a circle: \(names.map(\.quoted).joined(separator: " -> "))")
    }

    private func duration(_ profile: SharedFiles.Profile) throws(CredentialFault) -> Int? {
        guard let text = profile["duration_seconds"] else { return nil }
        guard let seconds = Int(text), seconds > 0 else {
            throw .failed("\(profile.shown) has a duration_seconds that is no number of seconds")
        }
        return seconds
    }

    // MARK: Web identity

    /// Each of the three settings is the environment's, else the profile's. For a profile that others refer to, the environment is
    /// ignored.
    private func webIdentity(
        _ profile: SharedFiles.Profile, isNested: Bool
    ) throws(CredentialFault) -> WebIdentitySource? {
        func setting(_ variable: String, _ name: String) -> String? {
            (isNested ? nil : environment[variable]) ?? profile[name]
        }
        guard let path = setting("AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file") else { return nil }
        guard let arn = setting("AWS_ROLE_ARN", "role_arn") else {
            throw .failed("there is a web identity token file, but no role: AWS_ROLE_ARN is not set")
        }
        let role = Role(
            arn: arn, sessionName: setting("AWS_ROLE_SESSION_NAME", "role_session_name"),
            durationSeconds: try duration(profile))
        return WebIdentitySource(
            role: role, tokenPath: environment.path(path),
            service: TokenService(environment: environment, region: region))
    }
}
