import Dispatch
import Foundation

/// Runs `body` on `count` threads at once, each with its number, and returns when all have ended.
package func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let running = DispatchGroup()
    for number in 0..<count {
        running.enter()
        Thread.detachNewThread {
            body(number)
            running.leave()
        }
    }
    running.wait()
}

/// A list that any thread may add to, under a lock that the thread sanitizer knows.
package final class SharedList<Element: Sendable>: @unchecked Sendable {
    // `@unchecked` because: the elements are reached only under the lock.
    private let lock = NSLock()
    private var elements: [Element] = []

    package init() {}

    package var all: [Element] { lock.withLock { elements } }

    package func add(_ more: [Element]) { lock.withLock { elements += more } }
}
