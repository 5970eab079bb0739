internal import Gateway
internal import HTTPFront
internal import StrictYAML

/// The values of a configuration by their keys, as text for an operator: `services.voice-id.timeouts.call` is `15s`. A secret is the place
/// where it is kept.
///
/// They are found by reflection, so that no key can be forgotten: names of properties are those of keys. Callers and services stand under
/// their names instead of their places in a list.
struct ConfigurationValues {
    /// In the order of the configuration's declaration; maps in the order of their names.
    private(set) var keys: [String] = []
    private var texts: [String: String] = [:]
    /// For keys of a caller or a service, that one's own key, such as `callers.dashboard`.
    private(set) var owners: [String: String] = [:]
    /// The keys of callers and services.
    private(set) var entries: Set<String> = []
    private var owner: String?

    init(_ configuration: Configuration) { addMembers(of: configuration, to: "") }

    subscript(key: String) -> String? { texts[key] }

    // MARK: Keys

    private mutating func add(_ value: Any, _ key: String) {
        switch value {
        // By the type, because an empty list can be cast to one of anything.
        case let callers as [Configuration.Caller] where type(of: value) == [Configuration.Caller].self:
            for caller in callers { addEntry(caller, "\(key).\(caller.name)") }
        case let services as [Configuration.ServiceEntry] where type(of: value) == [Configuration.ServiceEntry].self:
            for service in services { addEntry(service, "\(key).\(service.name)") }
        default:
            let mirror = Mirror(reflecting: value)
            switch mirror.displayStyle {
            case .optional where mirror.children.first != nil:
                for child in mirror.children { add(child.value, key) }
            case .dictionary:
                for (name, value) in Self.entries(mirror) { add(value, "\(key).\(name)") }
            case .struct where !Self.isSingle(value): addMembers(of: value, to: key)
            default:
                keys.append(key)
                texts[key] = Self.text(of: value)
                owners[key] = owner
            }
        }
    }

    private mutating func addEntry(_ value: Any, _ key: String) {
        entries.insert(key)
        owner = key
        addMembers(of: value, to: key)
        owner = nil
    }

    private mutating func addMembers(of value: Any, to key: String) {
        for (name, value) in Self.members(Mirror(reflecting: value)) {
            add(value, key.isEmpty ? name : "\(key).\(name)")
        }
    }

    // MARK: Reflection

    /// The properties that are keys of the file. The line that a section stands in is none, nor is the file's wording.
    private static func members(_ mirror: Mirror) -> [(name: String, value: Any)] {
        mirror.children.compactMap { child in child.label.map { ($0, child.value) } }.filter {
            $0.0 != "line" && $0.0 != "wording"
        }
    }

    private static func entries(_ mirror: Mirror) -> [(name: String, value: Any)] {
        mirror.children.compactMap { child -> (String, Any)? in
            let pair = Array(Mirror(reflecting: child.value).children)
            guard pair.count == 2, let name = pair[0].value as? String else { return nil }
            return (name, pair[1].value)
        }.sorted { $0.0 < $1.0 }
    }

    /// Returns true for structures that are one value of the file.
    private static func isSingle(_ value: Any) -> Bool {
        switch value {
        case is SecretReference, is Configuration.Address, is Configuration.Origin, is PeerCertificate.Name,
            is Configuration.ServiceEntry.CatalogSource, is Int, is Int64, is Double, is Bool, is String:
            true
        default: false
        }
    }

    // MARK: Text

    private static func text(of value: Any) -> String {
        switch value {
        case let secret as SecretReference: return "\(secret.place)"
        case let time as Int64: return Units.spelled(nanoseconds: time)
        case let source as Configuration.ServiceEntry.CatalogSource:
            return source.overlay.map { "{model: \(source.name), overlay: \($0)}" } ?? source.name
        case is Configuration.Address, is Configuration.Origin, is PeerCertificate.Name, is Int, is Double, is Bool,
            is String:
            return "\(value)"
        default: break
        }
        let mirror = Mirror(reflecting: value)
        switch mirror.displayStyle {
        case .optional: return mirror.children.first.map { text(of: $0.value) } ?? "null"
        case .collection: return "[\(mirror.children.map { text(of: $0.value) }.joined(separator: ", "))]"
        case .dictionary:
            return "{\(entries(mirror).map { "\($0.name): \(text(of: $0.value))" }.joined(separator: ", "))}"
        case .struct:
            let members = members(mirror).map { "\($0.name): \(text(of: $0.value))" }
            return "{\(members.joined(separator: ", "))}"
        // With what the case holds: an endpoint's origin, an operation's time to live.
        case .enum: return mirror.children.first.map { text(of: $0.value) } ?? "\(value)"
        default: return "\(value)"
        }
    }
}

extension SecretReference.Place: CustomStringConvertible {
    var description: String {
        switch self {
        case .environment(let name): "{env: \(name)}"
        case .file(let path): "{file: \(path)}"
        }
    }
}
