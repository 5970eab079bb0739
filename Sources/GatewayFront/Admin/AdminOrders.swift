/// The orders of operators that others carry out. Each is called on an event loop, returns at once, and gives its answer later, once, on any
/// thread.
public struct AdminOrders: Sendable {
    /// The answer to an order.
    public struct Answer: Sendable {
        /// True if the order was carried out: HTTP 200. Else it is 400.
        public var isDone: Bool
        /// JSON if it was carried out, else lines of text that say what is wrong.
        public var text: String

        public init(isDone: Bool, text: String) {
            self.isDone = isDone
            self.text = text
        }
    }

    public typealias Completion = @Sendable (Answer) -> Void

    /// Reads the configuration anew.
    var reload: @Sendable (@escaping Completion) -> Void
    /// Changes the rate of a quota group for a while; the names and values of the query.
    var override: @Sendable ([(name: String, value: String)], @escaping Completion) -> Void

    public init(
        reload: @escaping @Sendable (@escaping Completion) -> Void,
        override: @escaping @Sendable ([(name: String, value: String)], @escaping Completion) -> Void
    ) {
        self.reload = reload
        self.override = override
    }
}
