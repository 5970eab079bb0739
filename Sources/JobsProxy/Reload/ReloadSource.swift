internal import Logging

/// Where the configuration comes from, and what of the process follows it.
struct ReloadSource: Sendable {
    /// Reads the configuration anew, with all that it refers to.
    var load: @Sendable () throws(CommandFailure) -> Configuration
    /// The file; `nil` if there is none to be looked at.
    var path: String?
    /// Has the log follow its section.
    var use: @Sendable (Configuration.Log) -> Void = { _ in }
    /// Called around each reload, for who has started the process.
    var notify: @Sendable (_ isReloading: Bool) -> Void = { _ in }

    init(path: String?, load: @escaping @Sendable () throws(CommandFailure) -> Configuration) {
        (self.path, self.load) = (path, load)
    }
}
