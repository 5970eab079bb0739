internal import Gateway
internal import StrictYAML

/// Reads `group=batch&service=voice-id&rate=1&burst=2&for=1h&above=true`.
struct OverrideQuery: Equatable {
    var group = ""
    /// Needed where several services have a group of that name.
    var service: String?
    /// `nil` to end the group's override.
    var rate: Configuration.Rate?
    /// Nanoseconds; 0 ends the group's override.
    var time: Int64 = 0
    /// True if the rate may be above the configured one.
    var mayBeAbove = false

    /// - Throws: `Problem`, as a line for the operator.
    init(_ pairs: [(name: String, value: String)]) throws(Problem) {
        var (number, burst, time): (Double?, Int?, Int64?)
        for (name, value) in pairs {
            let scalar = Tree.Scalar(text: value, isPlain: true)
            do throws(Problem) {
                switch name {
                case "group": group = value
                case "service": service = value
                case "rate": number = try ValueParser<Double>.rate.read(scalar)
                case "burst": burst = try ValueParser<Int>.whole(1...10_000_000).read(scalar)
                case "for": time = try ValueParser<Int64>.duration(from: 0, to: QuotaOverrides.longest).read(scalar)
                case "above": mayBeAbove = try ValueParser<Bool>.flag.read(scalar)
                default: throw Problem("is unknown: there is group, service, rate, burst, for and above")
                }
            } catch {
                throw Problem("\(name.quoted): \(error.text)")
            }
        }
        guard !group.isEmpty else { throw Problem("'group': is missing: the quota group, such as batch") }
        guard let time else { throw Problem("'for': is missing: how long, such as 1h; 0s ends an override") }
        self.time = time
        guard time > 0 else { return }
        guard let number else { throw Problem("'rate': is missing: requests a second, such as 0.5") }
        let rate = Configuration.Rate(rate: number, burst: burst ?? Configuration.Rate.burst(of: number))
        if let problem = rate.burstProblem { throw Problem("'burst': \(problem)") }
        self.rate = rate
    }

    /// The group that is meant, by its owner: services of one scope share theirs.
    ///
    /// - Throws: `Problem` if there is none, or more than one.
    func target(_ configuration: Configuration, _ services: [Gateway.Service]) throws(Problem) -> Target {
        var found: [Target] = []
        var names: Set<String> = []
        for (place, candidate) in services.enumerated()
        where service.map({ $0.utf8.elementsEqual(candidate.settings.name.utf8) }) ?? true {
            for (index, known) in candidate.catalog.quotaGroups.enumerated() {
                names.insert(known.name)
                guard known.name.utf8.elementsEqual(group.utf8) else { continue }
                let owner = configuration.quotaOwner(of: place)
                let target = Target(
                    service: owner, group: index,
                    names: .init(
                        service: configuration.services[owner].name, group: known.name))
                if !found.contains(target) { found.append(target) }
            }
        }
        if let service, names.isEmpty { throw Problem("'service': there is no service \(service.quoted)") }
        guard let first = found.first else {
            throw Problem("'group': there is no group \(group.quoted), but \(names.sorted().joined(separator: ", "))")
        }
        guard found.count == 1 else {
            throw Problem("'service': is missing: several services have a group \(group.quoted)")
        }
        return first
    }

    struct Target: Equatable {
        /// The places of the service and of the group in its catalog.
        let service: Int
        let group: Int
        let names: QuotaOverrides.Group
    }
}

extension Configuration {
    /// The place of the service whose quotas a service uses.
    func quotaOwner(of place: Int) -> Int {
        guard let scope = services[place].quotaScope else { return place }
        return services.firstIndex { $0.quotaScope == scope } ?? place
    }
}
