internal import Glibc

/// A fault of this machine or process that keeps it from connecting, as `errno` names it.
struct LocalFault: Equatable, CustomStringConvertible {
    let code: Int32
    let name: String
    private let meaning: String

    /// Faults of this machine alone, not of the peer (Linux, connect(2) and socket(2)).
    private static let known: [LocalFault] = [
        LocalFault(EADDRNOTAVAIL, "EADDRNOTAVAIL", "all local ports are in use"),
        LocalFault(EMFILE, "EMFILE", "this process has too many files open"),
        LocalFault(ENFILE, "ENFILE", "this machine has too many files open"),
        LocalFault(ENOMEM, "ENOMEM", "there is no memory"),
        LocalFault(ENOBUFS, "ENOBUFS", "there is no memory for sockets"),
        LocalFault(EACCES, "EACCES", "it is not permitted"),
        LocalFault(EPERM, "EPERM", "it is not permitted"),
    ]

    private init(_ code: Int32, _ name: String, _ meaning: String) {
        self.code = code
        self.name = name
        self.meaning = meaning
    }

    /// - Parameter code: any `errno`.
    init(_ code: Int32) {
        self = Self.known.first { $0.code == code } ?? LocalFault(code, "errno \(code)", "the system refused")
    }

    /// Returns true if an `errno` is one of these.
    static func isLocal(_ code: Int32) -> Bool { known.contains { $0.code == code } }

    /// Makes a socket that is closed in processes that this one starts.
    ///
    /// - Returns: the socket and 0, or -1 and an `errno`.
    static func makeSocket(_ family: Int32, _ type: Int32, _ proto: Int32) -> (socket: Int32, fault: Int32) {
        let socket = Glibc.socket(family, type | Int32(SOCK_CLOEXEC.rawValue), proto)
        return (socket, socket < 0 ? errno : 0)
    }

    var description: String { "\(name), \(meaning)" }
}
