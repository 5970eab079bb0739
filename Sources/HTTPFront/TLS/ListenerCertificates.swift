internal import Glibc
internal import Locking
internal import NIOSSL
internal import Primitives

/// The certificates of one listener. New handshakes use the current ones, which are replaced when the files change; a connection keeps
/// those of its own handshake.
final class ListenerCertificates: Sendable {
    private struct State {
        var settings: TLSSettings
        var context: NIOSSLContext
        /// When they end to be valid, in seconds since 1970-01-01T00:00:00Z.
        var expiry: Int64
        /// The stamps of the files just before the last reading, successful or not: a broken file is reported once, and read again when it
        /// changes.
        var stamps: [TLSFile.Stamp?]
        /// True while a thread checks the files, which takes as long as the file system does.
        var isLooking = false
    }

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
        self.offersHTTP2 = offersHTTP2
        self.report = report
        let stamps = settings.stamps
        let made = try settings.makeContext(offersHTTP2: offersHTTP2)
        state = Locked(State(settings: settings, context: made.context, expiry: made.expiry, stamps: stamps))
    }

    /// The context of new handshakes.
    var context: NIOSSLContext { state.withLock { $0.context } }

    /// When the certificates of new handshakes end to be valid, in seconds since 1970-01-01T00:00:00Z.
    var expiry: Int64 { state.withLock { $0.expiry } }

    /// Reads the files.
    ///
    /// - Throws: `TLSError` if they cannot be used; the context stays as it is.
    func reload() throws(TLSError) {
        try read(state.withLock { $0.settings })
    }

    /// Reads other files, and uses them from now on.
    ///
    /// - Throws: `TLSError` if they cannot be used; the old ones stay in use.
    func use(_ settings: TLSSettings) throws(TLSError) {
        guard settings != state.withLock({ $0.settings }) else { return try read(settings) }
        let stamps = settings.stamps
        let made = try settings.makeContext(offersHTTP2: offersHTTP2)
        state.withLock {
            ($0.settings, $0.stamps, $0.context, $0.expiry) = (settings, stamps, made.context, made.expiry)
        }
    }

    private func read(_ settings: TLSSettings) throws(TLSError) {
        let stamps = settings.stamps
        state.withLock { $0.stamps = stamps }
        let made = try settings.makeContext(offersHTTP2: offersHTTP2)
        state.withLock { ($0.context, $0.expiry) = (made.context, made.expiry) }
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
        let stamps = state.withLock { $0.settings }.stamps
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

/// The files that certificates and keys come from.
enum TLSFile {
    /// The identity and the times of a file, which show that it was replaced or written to.
    struct Stamp: Equatable {
        private let values: [Int]

        /// The stamp of a file; `nil` if there is no file. Links are followed: certificates are often replaced by changing a link.
        init?(_ path: String) {
            var status = stat()
            guard unsafe stat(path, &status) == 0 else { return nil }
            values = [
                Int(bitPattern: status.st_dev), Int(bitPattern: status.st_ino), status.st_size, status.st_mtim.tv_sec,
                status.st_mtim.tv_nsec,
            ]
        }
    }

    /// Far above the size of any chain of certificates.
    private static let maxBytes = 1 << 20

    /// Reads a file.
    ///
    /// - Throws: `TLSError` if it cannot be read or is larger than `maxBytes`.
    static func read(_ path: String) throws(TLSError) -> [UInt8] {
        do throws(RegularFile.Fault) { return try RegularFile.read(path, atMost: maxBytes) } catch {
            throw TLSError(file: path, what: "\(error)")
        }
    }
}
