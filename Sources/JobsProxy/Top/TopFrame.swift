internal import AWSProtocol

/// The figures of a gateway as lines of a terminal.
struct TopFrame {
    enum Style: String {
        case plain = ""
        case bold = "1"
        case quiet = "2"
        case good = "32"
        case warn = "33"
        case bad = "1;31"
    }

    struct Piece: Equatable {
        var text: String
        var style = Style.plain
    }

    private(set) var lines: [[Piece]] = []
    let width: Int

    init(_ figures: TopFigures, width: Int) {
        self.width = max(20, width)
        head(figures)
        answers(figures)
        quotas(figures)
        services(figures)
        callers(figures)
        pages(figures)
        members(figures)
        events(figures)
    }

    /// The text, with no line wider than `width`.
    ///
    /// - Parameter rows: how many lines at the most.
    func text(rows: Int = .max, hasColour: Bool) -> String {
        lines.prefix(max(1, rows)).map { line in
            var (left, text) = (width, "")
            for piece in line where left > 0 {
                let part = String(piece.text.prefix(left))
                left -= part.count
                text += hasColour && piece.style != .plain ? "\u{1b}[\(piece.style.rawValue)m\(part)\u{1b}[0m" : part
            }
            return text
        }.joined(separator: "\n")
    }

    /// Text from outside, without what a terminal would take for an order.
    static func clean(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map {
                    $0.properties.generalCategory == .control || $0.properties.generalCategory == .format
                        ? "\u{fffd}" : $0
                }))
    }

    // MARK: Sections

    private mutating func head(_ figures: TopFigures) {
        let event = figures.last
        let isServing = event["serving"] == .bool(true)
        let uptime = TopWords.time((event.number("at") ?? 0) - (event.number("start") ?? 0))
        lines.append([
            Piece(text: "JobsProxy \(Self.clean(event["version"]?.string ?? ""))  ", style: .bold),
            Piece(text: isServing ? "serving" : "ending", style: isServing ? .good : .bad),
            Piece(text: "  \(figures.source), up \(uptime)", style: .quiet),
        ])
        let name = "jobsproxy_requests_total"
        let all = figures.rate(name)
        let cached = figures.rate(name) { ["hit", "stale", "coalesced"].contains($0[0]) }
        let failed = figures.rate(name) { $0[0] == "failed" }
        let waiting = figures.rows("jobsproxy_queue_depth").reduce(0) { $0 + ($1.values.first ?? 0) }
        let asked = cached + figures.rate(name) { $0[0] == "miss" }
        lines.append([
            Piece(text: "\(TopWords.number(all)) requests a second, \(TopWords.part(cached, asked)) from the cache, "),
            Piece(text: "\(TopWords.part(failed, all)) errors", style: failed > 0 ? .bad : .plain),
            Piece(text: ", pages \(TopWords.time(figures.mean("jobsproxy_page_age_seconds"))) old, "),
            Piece(text: "\(TopWords.whole(waiting)) waiting", style: waiting > 0 ? .warn : .plain),
            Piece(text: ", \(TopWords.whole(figures.value("jobsproxy_connections"))) connections"),
        ])
    }

    private mutating func answers(_ figures: TopFigures) {
        let name = "jobsproxy_requests_total"
        title("ANSWERS", name, ["a second", "part", "in all"])
        let all = figures.rate(name)
        for row in figures.rows(name) {
            let rate = figures.rate(name) { $0 == row.labels }
            let isBad = row.labels == ["failed"] && rate > 0
            line(
                row.labels.joined(separator: " "),
                [TopWords.number(rate), TopWords.part(rate, all), TopWords.whole(row.values.first)],
                isBad ? .bad : .plain)
        }
    }

    private mutating func quotas(_ figures: TopFigures) {
        title("QUOTAS", "jobsproxy_quota_spent_total jobsproxy_quota_rate", ["in use", "rate", "waiting", "refused"])
        for row in figures.rows("jobsproxy_quota_rate") where row.labels.count == 2 {
            let used = figures.rate("jobsproxy_quota_spent_total") { Array($0.prefix(2)) == row.labels }
            let (service, group) = (row.labels[0], row.labels[1])
            let waiting = figures.value("jobsproxy_queue_depth", service, group) ?? 0
            let refused = figures.value("jobsproxy_quota_throttled_total", service, group)
            let configured = figures.value("jobsproxy_quota_configured_rate", service, group) ?? 0
            let rate = row.values.first ?? 0
            line(
                "\(service) \(group)",
                [TopWords.number(used), TopWords.number(rate), TopWords.whole(waiting), TopWords.whole(refused)],
                waiting > 0 || rate < 0.99 * configured ? .warn : .plain)
        }
    }

    private mutating func services(_ figures: TopFigures) {
        let attempts = "jobsproxy_upstream_attempts_total"
        title("SERVICES", "jobsproxy_breaker_state \(attempts)", ["breaker", "a second", "not good", "50 %", "95 %"])
        for service in figures.last["services"]?.array ?? [] {
            let name = service["name"]?.string ?? ""
            let breaker = figures.value("jobsproxy_breaker_state", name) ?? 0
            let bad = figures.rate(attempts) { $0[0] == name && !["ok", "client_error"].contains($0[1]) }
            let times = [0.5, 0.95].map {
                TopWords.time(figures.quantile($0, "jobsproxy_upstream_duration_seconds", name))
            }
            line(
                name,
                [
                    breaker == 0 ? "closed" : breaker == 1 ? "probing" : "open",
                    TopWords.number(figures.rate(attempts) { $0[0] == name }),
                    TopWords.number(bad),
                ] + times, breaker == 2 || bad > 0 ? .bad : breaker == 1 ? .warn : .plain)
        }
    }

    private mutating func callers(_ figures: TopFigures) {
        title("CALLERS", "jobsproxy_requests_total", ["a second", "in all", "throttled", "denied", "failed"])
        for row in (figures.last["callers"]?["rows"]?.array ?? []).compactMap(\.array) where row.count == 6 {
            let counts = row.dropFirst(2).map(\.double)
            line(
                row[0].string ?? "", [TopWords.number(row[1].double)] + counts.map(TopWords.whole),
                (counts.last ?? 0) ?? 0 > 0 ? .warn : .plain)
        }
    }

    private mutating func pages(_ figures: TopFigures) {
        title(
            "HOTTEST PAGES", "jobsproxy_cache_pages \(TopWords.whole(figures.value("jobsproxy_cache_pages")))",
            ["fresh for", "age", "requests"])
        for row in (figures.last["pages"]?["rows"]?.array ?? []).compactMap(\.array) where row.count == 9 {
            let left = row[5].double ?? 0
            line(
                "\(row[2].string ?? "") \(row[3].string ?? "")",
                [left > 0 ? TopWords.time(left) : "stale", TopWords.time(row[4].double), TopWords.whole(row[7].double)])
        }
    }

    private mutating func members(_ figures: TopFigures) {
        guard let members = figures.last["members"], members != .null else { return }
        let isUp = members["up"] == .bool(true)
        title("MEMBERS", "jobsproxy_shared_up jobsproxy_shared_instances", ["seat", "heard", "lease"])
        if !isUp { line("\(members["mode"]?.string ?? ""): \(members["fault"]?.string ?? "")", [], .bad) }
        for row in (members["rows"]?.array ?? []).compactMap(\.array) where row.count == 5 {
            let times = row.suffix(2).map { TopWords.time(($0.double ?? 0) / 1000) }
            line(
                (row[0].string ?? "") + (row[1] == .bool(true) ? " (this one)" : ""),
                [TopWords.whole(row[2].double)] + times)
        }
    }

    private mutating func events(_ figures: TopFigures) {
        title("EVENTS", "of the log", [])
        let now = figures.last.number("at") ?? 0
        for row in (figures.last["events"]?.array ?? []).compactMap(\.array).suffix(8).reversed() where row.count == 3 {
            let style: Style = ["warning": .warn, "error": .bad, "critical": .bad][row[1].string ?? ""] ?? .plain
            let ago = TopWords.time(max(0, now - (row[0].double ?? 0)))
            lines.append([
                Piece(text: "\(ago) ago  ".leftPadded(to: 14), style: .quiet),
                Piece(text: Self.clean(row[2].string ?? ""), style: style),
            ])
        }
    }

    // MARK: Lines

    private static let cell = 11

    private mutating func title(_ text: String, _ metric: String, _ columns: [String]) {
        lines.append([])
        // The metric's name is cut before a column is.
        let room = max(0, width - columns.count * Self.cell - text.count - 3)
        let name = metric.count > room ? String(metric.prefix(max(0, room - 1))) + (room > 0 ? "…" : "") : metric
        let gap = String(repeating: " ", count: max(0, room - name.count) + 2)
        lines.append([
            Piece(text: text, style: .bold), Piece(text: " \(name)", style: .quiet),
            Piece(text: gap + columns.map { $0.leftPadded(to: Self.cell) }.joined(), style: .quiet),
        ])
    }

    private mutating func line(_ name: String, _ columns: [String], _ style: Style = .plain) {
        let room = max(8, width - columns.count * Self.cell)
        let clean = Self.clean(name)
        let text = clean.count > room ? String(clean.prefix(room - 1)) + "…" : clean
        let gap = String(repeating: " ", count: max(0, room - text.count))
        lines.append([Piece(text: text + gap + columns.map { $0.leftPadded(to: Self.cell) }.joined(), style: style)])
    }
}

extension String {
    fileprivate func leftPadded(to length: Int) -> String {
        count < length ? String(repeating: " ", count: length - count) + self : self
    }
}
