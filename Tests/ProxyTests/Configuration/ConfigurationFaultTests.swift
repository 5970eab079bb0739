import Testing

@testable import JobsProxy

@Suite("Faults of a configuration")
struct ConfigurationFaultTests {
    static let keys = [
        FaultyText("retrys: {}", "1: retrys: unknown key; did you mean retry?"),
        FaultyText("http:\n  max_fields: 5", "2: http.max_fields: unknown key; did you mean maxFields?"),
        FaultyText("http: {maxFeilds: 5}", "1: http.maxFeilds: unknown key; did you mean maxFields?"),
        FaultyText(
            "breaker: {colour: red}", "1: breaker.colour: unknown key; the keys here are failures, openFor"),
        FaultyText(
            "breaker: {zz: 1, failure: 2, aa: 3}",
            "1: breaker.zz: unknown key; the keys here are failures, openFor",
            "1: breaker.failure: unknown key; did you mean failures?",
            "1: breaker.aa: unknown key; the keys here are failures, openFor"),
        FaultyText(
            "services:\n- region: us-east-1\n  timeout: {}",
            "3: services[0].timeout: unknown key; did you mean timeouts?"),
        FaultyText(
            "services: [{quotas: {batch: {rate: 2, brust: 3}}}]",
            "1: services[0].quotas.batch.brust: unknown key; did you mean burst?"),
        FaultyText(
            "log: {\"a\\e[31m\\nb\": 1}",
            "1: log.'a\\u{1B}[31m\\u{A}b': unknown key; the keys here are level, access, format"),
        FaultyText(
            "replicas: 2\nlog: {level: info}\nreplicas: 3\nreplicas: 4",
            "3: replicas: is set already in line 1: keep one of the two",
            "4: replicas: is set already in line 1: keep one of the two"),
        FaultyText(
            "cache:\n  ttl:\n    status:\n      FAILED: 1s\n      \"FAILED\": 2s\n"
                + "http: {maxFields: 1, 'maxFields': 2}\n",
            "5: cache.ttl.status.FAILED: is set already in line 4: keep one of the two",
            "6: http.maxFields: is set already in line 6: keep one of the two"),
    ]

    static let kinds = [
        FaultyText("- a\n- b", "1: a configuration is a mapping of keys, not a list"),
        FaultyText("hello", "1: a configuration is a mapping of keys, not the single value 'hello'"),
        FaultyText("http: 5", "1: http: must be a mapping of keys, not the single value '5'"),
        FaultyText("http: []", "1: http: must be a mapping of keys, not a list"),
        FaultyText("services: {}", "1: services: must be a list, each item after a '- ', not a mapping of keys"),
        FaultyText("services: []", "1: services: is empty: list at least one, or leave the key out"),
        FaultyText("services:\n-\n", "2: services[0]: must be a mapping of keys, not nothing"),
        FaultyText(
            "services: [voice-id]", "1: services[0]: must be a mapping of keys, not the single value 'voice-id'"),
        FaultyText(
            "cache: {negative: 5s}", "1: cache.negative: must be a mapping of names, not the single value '5s'"),
        FaultyText(
            "cache: {negative: {a b: 5s}}",
            "1: cache.negative.'a b': must be 1 to 64 letters, digits, '-', '_' or '.', not 'a b'"),
        FaultyText("replicas: [1]", "1: replicas: must be a single value, not a list"),
        FaultyText("drain:", "1: drain: has no value: give it one, or leave the key out"),
        FaultyText("anonymous: yes", "1: anonymous: must be loopback, deny or allow, not 'yes'"),
        FaultyText(
            "log: {level: verbose, access: none}",
            "1: log.level: must be trace, debug, info, notice, warning, error or critical, not 'verbose'",
            "1: log.access: must be off, errors or all, not 'none'"),
        FaultyText(
            "services: [{region: Virginia}]",
            "1: services[0].region: must be a Region such as us-east-1, not 'Virginia'"),
        FaultyText(
            "services: [{region: US-EAST-1}]",
            "1: services[0].region: must be a Region such as us-east-1, not 'US-EAST-1'"),
        FaultyText(
            "services: [{credentials: {access\u{212a}eyId: A, secretAccessKey: {env: A}}}]",
            "1: services[0].credentials.accessKeyId: is missing: it stands with its secretAccessKey",
            "1: services[0].credentials.'access\u{212a}eyId': unknown key; did you mean accessKeyId?"),
        FaultyText(
            "http: {maxBodyBytes: 64\u{212a}iB}",
            "1: http.maxBodyBytes: must be a size such as 64KiB, 256MiB, 1GiB or plain bytes, not '64\u{212a}iB'"),
        FaultyText("services: [{caBundle: ''}]", "1: services[0].caBundle: must not be empty"),
        FaultyText(
            "services: [{quotas: {batch: {}}}]",
            "1: services[0].quotas.batch.rate: is missing: say how many requests a second there may be"),
    ]

    static let rules = [
        FaultyText(
            "listen:\n  address: 0.0.0.0:8080",
            "2: listen.address: 0.0.0.0:8080 can be reached from other machines, and no callers are configured: "
                + "listen on 127.0.0.1:8080, list 'callers', or set 'anonymous: allow' if all who reach it may use it"),
        FaultyText(
            "admin:\n  address: '[::]:9090'",
            "2: admin.address: [::]:9090 can be reached from other machines: give the admin listener a token, as "
                + "{env: NAME} or {file: PATH}, or a loopback address such as 127.0.0.1:9090"),
        FaultyText(
            "admin: {token: hunter2}",
            "1: admin.token: must be {env: NAME} or {file: PATH}: secrets do not stand in this file"),
        FaultyText(
            "admin: {token: {env: A, file: b}}",
            "1: admin.token.env: must be one of env and file: {env: NAME} or {file: PATH}"),
        FaultyText(
            "services: [{credentials: hunter2}]",
            "1: services[0].credentials: must be 'default' or a mapping of keys"),
        FaultyText(
            "services: [{credentials: {accessKeyId: A}}]",
            "1: services[0].credentials.secretAccessKey: is missing: say where it is kept, as {env: NAME} or {file: PATH}"
        ),
        FaultyText(
            "services: [{signing: passthrough}]",
            "1: services[0].signing: the embedded sandbox needs no signature: leave out 'signing: passthrough'"),
        FaultyText(
            "listen: {tls: {certificate: a.pem}}",
            "1: listen.tls.key: is missing: the path of a PEM file with the certificate's private key"),
        FaultyText(
            "callers: [{keys: []}]", "1: callers[0].name: is missing: it stands in metrics and logs",
            "1: callers[0].keys: is missing: a caller is known by keys ('jobs-proxy caller add' makes one) or by a certificate"
        ),
        FaultyText(
            "callers:\n- {name: anonymous, keys: [{accessKeyId: A, secretAccessKey: {env: A}}]}",
            "2: callers[0].name: 'anonymous' means somebody without a name: choose another"),
        FaultyText(
            "callers:\n- {name: a, keys: [hunter2]}", "2: callers[0].keys[0]: must be a mapping of keys"),
        FaultyText(
            "listen: {tls: {certificate: a, key: b, clientCA: c}}\n"
                + "callers:\n- {name: a, certificate: {san: x}}\n- {name: b, certificate: {san: x}}",
            "4: callers[1].certificate: names the certificate of another caller too: a certificate belongs to one caller"
        ),
        FaultyText(
            "callers:\n- {name: a, certificate: {san: x}}",
            "1: callers: 'a' is known by a certificate, which no client can show: set listen.tls with a clientCA"),
        FaultyText(
            "services: [{endpoint: 'https://a', signing: passthrough}]\nanonymous: deny",
            "1: services: a service with 'signing: passthrough' serves nobody when 'anonymous' is deny, which it is "
                + "beside callers: its signatures cannot be verified here. Set 'anonymous: loopback' or 'allow' (which "
                + "admit unsigned requests to the other services too), or run two gateways"),
        FaultyText(
            "listen: {tls: {certificate: a, key: b, clientCA: c}}\ncallers: [\n{name: a, certificate: {san: a}},\n"
                + "{name: a, certificate: {}}]",
            "4: callers[1].certificate.subject: must be one of subject, dns, uri, ip and email: a name in the "
                + "caller's certificate",
            "4: callers[1].name: 'a' is the name of another caller too: give each its own"),
        FaultyText(
            "listen: {tls: {certificate: a, key: b, clientCA: c}}\ncallers:\n"
                + "- {name: a, certificate: {dns: 10.0.0.1}}\n- {name: b, certificate: {san: a@b.example}}\n"
                + "- {name: c, certificate: {dns: 'spiffe://x'}}\n- {name: d, certificate: {ip: 10.1}}\n"
                + "- {name: e, certificate: {uri: x.example}}\n- {name: f, certificate: {email: x}}\n"
                + "- {name: g, certificate: {dns: a.example}}\n- {name: h, certificate: {san: A.example}}",
            "3: callers[0].certificate.dns: is an IP address: write ip: 10.0.0.1",
            "4: callers[1].certificate.san: is no DNS name: write email: ADDRESS",
            "5: callers[2].certificate.dns: is no DNS name: write uri: URI",
            "6: callers[3].certificate.ip: must be an IP address such as 192.0.2.1 or 2001:db8::1, not '10.1'",
            "7: callers[4].certificate.uri: must be a URI such as spiffe://example.com/dashboard, not 'x.example'",
            "8: callers[5].certificate.email: must be an e-mail address, not 'x'",
            "10: callers[7].certificate: names the certificate of another caller too: a certificate belongs to one caller"
        ),
        FaultyText(
            "listen: {hosts: [a.example, 'b.example:80', '[::1]:1', 'a b', \u{212a}.example]}",
            "1: listen.hosts[1]: must have no port: write b.example",
            "1: listen.hosts[2]: must have no port: write ::1",
            "1: listen.hosts[3]: must name a host (example.com, 192.0.2.1 or [2001:db8::1]), not 'a b'",
            "1: listen.hosts[4]: must name a host (example.com, 192.0.2.1 or [2001:db8::1]), not '\u{212a}.example'"),
        FaultyText(
            "listen: {address: 'unix:gateway.sock'}\nadmin: {address: 'unix:/\(String(repeating: "a", count: 107))'}",
            "1: listen.address: must name the socket's file by a whole path of at most 107 bytes, such as "
                + "unix:/run/jobs-proxy/gateway.sock",
            "2: admin.address: must name the socket's file by a whole path of at most 107 bytes, such as "
                + "unix:/run/jobs-proxy/gateway.sock"),
        FaultyText(
            "listen: {address: 'unix:/run/a'}\nadmin: {address: 'unix:/run/a'}",
            "2: admin: listen and admin have one address (unix:/run/a): give one of them another path"),
        FaultyText(
            "listen: {trustedProxies: [10.0.0.0/8, unix, '::1', 10.0.0.1/8, proxy.example]}",
            "1: listen.trustedProxies[3]: must be an IP address (192.0.2.1), a network without bits beyond its length (10.0.0.0/8, "
                + "2001:db8::/32), or unix for whoever connects by a Unix socket, not '10.0.0.1/8'",
            "1: listen.trustedProxies[4]: must be an IP address (192.0.2.1), a network without bits beyond its length (10.0.0.0/8, "
                + "2001:db8::/32), or unix for whoever connects by a Unix socket, not 'proxy.example'"),
        FaultyText(
            "callers:\n- {name: a, keys: [{accessKeyId: a b, secretAccessKey: {env: A}}]}",
            "2: callers[0].keys[0].accessKeyId: must be 1 to 128 letters, digits, '-', '_' or '.'"),
        FaultyText(
            "callers:\n- {name: a, domains: all, keys: [{accessKeyId: A, secretAccessKey: {env: A}}]}\n"
                + "- {name: b, keys: [{accessKeyId: A, secretAccessKey: {env: A}}]}",
            "2: callers[0].domains: must be a list in brackets, such as [\"*\"], not the single value 'all'",
            "3: callers[1].keys: the access key id 'A' is there twice: a key belongs to one caller"),
        FaultyText(
            "admin: {address: 127.0.0.1:8080}",
            "1: admin: listen and admin have one address (127.0.0.1:8080): give one of them another port"),
        FaultyText(
            "\nlisten: {address: 127.0.0.1:9090}",
            "2: listen: listen and admin have one address (127.0.0.1:9090): give one of them another port"),
        FaultyText(
            "services:\n- timeouts:\n    call: 3s",
            "3: services[0].timeouts.call: attempt (5s) must not be longer than call (3s): "
                + "shorten attempt or lengthen call"
        ),
        FaultyText(
            "services:\n- timeouts:\n    attempt: 1500ms\n    call: 1s\n    connect: 2s",
            "3: services[0].timeouts.attempt: attempt (1500ms) must not be longer than call (1s): shorten attempt or "
                + "lengthen call",
            "5: services[0].timeouts.connect: connect (2s) must not be longer than attempt (1500ms): shorten connect "
                + "or lengthen attempt"),
        // A refused value takes no part in a rule.
        FaultyText(
            "services: [{timeouts: {attempt: 20, call: 3s}}]",
            "1: services[0].timeouts.attempt: needs its unit: 20ms, 20s, 20m or 20h"),
        FaultyText(
            "listen: {address: 0.0.0.0:1}\nanonymous: alow",
            "2: anonymous: must be loopback, deny or allow, not 'alow'"),
        FaultyText(
            "retry: {maxDelay: 10ms}",
            "1: retry.maxDelay: baseDelay (50ms) must not be longer than maxDelay (10ms): "
                + "shorten baseDelay or lengthen maxDelay"
        ),
        FaultyText(
            "cache:\n  ttl: {status: {FAILED: 23h}}\n  staleIfError: 1h",
            "3: cache.staleIfError: the longest ttl (23h), staleWhileRevalidate (30s) and staleIfError (1h) must stay "
                + "below 24h together, the life of a NextToken: shorten one of them"),
        FaultyText(
            "services:\n- region: a-1\n- region: b-1",
            "2: services[0].name: is missing: other services have the catalog 'voice-id' too",
            "3: services[1].name: is missing: other services have the catalog 'voice-id' too"),
        FaultyText(
            "services:\n- name: a\n- catalog: x\n  name: a",
            "4: services[1].name: 'a' is the name of services[0] too: give each its own"),
        FaultyText(
            "services:\n- catalog: []\n- region: a-1",
            "2: services[0].catalog: must be a single value, not a list"),
        FaultyText("services: [{catalog: /}]", "1: services[0].name: is missing: '/' makes no name"),
    ]

    @Test("are told with line, key and advice", arguments: keys + kinds + rules)
    func told(text: FaultyText) {
        #expect(faults(text.yaml) == text.faults)
    }

    @Test("are all told at once, by line")
    func allAtOnce() {
        let yaml = """
            log: {acess: all}
            http:
              maxFields: many
              headTimeout: 5
            services:
              - endpoint: https://a/?q
                timeouts: {connect: 10s}
            replicas: 0
            """
        #expect(
            faults(yaml).map { $0.prefix(2) } == [
                "1:", "3:", "4:", "6:", "7:", "8:",
            ])
    }
}
