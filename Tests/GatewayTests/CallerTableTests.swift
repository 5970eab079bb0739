import Gateway
import Primitives
import Testing

@Suite("The table of callers")
struct CallerTableTests {
    @Test("gives each name one id for the life of the process, and refuses those beyond its room as a whole")
    func ids() throws {
        let table = CallerTable(["anonymous", "a"], room: 2)
        #expect(try table.ids(of: ["b", "a"]) == [CallerID(2), CallerID(1)])
        #expect(try table.ids(of: ["c"]) == [CallerID(3)])
        #expect(try table.ids(of: ["a", "b"]) == [CallerID(1), CallerID(2)])
        #expect(throws: CallerTable.Full.self) { try table.ids(of: ["d", "a"]) }
        #expect(table.names == ["anonymous", "a", "b", "c"])
        #expect(table.name(of: 3) == "c")
        #expect(table.name(of: 4) == nil)
    }
}
