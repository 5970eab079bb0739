internal import HTTPFront
internal import Primitives
internal import Redis
internal import StrictYAML

// What a configuration refers to. A start, a reload and a check ask the same, so a fault that each request would meet later is met here.

extension Configuration {
    /// Reads secrets and certificates as the gateway does.
    ///
    /// - Parameter faults: gets what the gateway cannot run with.
    func readReferences(_ environment: [String: String], _ faults: FaultCollector, now: WallInstant) {
        for secret in secrets {
            do throws(Problem) { _ = try secret.resolve(environment) } catch {
                faults.add(line: secret.line, key: secret.key, error.text)
            }
        }
        if let tls = listen.tls, !tls.certificate.isEmpty, !tls.key.isEmpty {
            do throws(TLSError) { try TLSSettings(tls).check() } catch {
                faults.add(line: tls.line, key: "listen.tls", "\(error)")
            }
        }
        if let shared { shared.readReferences(environment, faults) }
        for (key, path) in bundles {
            do throws(Problem) { _ = try CertificateFile(path, now: now) } catch { faults.add(key: key, error.text) }
        }
    }

    /// The files of authorities that connections need, by their keys; without those of `shared`, which has its own reader.
    var bundles: [(key: String, path: String)] {
        var bundles = services.enumerated().compactMap { index, service in
            service.needsAuthorities ? service.caBundle.map { ("services[\(index)].caBundle", $0) } : nil
        }
        if let tracing, tracing.needsAuthorities, let path = tracing.caBundle {
            bundles.append(("tracing.caBundle", path))
        }
        return bundles
    }
}

extension Configuration.ServiceEntry {
    /// True if its endpoint or its proxy has a certificate to verify.
    var needsAuthorities: Bool {
        guard case .origin(let origin) = endpoint else { return false }
        return origin.scheme == .https || proxy?.scheme == .https
    }
}

extension Configuration.Tracing {
    var needsAuthorities: Bool { endpoint.hasPrefix("https://") }
}

extension Configuration.Shared {
    fileprivate func readReferences(_ environment: [String: String], _ faults: FaultCollector) {
        let least = Self.minimumKeyBytes
        if let key, let secret = try? key.resolve(environment), secret.utf8.count < least {
            faults.add(
                line: key.line, key: key.key,
                "the secret is too short: it needs \(least) bytes, such as those of openssl rand -hex 32")
        }
        do throws(RedisSettingsFault) { try (try client(password: nil)).tls?.check() } catch {
            // A fault of the URL was told before.
            if caBundle != nil || certificate != nil { faults.add(line: line, key: "shared", "\(error)") }
        }
    }
}
