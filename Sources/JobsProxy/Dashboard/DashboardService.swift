internal import GatewayFront
internal import ServiceLifecycle

/// Notes a sample of a few counters every ten seconds, so that whoever comes to look sees the last hour.
struct DashboardService: Service {
    let figures: DashboardFigures
    let offload: SharedText.Offload

    func run() async {
        await cancelWhenGracefulShutdown {
            repeat {
                offload { [figures] in figures.sample() }
            } while (try? await Task.sleep(for: .nanoseconds(DashboardFigures.interval))) != nil
        }
    }
}
