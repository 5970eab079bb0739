import Foundation
import Testing

@testable import JobsProxy

@Suite("Config/jobs-proxy.yaml")
struct DocumentedConfigurationTests {
    let bytes: [UInt8]
    let lines: [String]

    init() throws {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let file = tests.appendingPathComponent("../../../Config/jobs-proxy.yaml").standardized
        bytes = [UInt8](try Data(contentsOf: file))
        lines = String(decoding: bytes, as: UTF8.self).components(separatedBy: "\n")
    }

    @Test("holds the defaults")
    func defaults() throws {
        #expect(try ConfigurationReader.read(bytes, file: "jobs-proxy.yaml").get() == Configuration())
    }

    @Test("holds every key there is")
    func complete() {
        #expect(Set(written) == Set(fields(of: Configuration(), at: "")))
    }

    @Test("says of every key what it is for, beside it or above it")
    func explained() {
        for block in lines.split(separator: "") where block.first?.hasPrefix("#") == false {
            for line in block.dropFirst() { #expect(line.contains(" # "), "\(line)") }
        }
    }

    /// The dotted paths of the file's keys, by their indentation. Names that are data are left out.
    private var written: [String] {
        var open: [(indent: Int, key: String)] = []
        var paths: [String] = []
        for line in lines {
            let text = line.replacingOccurrences(of: "- ", with: "  ")
            guard let colon = text.firstIndex(of: ":"), let start = text.firstIndex(where: { $0 != " " }) else {
                continue
            }
            guard text[start].isLetter, text[start].isLowercase else { continue }
            let indent = text.distance(from: text.startIndex, to: start)
            while let last = open.last, last.indent >= indent { open.removeLast() }
            open.append((indent, String(text[start..<colon])))
            paths.append(open.map(\.key).joined(separator: "."))
        }
        return paths
    }

    /// The dotted paths of a value's fields and theirs: what `ConfigurationReader+Keys.swift` calls keys.
    private func fields(of value: Any, at path: String) -> [String] {
        Mirror(reflecting: value).children.flatMap { child -> [String] in
            // The wording of a file is no key of it.
            guard let label = child.label, label != "wording" else { return [] }
            let path = path.isEmpty ? label : "\(path).\(label)"
            switch child.value {
            case is Configuration.Address, is Configuration.ServiceEntry.CatalogSource, is [String: Any]: return [path]
            case let services as [Configuration.ServiceEntry]:
                return [path] + services.flatMap { fields(of: $0, at: path) }
            default:
                let isStructure = Mirror(reflecting: child.value).displayStyle == .struct
                return [path] + (isStructure ? fields(of: child.value, at: path) : [])
            }
        }
    }
}
