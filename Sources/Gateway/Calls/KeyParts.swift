internal import PageCache

/// The parts of a page's key: the service's name, the principal for whom it was fetched (none where the gateway
/// signs), the operation, and the canonical input, separated by NUL, which only the last can hold.
struct KeyParts {
    let service: ArraySlice<UInt8>
    let principal: ArraySlice<UInt8>
    let operation: ArraySlice<UInt8>
    let input: ArraySlice<UInt8>

    /// Returns nil if the bytes are no key.
    init?(_ key: [UInt8]) {
        let parts = key.split(separator: 0, maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        service = parts[0]
        principal = parts[1]
        operation = parts[2]
        input = parts[3]
    }

    static func key(
        _ service: Service, _ principal: [UInt8], _ operation: Operation, _ input: OperationInput
    ) -> [UInt8] {
        var key = Array(service.settings.name.utf8)
        key.append(0)
        if service.isPassthrough { key += principal }
        key.append(0)
        key += operation.name.utf8
        key.append(0)
        return key + input.canonicalBody
    }

    /// The service, operation and input of the key; nil unless service and operation are configured now.
    func request(_ services: [Service]) -> (Service, Operation, OperationInput)? {
        guard let service = services.first(where: { service.elementsEqual($0.settings.name.utf8) }),
            let operation = service.catalog.operations.first(where: { operation.elementsEqual($0.name.utf8) }),
            let input = try? OperationInput(Array(input).span, of: operation)
        else { return nil }
        return (service, operation, input)
    }
}
