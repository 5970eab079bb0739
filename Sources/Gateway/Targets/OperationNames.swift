public import Primitives

/// The operations of all services by their ids: for each service those of its catalog, then one for what else it is asked; at the
/// end one for requests to no service.
public struct OperationNames: Sendable {
    private let services: [Service]
    /// The id of each service's first operation.
    private let firsts: [Int]
    public let count: Int

    init(_ services: [Service]) {
        var firsts: [Int] = []
        var count = 0
        for service in services {
            firsts.append(count)
            count += service.catalog.operations.count + 1
        }
        self.services = services
        self.firsts = firsts
        self.count = count + 1
    }

    /// Requests to no service.
    public var none: OperationID { OperationID(count - 1) }

    /// - Parameter place: the operation's place in the catalog; nil for one outside it.
    public func id(service: Int, place: Int?) -> OperationID {
        OperationID(firsts[service] + (place ?? services[service].catalog.operations.count))
    }

    /// The operation of an id, nil for requests to no service; its place is nil for what is outside the catalog.
    func operation(_ id: OperationID) -> (service: Service, place: Int?)? {
        guard id.index >= 0, id.index < count - 1 else { return nil }
        // The last service that begins at or before it.
        var range = firsts.indices
        while range.count > 1 {
            let middle = range.lowerBound + range.count / 2
            range = firsts[middle] <= id.index ? middle..<range.upperBound : range.lowerBound..<middle
        }
        let service = services[range.lowerBound]
        let place = id.index - firsts[range.lowerBound]
        return (service, place < service.catalog.operations.count ? place : nil)
    }

    /// The names of an operation and its service, for labels; `other` for what has none.
    public subscript(id: OperationID) -> (service: String, operation: String) {
        guard let (service, place) = operation(id) else { return ("other", "other") }
        return (service.settings.name, place.map { service.catalog.operations[$0].name } ?? "other")
    }
}
