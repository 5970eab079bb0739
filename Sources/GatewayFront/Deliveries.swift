public import Gateway
internal import HTTPFront
internal import Locking
internal import NIOCore
public import PageCache

/// Brings arrivals to the event loops of those who wait: one task for each loop concerned, not one for each waiter.
public final class Deliveries: ArrivalReceiver {
    private let loops = Locked<[Int32: NIOLoopBound<GatewayResponder>]>([:])

    public init() {}

    func register(_ responder: GatewayResponder, loop: Int32, eventLoop: any EventLoop) {
        let bound = NIOLoopBound(responder, eventLoop: eventLoop)
        loops.withLock { $0[loop] = bound }
    }

    public func deliver(_ arrival: Arrival, to waiters: [Waiter]) {
        guard let first = waiters.first else { return }
        if waiters.count == 1 {
            post(arrival, [first], to: first.loop)
            return
        }
        for (loop, group) in Dictionary(grouping: waiters, by: \.loop) { post(arrival, group, to: loop) }
    }

    private func post(_ arrival: Arrival, _ waiters: [Waiter], to loop: Int32) {
        guard let responder = loops.withLock({ $0[loop] }) else { return }
        responder.eventLoop.execute {
            for waiter in waiters { responder.value.arrive(arrival, for: waiter) }
        }
    }
}
