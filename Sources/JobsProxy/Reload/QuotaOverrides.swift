internal import Primitives

/// Rates of quota groups that an operator has set for a while, in place of the configured ones. Pure: time is an argument.
struct QuotaOverrides: Sendable, Equatable {
    /// A quota group by its names.
    struct Group: Sendable, Hashable {
        let service: String
        let group: String
    }

    struct Override: Sendable, Equatable {
        let rate: Configuration.Rate
        let until: MonotonicInstant
    }

    private(set) var all: [Group: Override] = [:]

    /// The longest one: what is to stay belongs in the file. Nanoseconds.
    static let longest = 24 * Int64.hour

    mutating func set(_ rate: Configuration.Rate, for group: Group, until: MonotonicInstant) {
        all[group] = Override(rate: rate, until: until)
    }

    mutating func end(_ group: Group) { all[group] = nil }

    /// Removes those whose time is over.
    ///
    /// - Returns: them, in the order of their names.
    mutating func expire(now: MonotonicInstant) -> [Group] {
        let over = all.filter { $0.value.until <= now }.keys.sorted { ($0.service, $0.group) < ($1.service, $1.group) }
        for group in over { all[group] = nil }
        return over
    }

    /// When the next one ends; `nil` if there is none.
    var nextEnd: MonotonicInstant? { all.values.map(\.until).min() }
}

extension Configuration {
    /// The configuration with the rates of overrides in place of its own.
    func with(_ overrides: QuotaOverrides) -> Configuration {
        var result = self
        for place in result.services.indices {
            for (group, override) in overrides.all where group.service == result.services[place].name {
                // Whether the group is only counted stays as it is configured.
                var rate = override.rate
                rate.shadow = result.services[place].quotas[group.group]?.shadow ?? false
                result.services[place].quotas[group.group] = rate
            }
        }
        return result
    }
}
