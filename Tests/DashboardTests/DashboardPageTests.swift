import Dashboard
import Testing

@Suite("The operator's page")
struct DashboardPageTests {
    private let page = DashboardPage()
    private var text: String { String(decoding: page.document(asksForToken: false), as: UTF8.self) }

    @Test("is one document with its style and its script")
    func whole() {
        #expect(text.hasPrefix("<!doctype html>"))
        #expect(text.contains("<style>" + String(decoding: page.style, as: UTF8.self) + "</style>"))
        #expect(text.contains("<script>" + String(decoding: page.script, as: UTF8.self) + "</script>"))
        #expect(text.ranges(of: "<script").count == 1 && text.ranges(of: "<style").count == 1)
    }

    @Test("asks for nothing from elsewhere, and makes no markup of what it is told")
    func selfContained() {
        for word in [
            "https://", "@import", "url(", "innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(",
            " style=\"", " onclick",
        ] {
            #expect(!text.contains(word), "\(word)")
        }
        // The name space of its icon.
        #expect(text.ranges(of: "http://").count == text.ranges(of: "http://www.w3.org/2000/svg").count)
    }

    @Test("knows if there is a token")
    func token() {
        let asking = String(decoding: page.document(asksForToken: true), as: UTF8.self)
        #expect(asking.contains("<html lang=\"en\" data-token=\"asked\">"))
        #expect(text.contains("<html lang=\"en\" data-token=\"none\">"))
    }
}
