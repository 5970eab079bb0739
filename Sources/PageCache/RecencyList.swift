/// A list of records from the most to the least recently used, linked through the records themselves.
struct RecencyList {
    private let list: PageTable.List
    private var newest = PageTable.nowhere
    /// The least recently used record.
    private(set) var oldest = PageTable.nowhere
    /// The weight of the list's pages.
    private(set) var bytes = 0

    init(_ list: PageTable.List) { self.list = list }

    /// Adds a record as the most recently used.
    mutating func append(_ place: Int32, _ table: inout PageTable) {
        table.setList(list, of: place)
        table.setNewer(PageTable.nowhere, of: place)
        table.setOlder(newest, of: place)
        if newest == PageTable.nowhere { oldest = place } else { table.setNewer(place, of: newest) }
        newest = place
        bytes += Int(table.links[Int(place)].weight)
    }

    /// Removes a record.
    mutating func remove(_ place: Int32, _ table: inout PageTable) {
        let link = table.links[Int(place)]
        if link.newer == PageTable.nowhere { newest = link.older } else { table.setOlder(link.older, of: link.newer) }
        if link.older == PageTable.nowhere { oldest = link.newer } else { table.setNewer(link.newer, of: link.older) }
        table.setList(.none, of: place)
        bytes -= Int(link.weight)
    }
}
