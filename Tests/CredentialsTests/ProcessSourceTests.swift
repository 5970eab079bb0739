import AWSProtocol
import Glibc
import Primitives
import Testing

@testable import Credentials

@Suite("The words of a command")
struct CommandWordsTests {
    /// The results of Python's `shlex.split`, which botocore uses.
    @Test(
        "are split as the SDKs split them",
        arguments: [
            ("", []), ("  ", []), ("a", ["a"]), ("a b\tc\nd", ["a", "b", "c", "d"]), ("'a b' \"c d\"", ["a b", "c d"]),
            ("a'b'\"c\"d", ["abcd"]), ("'' \"\"", ["", ""]), (#"a\ b \"c"#, ["a b", "\"c"]),
            (#""a\"b\\c\d""#, [#"a"b\c\d"#]),
            (#"'a\b'"#, [#"a\b"#]), ("a # b", ["a", "#", "b"]), ("$HOME `x` $(y) *", ["$HOME", "`x`", "$(y)", "*"]),
            ("/ö/ü --x=\"ä ö\"", ["/ö/ü", "--x=ä ö"]),
        ] as [(String, [String])])
    func good(text: String, words: [String]) throws {
        #expect(try CommandWords.split(text) == words)
    }

    @Test("must have their quotes closed", arguments: ["'", "\"", "a 'b", "a \"b\\\"", "a\\", "'a\"b"])
    func bad(text: String) {
        #expect(throws: CommandWords.Fault.self) { try CommandWords.split(text) }
    }
}

@Suite("A process that prints credentials", .timeLimit(.minutes(1)))
struct ProcessSourceTests {
    private func source(_ command: String, _ surroundings: Surroundings) -> ProcessSource {
        ProcessSource(command: command, surroundings: surroundings, whose: "the process")
    }

    private func fault(_ command: String, patience: Int64 = 20 * second) throws -> CredentialFault? {
        var surroundings = try Machine().surroundings()
        surroundings.patience.process = patience
        return source(command, surroundings).fault
    }

    @Test("gets its arguments without a shell, and its environment from where the gateway's comes")
    func good() throws {
        let machine = try Machine()
        let script = machine.write(
            "my process",
            """
            #!/bin/sh
            [ "$1" = 'a b' ] && [ "$2" = '$HOME' ] && [ "$NAME" = value ] && [ -z "$PATH_NOT_SET" ] || exit 1
            echo '{"Version": 1, "AccessKeyId": "ASIA", "SecretAccessKey": "s", "SessionToken": "t",'
            echo ' "Expiration": "2023-11-14T22:13:20+00:00"}'
            """, mode: 0o700)
        let found = try source("'\(script)' \"a b\" $HOME", machine.surroundings(["NAME": "value"])).fetch()
        #expect(
            found
                == AWSCredentials(
                    accessKeyID: "ASIA", secretAccessKey: "s", sessionToken: "t",
                    expiration: WallInstant(seconds: 1_700_000_000)))
    }

    @Test("gets none of the gateway's files, and no input")
    func descriptors() throws {
        // Descriptors without FD_CLOEXEC.
        let leaked = (0..<3).map { _ in open("/dev/null", O_RDONLY) }
        defer { leaked.forEach { close($0) } }
        #expect(leaked.contains { $0 > 3 })
        let output = try ChildProcess(timeout: 20 * second, maxBytes: 10_000).output(
            of: ["/bin/sh", "-c", "cat; echo /proc/$$/fd/*"], environment: [:])
        let paths = String(decoding: output, as: UTF8.self).split { $0 == " " || $0 == "\n" }
        // The last one is the directory that the shell itself reads.
        #expect(paths.compactMap { $0.split(separator: "/").last } == ["0", "1", "2", "3"])
    }

    @Test(
        "that fails is a fault without a word of what it printed",
        arguments: [
            ("/bin/sh -c 'echo canary; echo canary >&2; exit 3'", "the process failed with exit code 3"),
            ("/bin/sh -c 'kill -9 $$'", "the process was ended by signal 9"),
            ("/nowhere/canary", "the process cannot be started: No such file or directory"),
            ("", "the process is empty"),
            ("'canary", "the process has a quotation mark that is not closed, or ends with a backslash"),
            (
                "/bin/echo canary",
                "the output of the process is not JSON: a character that does not belong there (byte 0)"
            ),
            ("/bin/echo '{\"AccessKeyId\":\"canary\"}'", "the output of the process is not of Version 1"),
            ("/bin/echo '{\"Version\":2}'", "the output of the process is not of Version 1"),
            ("/bin/echo '{\"Version\":\"1\"}'", "the output of the process is not of Version 1"),
            (
                "/bin/echo '{\"Version\":1,\"AccessKeyId\":\"canary\"}'",
                "the output of the process has no SecretAccessKey"
            ),
            ("/bin/cat /dev/zero", "the process wrote too much"),
        ])
    func failing(command: String, message: String) throws {
        #expect(try fault(command) == .failed(message))
    }

    @Test(
        "that does not end in time is ended, with all that it started",
        arguments: [
            "exec /bin/sleep 600", "/bin/sleep 600 & /bin/sleep 600", "exec >&-; exec /bin/sleep 600",
            "trap '' TERM; while :; do echo; /bin/sleep 1; done",
        ])
    func hanging(script: String) throws {
        let machine = try Machine()
        // A process that has the other end of this pipe still runs.
        mkfifo(machine.home + "/life", 0o600)
        let life = open(machine.home + "/life", O_RDONLY | O_NONBLOCK)
        defer { close(life) }
        let path = machine.write("process", "exec 9> '\(machine.home)/life'; echo begun >&9\n\(script)\n")
        var surroundings = machine.surroundings(patience: second / 4)
        var begun: [UInt8] = []
        // More time on a machine where a quarter of a second does not suffice to start.
        while begun.isEmpty, surroundings.patience.process < 20 * second {
            let fault = source("/bin/sh \(path)", surroundings).fault
            #expect(fault == .failed("the process did not finish in time"))
            _ = SourceFile.readPiece(life, 100, onto: &begun)
            surroundings.patience.process *= 2
        }
        #expect(begun == Array("begun\n".utf8))
        #expect(eventually { SourceFile.readPiece(life, 100, onto: &begun) == .end })
    }
}
