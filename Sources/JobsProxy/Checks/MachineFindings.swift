internal import Glibc
internal import NIOCore
internal import Primitives
internal import StrictYAML

/// What only shows on the machine that the gateway is to run on, and by its user: directories, open files, the age of certificates.
/// A start gets by without most of it, and says so in its log.
struct MachineFindings {
    let configuration: Configuration
    let environment: [String: String]
    /// How many files a process may have open, after it has raised the limit as far as it may.
    var maxOpenFiles = Process.mostOpenFiles
    var loops = NIOSingletons.groupLoopCountSuggestion
    let now: WallInstant

    /// A certificate that is valid for less is to be renewed.
    private static let renewal: Int64 = 14 * 24 * .hour

    func add(to faults: FaultCollector) {
        addSockets(faults)
        addSnapshot(faults)
        addDescriptors(faults)
        addAuthorities(faults)
        addExpiry(faults)
    }

    // MARK: Directories

    private func addSockets(_ faults: FaultCollector) {
        for (key, address) in [
            ("listen.address", configuration.listen.address), ("admin.address", configuration.admin.address),
        ] {
            guard let path = address.path else { continue }
            switch Directory(of: path) {
            case .writable: break
            case .unwritable(let directory, let reason):
                faults.add(
                    .warning, key: key,
                    "the socket cannot be made in \(directory): \(reason); unless it is handed over (LISTEN_FDS), let "
                        + "the gateway's user write there")
            case .missing(let directory, let reason):
                faults.add(key: key, "the socket cannot be made in \(directory): \(reason)")
            }
        }
    }

    private func addSnapshot(_ faults: FaultCollector) {
        guard let path = configuration.cache.snapshot else { return }
        func warn(_ problem: String) {
            faults.add(.warning, key: "cache.snapshot", "no page outlives the process: \(problem)")
        }
        switch Directory(of: path) {
        case .missing(let directory, let reason), .unwritable(let directory, let reason):
            warn("\(directory): \(reason); make the directory, and let the gateway's user alone write to it")
        case .writable(let directory):
            do throws(FileError) {
                let directory = try PrivateDirectory(directory)
                let name = path.split(separator: "/").last.map(String.init) ?? path
                _ = try directory.open(name, O_RDONLY)
            } catch {
                if error.code != ENOENT { warn("\(error)") }
            }
        }
    }

    // MARK: Open files

    private func addDescriptors(_ faults: FaultCollector) {
        let services = configuration.services.map(\.maxConnections)
        guard let budget = DescriptorBudget(limit: maxOpenFiles, services: services, loops: loops) else {
            return faults.add(
                key: "http.maxConnections",
                "the process may have \(maxOpenFiles) files open, and needs \(DescriptorBudget.least(loops: loops)) at "
                    + "least: \(DescriptorBudget.advice)")
        }
        func warn(_ key: String, _ wanted: Int, _ left: Int) {
            faults.add(
                .warning, key: key,
                "is \(wanted), but of the \(maxOpenFiles) files that the process may have open \(left) are left for it: "
                    + "lower it, or \(DescriptorBudget.advice)")
        }
        if budget.lowersCallers(configuration.http) {
            warn("http.maxConnections", configuration.http.maxConnections, budget.callers)
        }
        for index in budget.lowered(services) {
            warn("services[\(index)].maxConnections", services[index], budget.perService)
        }
    }

    // MARK: Certificates

    private func addAuthorities(_ faults: FaultCollector) {
        var users = configuration.services.enumerated().compactMap { index, service in
            service.needsAuthorities && service.caBundle == nil ? "services[\(index)].caBundle" : nil
        }
        if let tracing = configuration.tracing, tracing.needsAuthorities, tracing.caBundle == nil {
            users.append("tracing.caBundle")
        }
        if !users.isEmpty, let problem = SystemAuthorities.problem(now: now) {
            for key in users { faults.add(key: key, problem) }
        }
        if let path = environment["AWS_CA_BUNDLE"], !path.isEmpty, configuration.findsCredentials {
            do throws(Problem) { _ = try CertificateFile(path, now: now) } catch {
                faults.add(.warning, key: "services", "credentials may not be had: AWS_CA_BUNDLE: \(error.text)")
            }
        }
    }

    private func addExpiry(_ faults: FaultCollector) {
        // A file that cannot be read was told of already.
        func file(_ path: String) -> CertificateFile? {
            path.isEmpty ? nil : try? CertificateFile(path, now: now)
        }
        if let tls = configuration.listen.tls, let file = file(tls.certificate), file.firstEnd - now < Self.renewal {
            faults.add(
                .warning, key: "listen.tls.certificate",
                "\(file.path): \(words(file.firstEnd)): renew it, it is read anew without a restart")
        }
        var bundles = configuration.bundles
        if let path = configuration.listen.tls?.clientCA { bundles.append(("listen.tls.clientCA", path)) }
        if let path = configuration.shared?.caBundle { bundles.append(("shared.caBundle", path)) }
        for (key, path) in bundles {
            guard let file = file(path), file.lastEnd - now < Self.renewal else { continue }
            faults.add(.warning, key: key, "\(path): of the last of its certificates, \(words(file.lastEnd)): renew it")
        }
    }

    private func words(_ end: WallInstant) -> String {
        let day = CalendarTime(seconds: end.seconds)
        let date = [day.year, day.month, day.day].map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: "-")
        return end <= now ? "the validity ended on \(date)" : "the validity ends on \(date)"
    }
}

extension Configuration {
    /// True if credentials are looked for where the AWS SDKs look.
    fileprivate var findsCredentials: Bool {
        services.contains { $0.signing == .resign && $0.credentials == .default && $0.endpoint != .sandbox }
    }
}

/// The directory of a file that the gateway makes.
private enum Directory {
    case writable(String)
    /// This user may not make files in it.
    case unwritable(String, reason: String)
    case missing(String, reason: String)

    init(of path: String) {
        let slash = path.lastIndex(of: "/")
        let directory = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        var status = stat()
        if unsafe stat(directory, &status) != 0 {
            self = .missing(directory, reason: unsafe String(cString: strerror(errno)))
        } else if status.st_mode & S_IFMT != S_IFDIR {
            self = .missing(directory, reason: "is no directory")
        } else if unsafe faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS) != 0 {
            self = .unwritable(directory, reason: unsafe String(cString: strerror(errno)))
        } else {
            self = .writable(directory)
        }
    }
}
