internal import AWSProtocol
internal import Gateway
internal import PageCache

/// The names of keys in Redis, and the keys that pages are sealed with. All names have one hash tag, so that a Redis Cluster keeps them together.
struct ClusterKeys: Sendable {
    private let prefix: String
    private let pageNames: HMACKey
    private let pageKeys: HMACKey
    private let places: HMACKey

    let members, generation, changes, epochs, writes, log, quotas: [UInt8]
    /// For `ConnectionCheck` alone.
    let check: [UInt8]
    /// What purges in the log are sealed with.
    let purges: [UInt8]
    /// Gives scopes their counters, for all gateways of the deployment alike.
    let epochKey: EpochKey

    init(_ settings: ClusterSettings) {
        let secret = HMACKey(settings.key)
        func derive(_ purpose: String) -> HMACKey { HMACKey(secret.bytes(Array(purpose.utf8).span)) }
        pageNames = derive("names of pages")
        pageKeys = derive("keys of pages")
        places = derive("places of members")
        purges = secret.bytes(Array("purges".utf8).span)
        epochKey = EpochKey(secret.bytes(Array("scopes of epochs".utf8).span))
        let tag = Self.hex(derive("deployment").bytes(Array(settings.name.utf8).span).prefix(8))
        let prefix = "jp1:{\(tag)}:"
        self.prefix = prefix
        func key(_ name: String) -> [UInt8] { Array((prefix + name).utf8) }
        (members, generation, changes, epochs) = (key("m"), key("g"), key("s"), key("e"))
        (writes, log, quotas, check) = (key("w"), key("log"), key("t"), key("check"))
    }

    private static func hex(_ bytes: some Collection<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    private func key(_ kind: String, _ name: String) -> [UInt8] { Array("\(prefix)\(kind):\(name)".utf8) }

    /// The bucket of a quota group.
    func bucket(_ name: String) -> [UInt8] { key("q", name) }
    /// The cut of its rate.
    func cut(_ name: String) -> [UInt8] { key("c", name) }
    /// There while it sends nothing.
    func hold(_ name: String) -> [UInt8] { key("h", name) }

    /// A word for the place where a member runs.
    func place(_ text: String) -> [UInt8] { Array(Self.hex(places.bytes(Array(text.utf8).span).prefix(8)).utf8) }

    /// The name of a page: a code of its key, so that Redis learns nothing of what is asked for.
    func name(ofPage key: [UInt8]) -> String { Self.hex(pageNames.bytes(key.span)) }
    func page(_ name: String) -> [UInt8] { key("p", name) }
    func flight(_ name: String) -> [UInt8] { key("f", name) }

    /// The key that a page is sealed with: one for each page, because one key must not seal more than 2³² texts.
    func sealingKey(ofPage key: [UInt8]) -> [UInt8] { pageKeys.bytes(key.span) }
}
