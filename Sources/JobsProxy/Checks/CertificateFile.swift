internal import CCrypto
internal import Glibc
internal import OriginClient
internal import Primitives

/// A file of certificates in PEM form, such as one of the authorities to trust.
struct CertificateFile {
    let path: String
    /// When the first of the certificates ends to be valid, and when the last does.
    let firstEnd: WallInstant
    let lastEnd: WallInstant

    /// Far above the size of any collection of authorities.
    private static let maxBytes = 16 << 20

    /// Reads a file as libcurl does when it connects, so that no connection is needed to learn that it cannot be used.
    ///
    /// - Throws: `Problem`, which begins with the path.
    init(_ path: String, now: WallInstant) throws(Problem) {
        var status = stat()
        if unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            throw Problem("\(path): is a directory: name a file with the certificates in PEM form")
        }
        let bytes: [UInt8]
        do throws(CommandFailure) { bytes = try File.read(path, atMost: Self.maxBytes) } catch {
            throw Problem("\(error)")
        }
        // Unsafe only in its pointer; the length is the buffer's.
        let found = unsafe bytes.withUnsafeBufferPointer {
            unsafe ccrypto_read_certificates($0.baseAddress, Int32($0.count), now.seconds)
        }
        guard found.count > 0 else {
            throw Problem("\(path): holds no certificate in PEM form, or one that is damaged")
        }
        self.path = path
        (firstEnd, lastEnd) = (
            WallInstant(seconds: now.seconds + found.first_end), WallInstant(seconds: now.seconds + found.last_end)
        )
    }
}

/// The authorities that are trusted where the configuration names none.
enum SystemAuthorities {
    /// Why libcurl finds none, which no certificate can be verified without; `nil` if it does.
    static func problem(now: WallInstant) -> String? {
        let places = SystemTrust.places
        if let file = places.file, (try? CertificateFile(file, now: now)) != nil { return nil }
        if let directory = places.directory, holdsHashes(directory) { return nil }
        // A libcurl that was built without places has its own way to find them.
        let missing = [places.file, places.directory].compactMap { $0 }
        guard !missing.isEmpty else { return nil }
        return "is not set, and the system has no authorities to trust (\(missing.joined(separator: ", "))): install "
            + "ca-certificates, or name a PEM file"
    }

    /// Returns true if a directory has a file named by a certificate's hash (openssl-rehash(1)): others are not looked at.
    private static func holdsHashes(_ path: String) -> Bool {
        guard let directory = unsafe opendir(path) else { return false }
        defer { unsafe closedir(directory) }
        while let entry = unsafe readdir(directory) {
            // Unsafe only in its pointer: the name ends with a zero within the entry.
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { name in
                unsafe name.prefix { $0 != 0 }.map { $0 }
            }
            if isHash(name) { return true }
        }
        return false
    }

    /// Eight hexadecimal digits, a dot and a number.
    static func isHash(_ name: [UInt8]) -> Bool {
        name.count > 9 && name[8] == UInt8(ascii: ".") && name[9...].allSatisfy(\.isDigit)
            && name[..<8].allSatisfy { $0.isDigit || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0) }
    }
}
