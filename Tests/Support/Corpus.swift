import Foundation
import Testing

/// One input of the committed corpus that the fuzzers start from, `Tests/Corpus/TARGET/…`.
struct CorpusInput: Sendable, CustomTestStringConvertible {
    /// Its path within the target's directory.
    let name: String
    let bytes: [UInt8]

    var testDescription: String { name }

    /// All inputs for one fuzzer, by name. Never empty.
    static func all(for target: String) throws -> [CorpusInput] {
        let support = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
        let directory = support.deletingLastPathComponent().appending(path: "Corpus/\(target)")
        let names = try FileManager.default.subpathsOfDirectory(atPath: directory.path())
        let inputs = try names.sorted().compactMap { name -> CorpusInput? in
            let file = directory.appending(path: name)
            guard try file.resourceValues(forKeys: [.isDirectoryKey]).isDirectory == false else { return nil }
            return CorpusInput(name: name, bytes: Array(try Data(contentsOf: file)))
        }
        try #require(!inputs.isEmpty, "no corpus at \(directory.path())")
        return inputs
    }
}
