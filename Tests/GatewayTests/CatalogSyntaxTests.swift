import Testing

@testable import Gateway

@Suite("A hostile catalog file ends in a fault, soon", .timeLimit(.minutes(1)))
struct CatalogSyntaxTests {
    /// Each of ten anchors stands for ten of the one before it.
    private static let bomb = (1...10).map { level in
        let aliases = [String](repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
        return "a\(level): &a\(level) [\(aliases)]"
    }

    private static func fault(_ text: String) -> CatalogError? {
        do throws(CatalogError) {
            _ = try Catalog(yaml: Array(text.utf8))
            return nil
        } catch {
            return error
        }
    }

    @Test(
        "Aliases, as values and as keys",
        arguments: [
            (["a0: &a0 x"] + bomb).joined(separator: "\n"),
            (["a0: &a0 x"] + bomb + ["? *a10", ": 1"]).joined(separator: "\n"),
            (["a0: &a0 x"] + bomb + ["{ *a10 : 1 }: 2"]).joined(separator: "\n"), "&a a: *a", "? &a [*a]\n: 1",
            "*a : 1",
            "name: &n x\nshapes: { *n : { type: string } }", "name: !!binary x", "<<: { name: x }",
        ])
    func aliases(_ text: String) { #expect(Self.fault(text) != nil) }

    @Test(
        "Depth, size, and what no editor shows",
        arguments: [
            String(repeating: "[", count: 100_000), String(repeating: "{a: ", count: 100_000),
            "name: " + String(repeating: "- ", count: 50_000), "name: x\u{0}", "name: x\u{2028}", "\u{fffe}",
            String(repeating: "# a line of a comment\n", count: 800_000),
        ])
    func shape(_ text: String) { #expect(Self.fault(text) != nil) }

    @Test("A key that merely looks like a known one is unknown, and a repeated one is a fault of its line")
    func keys() {
        #expect(Self.fault("name: x\n\u{212a}ind: y")?.line == 2)
        let fault = Self.fault("name: x\nsigningName: y\nname: z")
        #expect(fault?.line == 3)
        #expect(fault?.message.contains("set already in line 1") == true)
    }
}
