import Primitives
import TestSupport
import Testing

@testable import HTTPFront

extension ConnectionMachine {
    /// The name of the state.
    fileprivate var phase: Phase {
        switch state {
        case .first: .first
        case .idle: .idle
        case .head: .head
        case .content: .content
        case .answer: .answer
        case .streaming: .streaming
        case .room: .room
        case .turn: .turn
        case .streams: .streams
        case .switching: .switching
        case .last: .last
        case .end: .end
        case .closed: .closed
        case .handedOver: .handedOver
        }
    }
}

private enum Phase: CaseIterable {
    case first, idle, head, content, answer, streaming, room, turn, streams, switching, last, end, closed, handedOver

    /// The states that may follow, as `ConnectionMachine.State` lists them.
    var next: Set<Phase> {
        switch self {
        case .first: [.head, .content, .answer, .room, .turn, .idle, .streams, .switching, .last]
        case .idle: [.head, .content, .answer, .room, .turn, .streams, .last]
        case .head: [.content, .answer, .room, .turn, .idle, .switching, .last]
        case .content: [.answer, .room, .turn, .idle, .last]
        case .answer: [.idle, .room, .streaming, .last]
        case .streaming: [.idle, .last]
        case .room: [.idle, .turn, .last]
        case .turn: [.idle, .room, .answer, .last]
        case .streams: [.idle]
        case .switching: [.handedOver, .last]
        case .last: [.end]
        case .end, .closed, .handedOver: []
        }
    }
}

@Suite("The machine of a connection")
struct ConnectionMachineTests {
    private static let second: Int64 = 1_000_000_000

    private let limits = HTTPLimits()

    @Test("closes a connection without a request after the head's time, and refuses an incomplete head after it")
    func head() {
        var silent = ConnectionMachine()
        silent.opened(now: 0, limits: limits)
        let early = silent.tick(now: .at(limits.headTimeout - 1), received: 0, unread: 0, limits: limits)
        let late = silent.tick(now: .at(limits.headTimeout), received: 0, unread: 0, limits: limits)
        #expect([early, late] == [.none, .abort(.headTimeout)])

        var slow = ConnectionMachine()
        slow.opened(now: 0, limits: limits)
        // Neither the first byte nor any later one begins the time anew.
        for now in 1...4 { slow.headIncomplete(now: .at(Int64(now) * Self.second), limits: limits) }
        let before = slow.tick(now: .at(limits.headTimeout - 1), received: 9, unread: 0, limits: limits)
        let after = slow.tick(now: .at(limits.headTimeout), received: 9, unread: 0, limits: limits)
        #expect([before, after] == [.none, .refuse(.headTimeout)])
    }

    @Test("counts the time of a later head from its first byte, and the idle time from the last answer")
    func laterHead() {
        var machine = ConnectionMachine()
        machine.opened(now: 0, limits: limits)
        machine.answered(closes: false, isLarge: false, now: 100, limits: limits)
        let idle = machine.tick(now: .at(99 + limits.idleTimeout), received: 0, unread: 0, limits: limits)
        machine.headIncomplete(now: .at(99 + limits.idleTimeout), limits: limits)
        let end = MonotonicInstant.at(99 + limits.idleTimeout + limits.headTimeout)
        let head = machine.tick(now: end - 1, received: 1, unread: 0, limits: limits)
        let late = machine.tick(now: end, received: 1, unread: 0, limits: limits)
        #expect([idle, head, late] == [.none, .none, .refuse(.headTimeout)])
    }

    @Test("waits for the responder without a deadline, and keeps what the client sends meanwhile")
    func answer() {
        var machine = ConnectionMachine()
        machine.answerLater(AnswerForm(closes: true))
        let actions = [machine.bytes(), machine.bytes()]
        let tick = machine.tick(now: .distantFuture, received: 0, unread: 0, limits: limits)
        #expect(actions == [.keepAndPause, .keep])
        #expect(tick == .none)
        #expect(machine.awaitedAnswer == AnswerForm(closes: true))
    }

    @Test("passes an answer on without a deadline but for a part that its client does not read")
    func streaming() {
        var machine = ConnectionMachine()
        machine.answerLater(AnswerForm())
        machine.streamBegins(closes: false)
        let idle = machine.tick(now: .distantFuture, received: 0, unread: 0, limits: limits)
        let kept = [machine.bytes(), machine.bytes()]
        let takes = machine.takesPart
        machine.partWaits(now: 100, limits: limits)
        let takesNoOther = machine.takesPart
        let early = machine.tick(now: .at(99 + limits.idleTimeout), received: 0, unread: 10, limits: limits)
        let late = machine.tick(now: .at(100 + limits.idleTimeout), received: 0, unread: 10, limits: limits)
        machine.partLeft()
        let left = machine.tick(now: .distantFuture, received: 0, unread: 0, limits: limits)
        #expect([idle, early, late, left] == [.none, .none, .abort(.unreadAnswer), .none])
        #expect(kept == [.keepAndPause, .keep])
        #expect(takes && !takesNoOther)
        machine.streamEnded(now: 200, limits: limits)
        #expect(machine.phase == .idle)

        var other = ConnectionMachine()
        other.answerLater(AnswerForm())
        other.streamBegins(closes: true)
        let gone = other.inputEnded(now: 5, limits: limits)
        #expect(gone == .close)
    }

    @Test(
        "closes a connection whose client reads less than 64 KiB in the idle time, in front of the last answer or another"
    )
    func unread() {
        for closes in [false, true] {
            var machine = ConnectionMachine()
            machine.answered(closes: closes, isLarge: true, now: 0, limits: limits)
            var unread = 1 << 20
            var actions: [ConnectionMachine.Action] = []
            for quarter in 1...1000 as ClosedRange<Int64> {
                // A fast reader at first, which slows down to a few bytes.
                unread -= quarter < 40 ? 20_000 : 10
                actions.append(
                    machine.tick(now: .at(quarter * Self.second / 4), received: 0, unread: unread, limits: limits))
                if actions.last != ConnectionMachine.Action.none { break }
            }
            #expect(actions.last == .abort(.unreadAnswer))
            // The time counts from the last 64 KiB.
            #expect(actions.count > 4 * 75 && actions.count < 4 * 75 + 40)
        }
    }

    @Test("refuses content that comes too slowly for the rate, or for its whole time")
    func content() {
        var machine = ConnectionMachine()
        machine.contentIncomplete(received: 100, now: 0, limits: limits)
        machine.contentIncomplete(received: 200, now: .at(limits.bodyTimeout / 2), limits: limits)
        let slow = machine.tick(now: .at(limits.bodyStretch), received: 200, unread: 0, limits: limits)
        #expect(slow == .refuse(.bodyTimeout))

        var limits = limits
        limits.bodyTimeout = 60 * Self.second
        var steady = ConnectionMachine()
        steady.contentIncomplete(received: 0, now: 0, limits: limits)
        var received = 0
        for now in 1..<60 as Range<Int64> {
            received += 2048
            let action = steady.tick(now: .at(now * Self.second), received: received, unread: 0, limits: limits)
            #expect(action == .none)
        }
        let end = steady.tick(now: .at(60 * Self.second), received: received, unread: 0, limits: limits)
        #expect(end == .refuse(.bodyTimeout))
    }

    @Test("shortens the time of an idle connection when the loop drains, and no other")
    func drain() {
        var idle = ConnectionMachine()
        idle.opened(now: 0, limits: limits)
        let early = idle.drain(until: 500, hasPending: false, now: 100, limits: limits)
        let late = idle.tick(now: 500, received: 0, unread: 0, limits: limits)
        #expect([early, late] == [.none, .abort(.headTimeout)])

        var over = ConnectionMachine()
        over.answered(closes: false, isLarge: false, now: 0, limits: limits)
        let action = over.drain(until: 50, hasPending: false, now: 100, limits: limits)
        #expect(action == .closeAfterFlush)

        var busy = ConnectionMachine()
        busy.answerLater(AnswerForm())
        let none = busy.drain(until: 50, hasPending: false, now: 100, limits: limits)
        #expect(none == .none)
        #expect(busy.phase == .answer)
    }

    @Test("gives the client two seconds to close after the last answer, unless it has closed its side")
    func end() {
        var machine = ConnectionMachine()
        machine.answered(closes: true, isLarge: false, now: 0, limits: limits)
        let dropped = machine.bytes()
        let half = machine.lastAnswerLeft(now: 10)
        let early = machine.tick(now: 9 + 2 * Self.second, received: 0, unread: 0, limits: limits)
        let late = machine.tick(now: 10 + 2 * Self.second, received: 0, unread: 0, limits: limits)
        #expect([dropped, half, early, late] == [.drop, .halfClose, .none, .close])

        var closed = ConnectionMachine()
        closed.answered(closes: true, isLarge: false, now: 0, limits: limits)
        let ended = closed.inputEnded(now: 5, limits: limits)
        let left = closed.lastAnswerLeft(now: 10)
        #expect([ended, left] == [.none, .close])
    }

    @Test("switches to HTTP/2 in a task of its own only, and keeps what comes meanwhile")
    func takeover() {
        var machine = ConnectionMachine(opening: .preface)
        machine.opened(now: 0, limits: limits)
        let first = machine.bytes()
        let some = machine.preface(nil, now: 1, limits: limits)
        let whole = machine.preface(true, now: 2, limits: limits)
        let meanwhile = machine.bytes()
        let deadline = machine.switchToHTTP2()
        let again = machine.switchToHTTP2()
        #expect([first, some, whole, meanwhile] == [.matchPreface, .none, .scheduleSwitch, .keep])
        #expect(deadline == .at(limits.headTimeout))
        #expect(again == nil)
        let forwarded = machine.bytes()
        #expect(forwarded == .forward)

        var secured = ConnectionMachine(opening: .handshake)
        secured.opened(now: 0, limits: limits)
        let action = secured.secured(speaksHTTP2: true)
        #expect(action == .scheduleSwitch)
    }
}

/// Drives a machine as a connection does, and calls back from every action.
private final class Owner: EventDriven<Int> {
    private var generator: SeededGenerator
    private var machine = ConnectionMachine(opening: .preface)
    private let limits = HTTPLimits()
    private var now: MonotonicInstant = 0
    private var depth = 0
    private var callbacks = 0
    private var isPaused = false
    private(set) var steps = 0
    private(set) var nested = 0
    private(set) var faults: [String] = []

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    override func handle(_ event: Int) {
        depth += 1
        defer { depth -= 1 }
        if depth > 1 { faults.append("a step in a step") }
        steps += 1
        now = now + Int64.random(in: 0..<20_000_000_000, using: &generator)
        step { action(event) }
    }

    /// Performs one change of the machine and checks it.
    private func step(_ body: () -> ConnectionMachine.Action) {
        let before = machine.phase
        let action = body()
        let after = machine.phase
        if after != before, after != .closed, !before.next.contains(after) { faults.append("\(before) → \(after)") }
        if before == .closed, after != .closed { faults.append("a life after the end") }
        if before == .closed, ![.none, .drop].contains(action) { faults.append("\(action) after the end") }
        perform(action)
    }

    private func action(_ event: Int) -> ConnectionMachine.Action {
        let isLarge = Bool.random(using: &generator)
        switch event {
        case 0: return machine.bytes()
        case 1: return machine.inputEnded(now: now, limits: limits)
        case 2:
            return machine.writabilityChanged(Bool.random(using: &generator), now: now, limits: limits)
        case 3:
            return machine.tick(
                now: now, received: Int.random(in: 0..<90_000, using: &generator),
                unread: Int.random(in: 0..<900_000, using: &generator), limits: limits)
        case 4: return machine.drain(until: now + 1_000_000_000, hasPending: isLarge, now: now, limits: limits)
        case 5: return machine.turn(now: now, limits: limits)
        case 6: return machine.lastAnswerLeft(now: now)
        case 7: return machine.contentLeft(hasPending: isLarge, now: now, limits: limits)
        case 8:
            guard machine.awaitedAnswer != nil else { return .none }
            machine.answered(closes: false, isLarge: isLarge, now: now, limits: limits)
            return machine.remainder
        case 11:
            guard machine.awaitedAnswer != nil else { return .none }
            machine.streamBegins(closes: isLarge)
            return .none
        case 12:
            if isLarge { machine.partWaits(now: now, limits: limits) } else { machine.partLeft() }
            return .none
        case 13:
            machine.streamEnded(now: now, limits: limits)
            return .none
        case 9: return machine.switchToHTTP2() == nil ? .none : .forward
        case 10:
            _ = machine.close()
            return .none
        default: return machine.answersQueued(now: now, limits: limits)
        }
    }

    private func perform(_ action: ConnectionMachine.Action) {
        switch action {
        case .matchPreface:
            let matches = [true, false, nil].randomElement(using: &generator) ?? nil
            step { machine.preface(matches, now: now, limits: limits) }
        case .parse: parse()
        case .pauseReading, .keepAndPause:
            if isPaused { faults.append("paused twice") }
            isPaused = true
        case .refuse:
            step {
                machine.answered(closes: true, isLarge: false, now: now, limits: limits)
                return .none
            }
        case .abort, .close: _ = machine.close()
        case .none, .keep, .drop, .forward, .queueTurn, .scheduleSwitch, .closeAfterFlush, .halfClose: break
        }
        // Every action calls back: what it drives must wait.
        if action != .none, callbacks < 20 {
            for _ in 0..<Int.random(in: 0...2, using: &generator) {
                callbacks += 1
                let (phase, handled) = (machine.phase, steps)
                drive(Int.random(in: 0...14, using: &generator))
                if machine.phase != phase || steps != handled { nested += 1 }
            }
        }
        if machine.resumesReading() {
            if !isPaused { faults.append("resumed twice") }
            isPaused = false
        }
    }

    /// The bytes hold requests, or parts of one.
    private func parse() {
        while machine.isListening {
            var goesOn = false
            step {
                switch Int.random(in: 0..<6, using: &generator) {
                case 0 where machine.phase != .content: machine.headIncomplete(now: now, limits: limits)
                case 0, 1: machine.contentIncomplete(received: 10, now: now, limits: limits)
                case 2: machine.answerLater(AnswerForm())
                case 3: return machine.turnEnded()
                default:
                    machine.answered(
                        closes: Int.random(in: 0..<8, using: &generator) == 0,
                        isLarge: Bool.random(using: &generator), now: now, limits: limits)
                    goesOn = machine.remainder == .parse && Bool.random(using: &generator)
                }
                return .none
            }
            if !goesOn { return }
        }
    }
}

extension ReentrancyTests {
    @Test("find the machine between two steps, over a hundred thousand sequences, and only allowed states follow")
    func machine() {
        var steps = 0
        for seed in 1...100_000 as ClosedRange<UInt64> {
            var generator = SeededGenerator(seed: seed)
            let owner = Owner(seed: seed &+ 7_000_000)
            for _ in 0..<8 { owner.drive(Int.random(in: 0...14, using: &generator)) }
            steps += owner.steps
            #expect(owner.nested == 0, "in the sequence of seed \(seed)")
            #expect(owner.faults == [], "in the sequence of seed \(seed)")
            if owner.nested > 0 || !owner.faults.isEmpty { return }
        }
        #expect(steps > 800_000)
    }
}
