import AWSProtocol
import CatalogImport
import Gateway

/// Models for tests, in the notation of botocore.
enum TestModel {
    /// A service of things: a text for each operation and shape, without its name.
    static func bytes(
        operations: [String: String], shapes: [String: String] = [:], metadata: String = ""
    ) -> [UInt8] {
        func object(_ entries: [String: String]) -> String {
            "{\(entries.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ","))}"
        }
        let known = [
            "Text": "{\"type\":\"string\"}", "Size": "{\"type\":\"integer\",\"min\":1,\"max\":100}",
            "Id": "{\"type\":\"string\",\"pattern\":\"^[a-z0-9]{10}$\"}",
            "State": "{\"type\":\"string\",\"enum\":[\"OPEN\",\"DONE\",\"LOST\"]}",
            "Secret": "{\"type\":\"string\",\"sensitive\":true}", "Time": "{\"type\":\"timestamp\"}",
        ]
        return Array(
            """
            {"metadata":{"apiVersion":"2030-01-01","protocol":"json","jsonVersion":"1.1","targetPrefix":"Things","endpointPrefix":"things",
            "serviceId":"Test Things"\(metadata)},"operations":\(object(operations)),"shapes":\(object(known.merging(shapes) { $1 }))}
            """.utf8)
    }

    static func operation(_ input: String? = nil, _ output: String? = nil, _ more: String = "") -> String {
        let input = input.map { "\"input\":{\"shape\":\"\($0)\"}" }
        let output = output.map { "\"output\":{\"shape\":\"\($0)\"}" }
        return "{\([input, output, more.isEmpty ? nil : more].compactMap { $0 }.joined(separator: ","))}"
    }

    /// A structure of members as in `Name:Shape!`, with `!` for required ones.
    static func structure(_ members: String, documentation: [String: String] = [:]) -> String {
        let members = members.split(separator: " ").map { $0.split(separator: ":").map(String.init) }
        let required = members.filter { $0[1].hasSuffix("!") }.map { "\"\($0[0])\"" }
        let texts = members.map { member in
            let text = documentation[member[0]].map { ",\"documentation\":\"\($0)\"" } ?? ""
            return "\"\(member[0])\":{\"shape\":\"\(member[1].filter { $0 != "!" })\"\(text)}"
        }
        return
            "{\"type\":\"structure\",\"required\":[\(required.joined(separator: ","))],\"members\":{\(texts.joined(separator: ","))}}"
    }

    static func paginators(_ operations: String...) -> [UInt8] {
        let entries = operations.map {
            "\"\($0)\":{\"input_token\":\"nextToken\",\"output_token\":\"nextToken\",\"limit_key\":\"size\",\"result_key\":\"things\"}"
        }
        return Array("{\"pagination\":{\(entries.joined(separator: ","))}}".utf8)
    }

    /// The catalog of a model, as text and read.
    static func catalog(
        _ model: [UInt8], paginators: [UInt8]? = nil, operations: [String] = [], overlay: String? = nil
    ) throws -> (text: String, catalog: Catalog) {
        var importer = CatalogImporter()
        (importer.paginators, importer.operations) = (paginators, operations)
        importer.overlay = overlay.map { CatalogImporter.File(name: "o.yaml", bytes: Array($0.utf8)) }
        let text = try importer.catalog(ofModel: model)
        return (text, try Catalog(yaml: Array(text.utf8)))
    }
}

extension Catalog {
    func operation(_ name: String) -> Gateway.Operation? { operations.first { $0.name == name } }
    /// The members of an operation by what they are for.
    func member(_ name: String, _ place: KeyPath<Gateway.Operation, Int?>) -> String? {
        operation(name).flatMap { operation in operation[keyPath: place].map { operation.input[$0].member } }
    }
}
