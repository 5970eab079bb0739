import Glibc
import Primitives
import Synchronization

@testable import Credentials

let second: Int64 = 1_000_000_000
let minute = 60 * second
let hour = 60 * minute

/// A clock that only the test sets.
final class TestClock: Sendable {
    private let time: Atomic<Int64>

    /// Starts at 2023-11-14T22:13:20Z.
    init(_ seconds: Int64 = 1_700_000_000) { time = Atomic(seconds * second) }

    var now: WallInstant { WallInstant(nanoseconds: uptime) }
    var uptime: Int64 { time.load(ordering: .sequentiallyConsistent) }

    func advance(_ nanoseconds: Int64) { time.add(nanoseconds, ordering: .sequentiallyConsistent) }

    /// The time after a number of nanoseconds in the format of services.
    func text(after nanoseconds: Int64) -> String { iso((now + nanoseconds).seconds) }
}

/// ISO 8601's extended format.
func iso(_ seconds: Int64) -> String { text(seconds, "%Y-%m-%dT%H:%M:%SZ") }

/// The format of HTTP's `Date`.
func httpDate(_ seconds: Int64) -> String { text(seconds, "%a, %d %b %Y %H:%M:%S GMT") }

private func text(_ seconds: Int64, _ format: String) -> String {
    var seconds = time_t(seconds)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    var text = [CChar](repeating: 0, count: 32)
    let count = strftime(&text, text.count, format, &parts)
    return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// A temporary home directory, removed at the end, and an environment without variables and without services.
final class Machine: Sendable {
    let home: String
    let clock = TestClock()

    init() throws {
        var template = Array("/tmp/credentials.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure() }
        home = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        mkdir(home + "/.aws", 0o700)
    }

    deinit {
        for name in entries(home + "/.aws") { unlink("\(home)/.aws/\(name)") }
        rmdir(home + "/.aws")
        for name in entries(home) { unlink("\(home)/\(name)") }
        rmdir(home)
    }

    private struct Failure: Error {}

    /// Writes a file into the home directory atomically and returns its path.
    @discardableResult
    func write(_ name: String, _ text: String, mode: mode_t = 0o600) -> String {
        let path = "\(home)/\(name)"
        let file = open(path + ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            guard count > 0 else { break }
            bytes = bytes.dropFirst(count)
        }
        fchmod(file, mode)
        close(file)
        rename(path + ".new", path)
        return path
    }

    /// An environment without the services of instances and containers.
    func surroundings(_ variables: [String: String] = [:], patience: Int64 = 20 * second) -> Surroundings {
        let clock = clock
        var surroundings = Surroundings(variables: variables, homeDirectory: home, clock: { clock.now })
        surroundings.variables["AWS_EC2_METADATA_DISABLED"] = variables["AWS_EC2_METADATA_DISABLED"] ?? "true"
        surroundings.patience = Patience(
            metadata: patience, container: patience, tokenService: patience, process: patience)
        return surroundings
    }
}

private func entries(_ path: String) -> [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != ".", name != ".." { names.append(name) }
    }
    return names
}

/// Polls until the condition holds; false if that takes longer than ten seconds.
func eventually(_ condition: () -> Bool) -> Bool {
    let end = Surroundings.wallClock() + 10 * second
    while !condition() {
        guard Surroundings.wallClock() < end else { return false }
        usleep(1000)
    }
    return true
}

extension CredentialStore {
    /// A store whose two clocks go alike.
    convenience init(_ source: any CredentialSource, clock: TestClock) {
        self.init(source, clock: { clock.now }, uptime: { clock.uptime })
    }
}

extension CredentialSource {
    /// The fault of a fetch; `nil` if it succeeded.
    var fault: CredentialFault? {
        do throws(CredentialFault) { _ = try fetch() } catch { return error }
        return nil
    }
}
