public import Gateway
internal import HTTPFront
internal import Locking
internal import NIOCore
internal import Primitives

/// Hands arrivals to the event loops whose requests wait for them: one task and one wake-up for each loop, not for each
/// waiter.
public final class LoopDispatcher: ArrivalReceiver {
    private let loops = Locked<[Int32: NIOLoopBound<GatewayResponder>]>([:])

    public init() {}

    func register(_ responder: GatewayResponder, loop: Int32, eventLoop: any EventLoop) {
        let bound = NIOLoopBound(responder, eventLoop: eventLoop)
        loops.withLock { $0[loop] = bound }
    }

    public func deliver(_ deliveries: [Delivery]) {
        var byLoop: [Int32: [(Delivery, Waiter)]] = [:]
        for delivery in deliveries {
            for waiter in delivery.waiters { byLoop[waiter.loop, default: []].append((delivery, waiter)) }
        }
        for (loop, arrivals) in byLoop {
            guard let responder = loops.withLock({ $0[loop] }) else { continue }
            responder.eventLoop.execute {
                for (delivery, waiter) in arrivals {
                    responder.value.arrive(delivery.arrival, delivery.story, for: waiter)
                }
            }
        }
    }
}
