/// The profiles of the shared `config` and `credentials` files.
struct SharedFiles: Discreet {
    /// The settings of one profile in both files.
    struct Profile: Discreet {
        let name: String
        var config: [String: String]?
        var credentials: [String: String]?

        /// The value of a setting, in the credentials file or else in the config file. An empty value counts as none.
        subscript(setting: String) -> String? {
            for settings in [credentials, config] {
                if let value = settings?[setting], !value.isEmpty { return value }
            }
            return nil
        }

        var shown: String { "the profile \(name.quoted)" }
    }

    private var config: [String: [String: String]] = [:]
    private var credentials: [String: [String: String]] = [:]
    /// The searched files and their faults, for messages.
    private(set) var places: [String] = []

    /// Reads both files. A file that does not exist or cannot be read has no profiles.
    ///
    /// - Throws: `failed` if a file does not have the format.
    init(_ surroundings: Surroundings) throws(CredentialFault) {
        for section in try read(surroundings, "AWS_CONFIG_FILE", "config") {
            guard let name = Self.profile(section.name) else { continue }
            config[name, default: [:]].merge(section.settings) { $1 }
        }
        // [profile default] comes before [default].
        if let settings = config.removeValue(forKey: Self.preferredDefault) { config["default"] = settings }
        for section in try read(surroundings, "AWS_SHARED_CREDENTIALS_FILE", "credentials") {
            credentials[section.name, default: [:]].merge(section.settings) { $1 }
        }
    }

    subscript(name: String) -> Profile? {
        guard config[name] != nil || credentials[name] != nil else { return nil }
        return Profile(name: name, config: config[name], credentials: credentials[name])
    }

    static func paths(_ surroundings: Surroundings) -> [String] {
        [("AWS_CONFIG_FILE", "config"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials")]
            .compactMap { path(surroundings, $0, $1) }
    }

    /// The path in the environment, or else in the home directory; `nil` if there is none.
    private static func path(_ surroundings: Surroundings, _ variable: String, _ name: String) -> String? {
        if let configured = surroundings[variable] { return surroundings.path(configured) }
        return surroundings.homeDirectory.map { "\($0)/.aws/\(name)" }
    }

    private mutating func read(
        _ surroundings: Surroundings, _ variable: String, _ name: String
    ) throws(CredentialFault) -> [SharedFileReader.Section] {
        guard let path = Self.path(surroundings, variable, name) else {
            places.append("\(variable) is not set and there is no home directory")
            return []
        }
        let bytes: [UInt8]
        do throws(SourceFile.Fault) {
            bytes = try SourceFile.read(path)
        } catch {
            // The user of a service often cannot read its home directory.
            places.append("\(path.shown) \(error.message)")
            return []
        }
        places.append(path.shown)
        do throws(SharedFileReader.Fault) {
            return try SharedFileReader.sections(bytes)
        } catch {
            throw .failed("\(path.shown):\(error.line): the line \(error.message)")
        }
    }

    /// The key of `[profile default]` until all sections are read. No section can have this name.
    private static let preferredDefault = "]"

    /// The profile of a section in the config file; `nil` for other sections.
    private static func profile(_ section: String) -> String? {
        if section == "default" { return section }
        guard section.hasPrefix("profile") else { return nil }
        let rest = section.dropFirst("profile".count)
        guard let first = rest.first, first == " " || first == "\t" else { return nil }
        var name = rest.drop { $0 == " " || $0 == "\t" }
        // Names with spaces are in quotation marks.
        if name.count >= 2, let quote = name.first, quote == "\"" || quote == "'", name.last == quote {
            name = name.dropFirst().dropLast()
        }
        return name == "default" ? preferredDefault : String(name)
    }
}
