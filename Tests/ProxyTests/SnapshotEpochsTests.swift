import Foundation
import PageCache
import TestSupport
import Testing

@testable import JobsProxy

@Suite("The epochs of a snapshot")
struct SnapshotEpochsTests {
    private static let second: Int64 = 1_000_000_000
    private static let boot = [UInt8](1...16)
    private static let scope = EpochScope(service: "s", domain: [1])
    private static let other = EpochScope(service: "s", domain: [2])

    /// A directory that is gone afterwards.
    private func withDirectory(_ body: (String) throws -> Void) throws {
        let directory = NSTemporaryDirectory() + "jobs-proxy-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try body(directory)
    }

    private func process(_ directory: String, boot: [UInt8] = boot) -> SnapshotEpochs {
        SnapshotEpochs(directory: directory, name: "epochs", boot: boot)
    }

    @Test("are believed after an end in order for ever, and after any other for five seconds of the same boot")
    func belief() throws {
        try withDirectory { directory in
            var first = process(directory)
            #expect(try !first.begin(now: 0))
            #expect(first.end(now: 1) == nil)
            var second = process(directory, boot: [UInt8](repeating: 9, count: 16))
            #expect(try second.begin(now: 0))
            for (now, boot, isValid) in [
                (5 * Self.second - 1, Self.boot, true), (10 * Self.second - 1, Self.boot, false),
                (0, [UInt8](repeating: 9, count: 16), false), (0, [], false),
            ] {
                var next = process(directory)
                _ = try next.begin(now: 0)
                var killed = process(directory, boot: boot)
                #expect(try killed.begin(now: .at(now)) == isValid)
            }
        }
    }

    @Test("are believed for longer by a process that goes on, and not from a clock that began anew")
    func renewal() throws {
        try withDirectory { directory in
            var first = process(directory)
            _ = try first.begin(now: .at(100 * Self.second))
            #expect(try first.refresh(now: .at(104 * Self.second)).isEmpty)
            var next = process(directory)
            #expect(try !next.begin(now: .at(3 * Self.second)))
            _ = try first.refresh(now: .at(108 * Self.second))
            #expect(try next.begin(now: .at(112 * Self.second)))
        }
    }

    @Test("change before a write is sent and when it has ended; the last of several ends it")
    func writes() throws {
        try withDirectory { directory in
            var process = process(directory)
            _ = try process.begin(now: 0)
            let before = process.numbers
            #expect(process.writeBegins([Self.scope], now: 0) == nil)
            let during = process.numbers
            #expect(during[Int(Self.scope.index)] != before[Int(Self.scope.index)])
            #expect(during[Int(Self.scope.index)].isInFlight)
            #expect(process.writeBegins([Self.scope, Self.other], now: 0) == nil)
            process.writeEnded([Self.scope, Self.other])
            #expect(process.numbers[Int(Self.scope.index)].isInFlight)
            #expect(!process.numbers[Int(Self.other.index)].isInFlight)
            process.writeEnded([Self.scope])
            let after = process.numbers
            #expect(!after[Int(Self.scope.index)].isInFlight)
            #expect(after[Int(Self.scope.index)] != during[Int(Self.scope.index)])
            #expect(zip(before, after).filter { $0 != $1 }.count == 2)
            // Another process finds them so.
            var next = self.process(directory)
            #expect(try next.begin(now: 0))
            #expect(next.numbers == after)
        }
    }

    @Test("stay in flight where a process is killed in the midst of a write, up to an end in order")
    func killed() throws {
        try withDirectory { directory in
            var killed = process(directory)
            _ = try killed.begin(now: 0)
            _ = killed.writeBegins([Self.scope], now: 0)
            for isInFlight in [true, false] {
                var next = process(directory)
                #expect(try next.begin(now: 1))
                #expect(next.numbers[Int(Self.scope.index)].isInFlight == isInFlight)
                #expect(next.end(now: 2) == nil)
            }
        }
    }

    @Test("of two processes tell each of the other's writes, in whatever order they begin and end")
    func twoAtOnce() throws {
        try withDirectory { directory in
            var old = process(directory)
            _ = try old.begin(now: 0)
            var new = process(directory)
            #expect(try new.begin(now: 0))
            #expect(new.writeBegins([Self.scope], now: 0) == nil)
            // Both write, and the old one ends first: the scope is in flight until the new one has ended.
            #expect(old.writeBegins([Self.scope], now: 0) == nil)
            old.writeEnded([Self.scope])
            #expect(try old.refresh(now: 0) == [Self.scope])
            #expect(try old.refresh(now: 0) == [])
            new.writeEnded([Self.scope])
            #expect(try old.refresh(now: 0) == [Self.scope])
            #expect(!old.numbers[Int(Self.scope.index)].isInFlight)
            #expect(try new.refresh(now: 0) == [Self.scope])
            #expect(new.numbers == old.numbers)
        }
    }

    @Test("are not believed for ever because another process has ended in order")
    func otherEnded() throws {
        for isWrite in [true, false] {
            try withDirectory { directory in
                var old = process(directory)
                var new = process(directory)
                _ = try old.begin(now: 0)
                _ = try new.begin(now: 0)
                #expect(old.end(now: 0) == nil)
                if isWrite { _ = new.writeBegins([Self.scope], now: 0) } else { _ = try new.refresh(now: 0) }
                var next = process(directory)
                #expect(try !next.begin(now: .at(10 * Self.second)))
            }
        }
    }

    @Test(
        "that cannot be written hold a write back until they are out of date, and are put right as soon as they can be")
    func unwritable() throws {
        try withDirectory { directory in
            let path = directory + "/epochs"
            var process = process(directory)
            _ = try process.begin(now: 0)
            let before = process.numbers
            // What cannot be opened cannot be written.
            try FileManager.default.moveItem(atPath: path, toPath: directory + "/elsewhere")
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            #expect(process.writeBegins([Self.scope], now: .at(2 * Self.second)) == .at(5 * Self.second))
            #expect(throws: FileError.self) { try process.refresh(now: .at(2 * Self.second)) }
            #expect(process.end(now: .at(3 * Self.second)) == .at(5 * Self.second))
            #expect(process.writeBegins([Self.scope], now: .at(5 * Self.second)) == nil)
            process.writeEnded([Self.scope])
            #expect(process.end(now: .at(6 * Self.second)) == nil)
            try FileManager.default.removeItem(atPath: path)
            try FileManager.default.moveItem(atPath: directory + "/elsewhere", toPath: path)
            _ = try process.refresh(now: .at(7 * Self.second))
            #expect(process.numbers[Int(Self.scope.index)] != before[Int(Self.scope.index)])
            var next = self.process(directory)
            #expect(try next.begin(now: .at(8 * Self.second)))
            #expect(next.numbers == process.numbers)
        }
    }

    @Test(
        "that are gone or damaged hold nothing back, and are made anew", arguments: [nil, [], [1, 2, 3]] as [[UInt8]?])
    func damaged(bytes: [UInt8]?) throws {
        try withDirectory { directory in
            var process = process(directory)
            _ = try process.begin(now: 0)
            _ = process.writeBegins([Self.other], now: 1)
            try FileManager.default.removeItem(atPath: directory + "/epochs")
            if let bytes { try Data(bytes).write(to: URL(fileURLWithPath: directory + "/epochs")) }
            #expect(process.writeBegins([Self.scope], now: 1) == nil)
            process.writeEnded([Self.scope])
            #expect(throws: FileError.self) { try process.refresh(now: 1) }
            #expect(try !process.begin(now: 1))
            #expect(process.numbers[Int(Self.other.index)].isInFlight)
            _ = try process.refresh(now: 1)
        }
    }

    @Test("are taken only from a directory and a file that nobody else can write to")
    func others() throws {
        try withDirectory { directory in
            for mode in [0o770, 0o707, 0o1777] {
                try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: directory)
                var process = process(directory)
                #expect(throws: FileError.self) { try process.begin(now: 0) }
            }
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: directory)
            try FileManager.default.createSymbolicLink(
                atPath: directory + "/epochs", withDestinationPath: directory + "/else")
            var process = process(directory)
            #expect(throws: FileError.self) { try process.begin(now: 0) }
            #expect(!FileManager.default.fileExists(atPath: directory + "/else"))
        }
    }
}
