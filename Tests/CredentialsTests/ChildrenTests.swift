import Glibc
import TestSupport
import Testing

@testable import Credentials

@Suite("The children of process 1", .timeLimit(.minutes(1)))
struct ChildrenTests {
    /// `prctl`, which Swift does not import because it is variadic.
    private static func adoptOrphans(_ isOn: UInt) {
        typealias Control = @convention(c) (Int32, UInt, UInt, UInt, UInt) -> Int32
        // PR_SET_CHILD_SUBREAPER
        if let symbol = dlsym(nil, "prctl") { _ = unsafeBitCast(symbol, to: Control.self)(36, isOn, 0, 0, 0) }
    }

    @Test("that others have left behind leave nothing, and those that are waited for keep their ends")
    func orphans() throws {
        Self.adoptOrphans(1)
        defer { Self.adoptOrphans(0) }
        // A shell starts two processes and ends, so that this process adopts them.
        let child = ChildProcess(timeout: 20 * second, maxBytes: 1000)
        let output = try child.output(
            of: ["/bin/sh", "-c", "/bin/sleep 0.01 >&- & echo $!; /bin/sleep 0.02 >&- & echo $!"], environment: [:])
        let orphans = String(decoding: output, as: UTF8.self).split(separator: "\n").compactMap { pid_t($0) }
        #expect(orphans.count == 2)
        #expect(
            eventually {
                Children.reapOrphans()
                return orphans.allSatisfy { kill($0, 0) != 0 }
            })
        // The status of each program is found although orphans are reaped all the time.
        onThreads(2) { number in
            for code in 1..<20 as Range<Int32> {
                guard number == 0 else {
                    for _ in 0..<50 { Children.reapOrphans() }
                    continue
                }
                let child = ChildProcess(timeout: 20 * second, maxBytes: 1000)
                #expect(throws: ChildProcess.Fault.exited(code)) {
                    try child.output(of: ["/bin/sh", "-c", "exit \(code)"], environment: [:])
                }
            }
        }
    }
}
