import Foundation
import PageCache
import Primitives

/// What pages take of the process's memory, beside what the cache counts for them.
enum Memory {
    struct Figures {
        /// By how much the process's resident memory grew.
        let grown: Int
        /// What the cache counts.
        let counted: Int
        /// What keys and bodies alone are.
        let content: Int
    }

    static func measure(pages: Int, bodyBytes: Int) -> Figures {
        let scope = EpochScope(service: "s", domain: [])
        let cache = PageCache(maxBytes: 2 * pages * bodyBytes, maxWaiters: 1)
        let before = resident
        var content = 0
        for number in 0..<pages {
            // As long as a key of a listing with a page token is.
            let key = PageKey(PageKey.bytes(of: number) + [UInt8](repeating: 0x61, count: 112))
            guard
                case .lead(let flight) = cache.find(
                    key, scope: scope, waiter: Waiter(loop: 0, slot: 0, generation: 0), now: 0)
            else { continue }
            let body = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: bodyBytes)
            let page = Page(key: key, status: 200, body: body, fetchedAt: 0, lifetime: Page.Lifetime(fresh: .max))
            _ = cache.land(flight, .keep(page), now: 0)
            content += key.bytes.count + bodyBytes
        }
        precondition(cache.figures.pages == pages, "every page is kept")
        return Figures(grown: resident - before, counted: cache.figures.bytes, content: content)
    }

    /// Bytes of the process in memory.
    private static var resident: Int {
        let fields = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ") ?? []
        return (fields.count > 1 ? Int(fields[1]) ?? 0 : 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
}
