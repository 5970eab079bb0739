internal import Locking
internal import NIOSSL

/// The certificates of one listener: what new handshakes use, replaced when the files change. Connections that exist go on
/// with what they began with.
final class ListenerCertificates: Sendable {
    private struct State {
        var context: NIOSSLContext
        /// The files as they were before they were last read, whether or not they could be used: what is broken is
        /// reported once, and tried again when it changes.
        var stamps: [TLSFile.Stamp?]
        /// Whether somebody looks at the files, which takes as long as the file system does.
        var isLooking = false
    }

    private let settings: TLSSettings
    private let offersHTTP2: Bool
    private let state: Locked<State>
    private let report: @Sendable (Result<Void, TLSError>) -> Void

    /// Reads the files.
    ///
    /// - Parameter report: told of every reading that a change caused.
    init(
        _ settings: TLSSettings, offersHTTP2: Bool, report: @escaping @Sendable (Result<Void, TLSError>) -> Void
    ) throws(TLSError) {
        self.settings = settings
        self.offersHTTP2 = offersHTTP2
        self.report = report
        let stamps = settings.stamps
        state = Locked(State(context: try settings.makeContext(offersHTTP2: offersHTTP2), stamps: stamps))
    }

    /// What a new handshake uses.
    var context: NIOSSLContext { state.withLock { $0.context } }

    /// Reads the files; those that cannot be used change nothing.
    func reload() throws(TLSError) {
        let stamps = settings.stamps
        state.withLock { $0.stamps = stamps }
        let context = try settings.makeContext(offersHTTP2: offersHTTP2)
        state.withLock { $0.context = context }
    }

    /// Returns false if the files are being looked at; else `reloadIfChanged` is to be called.
    func beginsLook() -> Bool {
        state.withLock { state in
            defer { state.isLooking = true }
            return !state.isLooking
        }
    }

    /// Reads the files if they are others than last time, and ends the look.
    func reloadIfChanged() {
        defer { state.withLock { $0.isLooking = false } }
        let stamps = settings.stamps
        guard state.withLock({ $0.stamps != stamps }) else { return }
        do throws(TLSError) {
            try reload()
            report(.success(()))
        } catch {
            report(.failure(error))
        }
    }
}

extension TLSSettings {
    fileprivate var stamps: [TLSFile.Stamp?] {
        ([certificate, key] + [clientCA].compactMap(\.self)).map { TLSFile.Stamp($0) }
    }
}
