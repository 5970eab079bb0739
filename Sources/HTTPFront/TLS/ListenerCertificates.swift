internal import Locking
internal import NIOSSL

/// The certificates of one listener. New handshakes use the current ones, which are replaced when the files change; a connection keeps
/// those of its own handshake.
final class ListenerCertificates: Sendable {
    private struct State {
        var context: NIOSSLContext
        /// The stamps of the files just before the last reading, successful or not: a broken file is reported once, and read again when it
        /// changes.
        var stamps: [TLSFile.Stamp?]
        /// True while a thread checks the files, which takes as long as the file system does.
        var isLooking = false
    }

    private let settings: TLSSettings
    private let offersHTTP2: Bool
    private let state: Locked<State>
    private let report: @Sendable (Result<Void, TLSError>) -> Void

    /// Reads the files.
    ///
    /// - Parameter report: receives the result of every reading that a change caused.
    /// - Throws: `TLSError` if the files cannot be used.
    init(
        _ settings: TLSSettings, offersHTTP2: Bool, report: @escaping @Sendable (Result<Void, TLSError>) -> Void
    ) throws(TLSError) {
        self.settings = settings
        self.offersHTTP2 = offersHTTP2
        self.report = report
        let stamps = settings.stamps
        state = Locked(State(context: try settings.makeContext(offersHTTP2: offersHTTP2), stamps: stamps))
    }

    /// The context of new handshakes.
    var context: NIOSSLContext { state.withLock { $0.context } }

    /// Reads the files.
    ///
    /// - Throws: `TLSError` if they cannot be used; the context stays as it is.
    func reload() throws(TLSError) {
        let stamps = settings.stamps
        state.withLock { $0.stamps = stamps }
        let context = try settings.makeContext(offersHTTP2: offersHTTP2)
        state.withLock { $0.context = context }
    }

    /// Returns false if another thread checks the files. After true the caller calls `reloadIfChanged`.
    func beginsLook() -> Bool {
        state.withLock { state in
            defer { state.isLooking = true }
            return !state.isLooking
        }
    }

    /// Reads the files if their stamps have changed, and ends the check.
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
