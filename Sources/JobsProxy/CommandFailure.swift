/// A command cannot do what it was asked to. Printed as it is; the exit code is 1.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String
    /// Whether it is for an address that somebody else listens on.
    let isAddressInUse: Bool

    init(_ description: String, isAddressInUse: Bool = false) {
        self.description = description
        self.isAddressInUse = isAddressInUse
    }
}
