internal import NIOCore

/// The one entrance to an object that is driven by events: an event that comes in the midst of another's handling, out of a write or a
/// change of the pipeline, waits until that has ended. So no handling finds the state changed behind its back.
///
/// Idle → (`begin`) busy → (`next` finds nothing) idle.
struct EventQueue<Event> {
    private var isBusy = false
    private var waiting = CircularBuffer<Event>(initialCapacity: 0)

    init() {}

    /// Begins to handle an event.
    ///
    /// - Returns: false if another is being handled: it waits, and `next` gives it back to whoever handles that one.
    mutating func begin(_ event: Event) -> Bool {
        guard isBusy else {
            isBusy = true
            return true
        }
        waiting.append(event)
        return false
    }

    /// Begins a step that the object's owner takes.
    ///
    /// - Returns: false if it is part of the handling of an event, which goes on after it.
    mutating func beginStep() -> Bool {
        guard !isBusy else { return false }
        isBusy = true
        return true
    }

    /// The event that is to be handled next; `nil` if there is none, and then handling has ended.
    mutating func next() -> Event? {
        if let event = waiting.popFirst() { return event }
        isBusy = false
        return nil
    }
}
