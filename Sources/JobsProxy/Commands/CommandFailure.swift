/// The failure of a command. It is printed as it is; the exit code is 1.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String
    /// True if the reason is that another process listens on the address.
    let isAddressInUse: Bool

    init(_ description: String, isAddressInUse: Bool = false) {
        self.description = description
        self.isAddressInUse = isAddressInUse
    }
}
