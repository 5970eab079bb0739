/// The events that wait at the one entrance to an object that they drive. An event that comes in the midst of another's handling, out of a
/// write or a change of the pipeline, waits until that has ended, so that no handling finds the state changed behind its back.
///
/// The object itself keeps whether it is busy and whether anything waits, as properties that are only read and set: by far most events find it
/// idle and leave nothing behind, and the runtime watches whatever is changed by a call.
struct EventQueue<Event> {
    // Few ever wait at once, and an idle connection is to keep no memory for them.
    private var waiting: [Event] = []

    init() {}

    mutating func add(_ event: Event) { waiting.append(event) }

    /// The event that is to be handled next; `nil` if none waits.
    mutating func next() -> Event? { waiting.isEmpty ? nil : waiting.removeFirst() }
}
