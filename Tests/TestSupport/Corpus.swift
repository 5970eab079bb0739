import Foundation

/// One input of the committed corpus that the fuzzers start from, `Tests/Corpus/TARGET/…`.
package struct CorpusInput: Sendable, CustomStringConvertible {
    /// Its path within the target's directory.
    package let name: String
    package let bytes: [UInt8]

    package var description: String { name }

    /// There are no inputs for a fuzzer.
    package struct Missing: Error { let directory: String }

    /// All inputs for one fuzzer, by name. Never empty.
    ///
    /// - Throws: `Missing`, or the file system's error.
    package static func all(for target: String) throws -> [CorpusInput] {
        let support = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
        let directory = support.deletingLastPathComponent().appending(path: "Corpus/\(target)")
        let names = try FileManager.default.subpathsOfDirectory(atPath: directory.path())
        let inputs = try names.sorted().compactMap { name -> CorpusInput? in
            let file = directory.appending(path: name)
            guard try file.resourceValues(forKeys: [.isDirectoryKey]).isDirectory == false else { return nil }
            return CorpusInput(name: name, bytes: Array(try Data(contentsOf: file)))
        }
        guard !inputs.isEmpty else { throw Missing(directory: directory.path()) }
        return inputs
    }
}
