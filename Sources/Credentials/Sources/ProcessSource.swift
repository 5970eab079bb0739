internal import AWSProtocol

/// A program that writes credentials to its output (`credential_process`).
///
/// https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
struct ProcessSource: CredentialSource, Redacted {
    /// The configured command. It may contain secrets and is never shown.
    let command: String
    let environment: CredentialEnvironment
    /// The subject of the messages, such as `the credential_process of the profile "jobs"`.
    let whose: String

    private static let maxOutputBytes = 64 * 1024

    let name = "a credential_process"

    func fetch() throws(CredentialFault) -> AWSCredentials {
        let words: [String]
        do throws(CommandWords.Fault) {
            words = try CommandWords.split(command)
        } catch {
            throw .failed("\(whose) has a quotation mark that is not closed, or ends with a backslash")
        }
        guard !words.isEmpty else { throw .failed("\(whose) is empty") }
        let child = ChildProcess(timeout: environment.patience.process, maxBytes: Self.maxOutputBytes)
        let output: [UInt8]
        do throws(ChildProcess.Fault) {
            output = try child.output(of: words, environment: environment.variables)
        } catch {
            throw .failed("\(whose) \(error.message)")
        }
        let document = try CredentialDocument(output, "the output of \(whose)")
        guard document.integer("Version") == 1 else { throw .failed("the output of \(whose) is not of Version 1") }
        return try document.credentials(token: "SessionToken")
    }
}
