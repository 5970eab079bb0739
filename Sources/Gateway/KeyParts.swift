internal import PageCache

/// What the key of a page is made of: the upstream principal (the service's name), the operation, and the canonical input,
/// with a NUL between them, which neither of the first two can hold.
struct KeyParts {
    let service: ArraySlice<UInt8>
    let operation: ArraySlice<UInt8>
    let input: ArraySlice<UInt8>

    /// Nothing if the bytes are no key.
    init?(_ key: [UInt8]) {
        let parts = key.split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        service = parts[0]
        operation = parts[1]
        input = parts[2]
    }

    static func key(_ service: Service, _ operation: Operation, _ input: OperationInput) -> [UInt8] {
        Array(service.settings.name.utf8) + [0] + Array(operation.name.utf8) + [0] + input.canonicalBody
    }

    /// What the key was made of, if it is one of a service and operation that are there now.
    func request(_ services: [Service]) -> (Service, Operation, OperationInput)? {
        guard let service = services.first(where: { service.elementsEqual($0.settings.name.utf8) }),
            let operation = service.catalog.operations.first(where: { operation.elementsEqual($0.name.utf8) }),
            let input = try? OperationInput(Array(input).span, of: operation)
        else { return nil }
        return (service, operation, input)
    }
}
