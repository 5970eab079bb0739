/// A list of records from the most to the least recently used, linked through the records themselves.
struct RecencyList {
    private let list: PageTable.List
    private var newest = PageTable.nowhere
    /// The record that was not used for longest.
    private(set) var oldest = PageTable.nowhere
    /// The weight of its pages.
    private(set) var bytes = 0

    init(_ list: PageTable.List) { self.list = list }

    /// Adds a record as the most recently used.
    mutating func append(_ place: Int32, _ table: inout PageTable) {
        table.setList(list, of: place)
        table.setNewer(PageTable.nowhere, of: place)
        table.setOlder(newest, of: place)
        if newest == PageTable.nowhere { oldest = place } else { table.setNewer(place, of: newest) }
        newest = place
        bytes += table.records[Int(place)].page?.weight ?? 0
    }

    /// Takes a record out.
    mutating func remove(_ place: Int32, _ table: inout PageTable) {
        let record = table.records[Int(place)]
        if record.newer == PageTable.nowhere {
            newest = record.older
        } else {
            table.setOlder(record.older, of: record.newer)
        }
        if record.older == PageTable.nowhere {
            oldest = record.newer
        } else {
            table.setNewer(record.newer, of: record.older)
        }
        table.setList(.none, of: place)
        bytes -= record.page?.weight ?? 0
    }
}
