internal import NIOCore

/// What a connection works with while it handles the requests that arrived together: memory that they are read into and
/// answered from, lent by the event loop so that an idle connection keeps none.
struct Workbench: ~Copyable {
    /// More than this is not kept for the next batch.
    static let keptBytes = 1 << 20

    var head = RequestHead()
    /// The content of a chunked request.
    var content: [UInt8] = []
    var writer = ResponseWriter()
    /// When the batch began, in monotonic nanoseconds.
    private(set) var now: Int64 = 0
    /// The requests of the batch that were answered at once.
    var answered = 0

    init(date: [UInt8]) {
        writer.setDate(date)
    }

    /// Begins a batch.
    mutating func begin(now: Int64) {
        self.now = now
        answered = 0
    }

    /// Makes the writer ready for the answer to the request whose head was read.
    mutating func prepareWriter(isDraining: Bool) {
        writer.closes = !head.keepsConnection || isDraining
        writer.omitsContent = head.method == .head
        writer.confirmsKeepAlive = !head.isHTTP11 && head.keepsConnection
    }
}

/// The clock of deadlines.
enum Clock {
    /// Monotonic nanoseconds.
    static func now() -> Int64 { Int64(clamping: NIODeadline.now().uptimeNanoseconds) }
}
