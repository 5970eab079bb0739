internal import StrictYAML

/// The place of a secret. A configuration holds only this, so that whatever prints one prints no secret.
struct SecretReference: Sendable, Equatable {
    enum Place: Sendable, Equatable {
        case environment(String)
        case file(String)
    }

    let place: Place
    /// The reference's line in the file, for faults.
    let line: Int
    let key: String

    /// The secret, without the line end that files have.
    ///
    /// - Throws: `Problem`, the end of the sentence "KEY: …".
    func resolve(_ environment: [String: String]) throws(Problem) -> String {
        let secret: String
        switch place {
        case .environment(let name):
            guard let value = environment[name] else {
                throw Problem("the environment variable \(name.quoted) is not set")
            }
            secret = value
        case .file(let path):
            do throws(CommandFailure) {
                secret = String(decoding: try File.read(path, atMost: 64 << 10), as: UTF8.self)
            } catch {
                throw Problem("\(error)")
            }
        }
        let trimmed = secret.trimmedOfLineEnd
        guard !trimmed.isEmpty else { throw Problem("the secret is empty") }
        guard trimmed.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
            throw Problem("the secret holds control characters: it must be one line of text")
        }
        return trimmed
    }
}

extension String {
    fileprivate var trimmedOfLineEnd: String {
        var text = self[...]
        while let last = text.unicodeScalars.last, last == "\n" || last == "\r" { text.unicodeScalars.removeLast() }
        return String(text)
    }
}

extension Configuration {
    var secrets: [SecretReference] {
        var secrets = [admin.token, shared?.password, shared?.key]
        for service in services {
            guard case .keys(let keys) = service.credentials else { continue }
            secrets += [keys.secretAccessKey, keys.sessionToken]
        }
        for caller in callers { secrets += caller.keys.map(\.secretAccessKey) }
        return secrets.compactMap { $0 }
    }
}
