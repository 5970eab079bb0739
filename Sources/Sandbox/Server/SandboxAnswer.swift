internal import AWSProtocol

enum CallResult: String, Sendable, CaseIterable {
    case ok
    case throttled
    case clientError = "client_error"
    case serverError = "server_error"
}

struct SandboxAnswer: Sendable, Equatable {
    /// The operation that was called; `nil` if it is unknown.
    let operation: Operation?
    let status: Int
    /// The bare error code; `nil` if all is well.
    let errorType: String?
    let body: [UInt8]

    init(_ operation: Operation, _ output: JSONValue) {
        self.operation = operation
        status = 200
        errorType = nil
        body = output.serialized()
    }

    init(_ operation: Operation?, _ error: ServiceError) {
        self.operation = operation
        status = error.status
        errorType = error.code
        body = error.body()
    }

    var result: CallResult {
        switch status {
        case ..<400: .ok
        case 500...: .serverError
        default: errorType == ServiceError.throttled.code ? .throttled : .clientError
        }
    }
}
