import AWSProtocol
import Foundation
import TestSupport
import Testing

@testable import Credentials

/// What a source does when it is asked.
enum Conduct: Sendable, CaseIterable {
    /// Gives credentials that are good for an hour: `ASIA1`, `ASIA2`, ….
    case good
    case hanging
    case failing
    case garbage
}

/// A kind of source with a stand-in behind it.
struct SourceKind: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let make: @Sendable (Machine, SourceUnderTest) throws -> any CredentialSource

    static let all = [container, metadata, process, webIdentity, assumedRole]

    private static let arn = "arn:aws:iam::123456789012:role/jobs"

    static let container = SourceKind(testDescription: "container") { machine, source in
        let origin = try StandIn.container { source.step { .reply(body: StandIn.document($0, $1)) } }
        source.onStop { origin.stop() }
        return ContainerSource(
            surroundings: machine.surroundings(
                [
                    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:\(origin.port)/v2/credentials/1"
                ], patience: source.patience))
    }

    static let metadata = SourceKind(testDescription: "instance") { machine, source in
        let origin = try StandIn.metadata { source.step { .reply(body: StandIn.document($0, $1)) } }
        source.onStop { origin.stop() }
        return InstanceMetadataSource(
            surroundings: machine.surroundings(
                [
                    "AWS_EC2_METADATA_DISABLED": "false",
                    "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:\(origin.port)",
                ], patience: source.patience))
    }

    static let process = SourceKind(testDescription: "process") { machine, source in
        // It gets what the stand-ins would say through a file, and asks for it over another.
        source.writesFiles = true
        return ProcessSource(
            command: "/bin/sh '\(machine.home)/process'", surroundings: machine.surroundings(patience: source.patience),
            whose: "the process")
    }

    static let webIdentity = SourceKind(testDescription: "web identity") { machine, source in
        let clock = machine.clock
        let origin = try StandIn.tokenService(now: { clock.now }) { _, _ in
            source.step { StandIn.assumed("AssumeRoleWithWebIdentity", $0, $1) }
        }
        source.onStop { origin.stop() }
        return WebIdentitySource(
            role: Role(arn: arn), tokenPath: machine.write("token", "eyJ.a.b"),
            service: tokenService(machine, origin, source))
    }

    static let assumedRole = SourceKind(testDescription: "assumed role") { machine, source in
        let clock = machine.clock
        let keys = StandIn.credentials("AKIA", nil)
        let origin = try StandIn.tokenService(keys: [keys], now: { clock.now }) { _, _ in
            source.step { StandIn.assumed("AssumeRole", $0, $1) }
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

/// A source, a store over it, and what its stand-in does. It has to be stopped.
final class SourceUnderTest: @unchecked Sendable {
    // `@unchecked` because: what changes is reached only under the lock, or before any other thread is there.

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
        store = CredentialStore(source, clock: { clock.now })
        writeProcess()
    }

    func stop() {
        stops.forEach { $0() }
        // The stand-in's script holds this object, which holds the stand-in.
        stops = []
    }

    fileprivate func onStop(_ body: @escaping @Sendable () -> Void) { stops.append(body) }

    var now: Int64 { machine.clock.now }

    func advance(_ nanoseconds: Int64) {
        machine.clock.advance(nanoseconds)
        writeProcess()
    }

    func behave(_ conduct: Conduct) {
        lock.withLock { self.conduct = conduct }
        writeProcess()
    }

    /// Asks until there are credentials: on a busy machine a source that is given little time may fail by chance.
    func obtain() -> AWSCredentials? {
        var found: AWSCredentials?
        _ = eventually {
            found = store.credentials(now: now).credentials
            if found == nil, !store.isFetching { advance(minute) }
            return found != nil
        }
        return found
    }

    /// How often credentials were asked for.
    var asked: Int {
        guard writesFiles else { return lock.withLock { count } }
        return (try? SourceFile.read(machine.home + "/count"))?.count { $0 == UInt8(ascii: "\n") } ?? 0
    }

    /// What the stand-in does now.
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
