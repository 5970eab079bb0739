internal import Gateway

extension Configuration {
    struct Cache: Sendable, Equatable {
        /// Memory for pages, their overhead included.
        var maxBytes: Int = 256 * .mebibyte
        /// Calls that may wait on one flight.
        var maxWaiters = 10_000
        var ttl = TimeToLive()
        var refreshAhead = RefreshSettings.off
        var staleWhileRevalidate = CachePolicy().staleWhileRevalidate
        var staleIfError = CachePolicy().staleIfError
        /// The time for which an error is kept, by its type; 0: not at all.
        var negative: [String: Int64] = ["ResourceNotFoundException": 5 * .second]
        /// True if pages are kept in gzip, too, for clients that accept it.
        var gzip = false
        /// The file that pages are kept in between two runs.
        var snapshot: String?

        /// The time for which a page is fresh.
        struct TimeToLive: Sendable, Equatable {
            /// For pages of which neither the operation nor the status has its own.
            var `default` = CachePolicy().defaultTTL
            /// By the status that the page was filtered for, where the operation has none of its own.
            var status: [String: Int64] = [:]
            /// Where the catalog calls that status final, and it has none of its own.
            var final = CachePolicy().finalTTL
            /// By the names of operations, whatever the status.
            var operation: [String: Gateway.TimeToLive] = [:]

            var longest: Int64 {
                max(`default`, final, status.values.max() ?? 0, operation.values.map(\.longest).max() ?? 0)
            }

            /// True if the time of some operation follows how often its pages change.
            var isAdaptive: Bool { operation.values.contains { if case .adaptive = $0 { true } else { false } } }
        }
    }

    struct Limits: Sendable, Equatable {
        var caller = Rate(rate: 100, burst: 200)
        /// Limits of their own for operations, by their names, for each caller.
        var operation: [String: Rate] = [:]
        /// The limit of each domain's attempts at services.
        var domain: Rate?
        var queue = Queue()

        /// The queue of calls that wait for a quota token.
        struct Queue: Sendable, Equatable {
            /// 0: refused at once.
            var maxWait: Int64 = 2 * .second
            var maxDepth = 256
        }
    }
}
