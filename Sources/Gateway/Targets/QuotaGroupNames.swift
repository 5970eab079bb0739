/// The quota groups of all services by numbers, in the order of the services and of their catalogs: the rows of metrics.
public struct QuotaGroupNames: Sendable {
    private let names: [(service: String, group: String)]
    /// By service, where its groups begin.
    private let starts: [Int]

    public init(_ services: [Service]) {
        var names: [(service: String, group: String)] = []
        var starts: [Int] = []
        for service in services {
            starts.append(names.count)
            names += service.catalog.quotaGroups.map { (service.settings.name, $0.name) }
        }
        self.names = names
        self.starts = starts
    }

    public var count: Int { names.count }

    public subscript(number: Int) -> (service: String, group: String) { names[number] }

    /// The number of a service's quota group; -1 if there is no such service.
    public func number(service: Int, group: Int) -> Int {
        starts.indices.contains(service) ? starts[service] + group : -1
    }
}
