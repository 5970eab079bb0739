internal import GatewayFront
internal import Locking
internal import Primitives
internal import Telemetry

/// How reloads have ended, for `/metrics`. The start counts as a good one, but not among their number.
final class ReloadResults: Sendable {
    private struct State {
        var (good, bad) = (0, 0)
        var isGood = true
        var goodAt = Process.wallClock()
    }

    private let state = Locked(State())

    init(_ registry: Metrics) {
        registry.observed(
            "jobsproxy_config_last_reload_successful", "1 if the configuration was read without a fault the last time."
        ) { [self] in [("", state.withLock { $0.isGood } ? 1 : 0)] }
        registry.observed(
            "jobsproxy_config_last_reload_success_timestamp_seconds",
            "When the configuration was last read without a fault, since unix epoch in seconds."
        ) { [self] in [("", Double(state.withLock { $0.goodAt }.nanoseconds) / 1e9)] }
        registry.observed(
            "jobsproxy_config_reloads_total", "Times that the configuration was read anew.", kind: .counter
        ) { [self] in
            let (good, bad) = state.withLock { ($0.good, $0.bad) }
            return [(label("result", "ok"), Double(good)), (label("result", "failed"), Double(bad))]
        }
    }

    func count(isGood: Bool) {
        state.withLock { state in
            state.isGood = isGood
            if isGood {
                state.good += 1
                state.goodAt = Process.wallClock()
            } else {
                state.bad += 1
            }
        }
    }
}
