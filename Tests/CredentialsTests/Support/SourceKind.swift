import AWSProtocol
import Foundation
import Primitives
import TestSupport
import Testing

@testable import Credentials

/// The behaviour of a source.
enum Conduct: Sendable, CaseIterable {
    /// Returns credentials that are valid for an hour: `ASIA1`, `ASIA2`, ….
    case good
    case hanging
    case failing
    case garbage
}

/// A kind of source with a fake service behind it.
struct SourceKind: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let make: @Sendable (Machine, SourceUnderTest) throws -> any CredentialSource

    static let all = [container, metadata, process, webIdentity, assumedRole]

    private static let arn = "arn:aws:iam::123456789012:role/jobs"

    static let container = SourceKind(testDescription: "container") { machine, source in
        let origin = try FakeService.container { source.step { .reply(body: FakeService.document($0, $1)) } }
        source.onStop { origin.stop() }
        return ContainerSource(
            surroundings: machine.surroundings(
                [
                    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:\(origin.port)/v2/credentials/1"
                ], patience: source.patience))
    }

    static let metadata = SourceKind(testDescription: "instance") { machine, source in
        let origin = try FakeService.metadata { source.step { .reply(body: FakeService.document($0, $1)) } }
        source.onStop { origin.stop() }
        return InstanceMetadataSource(
            surroundings: machine.surroundings(
                [
                    "AWS_EC2_METADATA_DISABLED": "false",
                    "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:\(origin.port)",
                ], patience: source.patience))
    }

    static let process = SourceKind(testDescription: "process") { machine, source in
        // The program reads the answer from one file, and requests it by another.
        source.writesFiles = true
        return ProcessSource(
            command: "/bin/sh '\(machine.home)/process'", surroundings: machine.surroundings(patience: source.patience),
            whose: "the process")
    }

    static let webIdentity = SourceKind(testDescription: "web identity") { machine, source in
        let clock = machine.clock
        let origin = try FakeService.tokenService(now: { clock.now }) { _, _ in
            source.step { FakeService.assumed("AssumeRoleWithWebIdentity", $0, $1) }
        }
        source.onStop { origin.stop() }
        return WebIdentitySource(
            role: Role(arn: arn), tokenPath: machine.write("token", "eyJ.a.b"),
            service: tokenService(machine, origin, source))
    }

    static let assumedRole = SourceKind(testDescription: "assumed role") { machine, source in
        let clock = machine.clock
        let keys = FakeService.credentials("AKIA", nil)
        let origin = try FakeService.tokenService(keys: [keys], now: { clock.now }) { _, _ in
            source.step { FakeService.assumed("AssumeRole", $0, $1) }
        }
        source.onStop { origin.stop() }
        return AssumeRoleSource(
            role: Role(arn: arn), source: StaticSource(credentials: keys),
            service: tokenService(machine, origin, source), whose: "the test")
    }

    private static func tokenService(
        _ machine: Machine, _ origin: ScriptedOrigin, _ source: SourceUnderTest
    ) -> TokenService {
        TokenService(
            surroundings: machine.surroundings(
                ["AWS_ENDPOINT_URL_STS": "http://127.0.0.1:\(origin.port)"], patience: source.patience),
            region: "eu-west-1")
    }
}

/// A source with a store over it and a fake service behind it. It must be stopped.
final class SourceUnderTest: @unchecked Sendable {
    // `@unchecked` because: mutable state is accessed only under the lock, or before other threads exist.

    let machine: Machine
    let patience: Int64
    private(set) var store = CredentialStore(
        region: "", surroundings: .init(variables: [:], homeDirectory: nil))
    fileprivate var writesFiles = false
    private let lock = NSLock()
    private var conduct = Conduct.good
    private var count = 0
    private var stops: [@Sendable () -> Void] = []

    init(_ kind: SourceKind, patience: Int64 = 20 * second) throws {
        machine = try Machine()
        self.patience = patience
        let source = try kind.make(machine, self)
        let clock = machine.clock
        store = CredentialStore(source, clock: clock)
        writeProcess()
    }

    func stop() {
        stops.forEach { $0() }
        // The fake service's script retains this object, which retains the fake service.
        stops = []
    }

    fileprivate func onStop(_ body: @escaping @Sendable () -> Void) { stops.append(body) }

    var now: WallInstant { machine.clock.now }

    func advance(_ nanoseconds: Int64) {
        machine.clock.advance(nanoseconds)
        writeProcess()
    }

    func behave(_ conduct: Conduct) {
        lock.withLock { self.conduct = conduct }
        writeProcess()
    }

    /// Asks until there are credentials: on a busy machine a source with a short timeout may fail.
    func obtain() -> AWSCredentials? {
        var found: AWSCredentials?
        _ = eventually {
            found = store.credentials(now: now).credentials
            if found == nil, !store.isFetching { advance(minute) }
            return found != nil
        }
        return found
    }

    /// The number of requests for credentials.
    var asked: Int {
        guard writesFiles else { return lock.withLock { count } }
        return (try? SourceFile.read(machine.home + "/count"))?.count { $0 == UInt8(ascii: "\n") } ?? 0
    }

    /// The current behaviour of the fake service.
    fileprivate func step(_ answer: (_ id: String, _ expiration: String) -> ScriptedOrigin.Step) -> ScriptedOrigin.Step
    {
        let (conduct, number) = lock.withLock {
            count += 1
            return (self.conduct, count)
        }
        switch conduct {
        case .good: return answer("ASIA\(number)", machine.clock.text(after: hour))
        case .hanging: return .stall
        case .failing: return .reply(status: 503, body: "canary")
        case .garbage: return .reply(body: "{\"canary\": <canary>")
        }
    }

    private func writeProcess() {
        guard writesFiles else { return }
        let conduct = lock.withLock { self.conduct }
        let end = machine.clock.text(after: hour)
        let action =
            switch conduct {
            case .good:
                "n=$(wc -l < '\(machine.home)/count'); n=$((n))\n"
                    + #"echo '{"Version":1,"AccessKeyId":"ASIA'$n'","SecretAccessKey":"s","Expiration":"\#(end)"}'"#
            case .hanging: "exec /bin/sleep 600"
            case .failing: "echo canary; echo canary >&2; exit 1"
            case .garbage: "echo '{\"canary\": <canary>'"
            }
        machine.write("process", "echo >> '\(machine.home)/count'\n\(action)\n")
    }
}
