import Testing

@testable import JobsProxy

@Suite("Values of a configuration")
struct ConfigurationValueTests {
    static let numbers = [
        FaultyText("replicas: 0", "1: replicas: must be between 1 and 1000, not '0'"),
        FaultyText("replicas: -1", "1: replicas: must be between 1 and 1000, not '-1'"),
        FaultyText(
            "replicas: 99999999999999999999",
            "1: replicas: must be between 1 and 1000, not '99999999999999999999'"),
        FaultyText("replicas: 1.5", "1: replicas: must be a whole number in plain digits, not '1.5'"),
        FaultyText("replicas: 1_0", "1: replicas: must be a whole number in plain digits, not '1_0'"),
        FaultyText("replicas: 010", "1: replicas: must be a whole number in plain digits, not '010'"),
        FaultyText("replicas: 0x10", "1: replicas: must be a whole number in plain digits, not '0x10'"),
        FaultyText("replicas: \"2\"", "1: replicas: must be a whole number in plain digits, not '2'"),
        FaultyText("retry: {maxAttempts: 11}", "1: retry.maxAttempts: must be between 1 and 10, not '11'"),
        FaultyText(
            "services: [{headroom: 0.51}]", "1: services[0].headroom: must be between 0 and 0.5, not '0.51'"),
        FaultyText(
            "services: [{headroom: -0.1}]", "1: services[0].headroom: must be between 0 and 0.5, not '-0.1'"),
        FaultyText(
            "services: [{headroom: .nan}]",
            "1: services[0].headroom: must be a number such as 2 or 0.5, not '.nan'"),
        FaultyText(
            "services: [{headroom: nan}]",
            "1: services[0].headroom: must be a number such as 2 or 0.5, not 'nan'"),
        FaultyText(
            "limits: {caller: {rate: .inf}}",
            "1: limits.caller.rate: must be a number such as 2 or 0.5, not '.inf'"),
        FaultyText(
            "limits: {caller: {rate: 1e999}}",
            "1: limits.caller.rate: must be between 0.000011575 (one a day) and 10000000 a second, not '1e999'"),
        FaultyText(
            "limits: {caller: {rate: 0.00001}}",
            "1: limits.caller.rate: must be between 0.000011575 (one a day) and 10000000 a second, not '0.00001'"
        ),
        FaultyText(
            "limits: {caller: {burst: 0}}", "1: limits.caller.burst: must be between 1 and 10000000, not '0'"),
        FaultyText(
            "limits: {caller: {rate: 0.000011575, burst: 366}}",
            "1: limits.caller.burst: burst (366) must not be more than a year of the rate brings (365): raise the rate "
                + "or lower the burst"),
    ]

    static let measures = [
        FaultyText("drain: 30", "1: drain: needs its unit: 30ms, 30s, 30m or 30h"),
        FaultyText("drain: 0", "1: drain: needs its unit: 0ms, 0s, 0m or 0h"),
        FaultyText("drain: 1.5s", "1: drain: must be a duration such as 250ms, 10s, 5m or 1h, not '1.5s'"),
        FaultyText("drain: 10 s", "1: drain: must be a duration such as 250ms, 10s, 5m or 1h, not '10 s'"),
        FaultyText("drain: -5s", "1: drain: must be a duration such as 250ms, 10s, 5m or 1h, not '-5s'"),
        FaultyText("drain: 1d", "1: drain: must be a duration such as 250ms, 10s, 5m or 1h, not '1d'"),
        FaultyText("drain: 2h", "1: drain: must be between 0ms and 1h, not '2h'"),
        FaultyText("drain: 9999999999999999h", "1: drain: must be between 0ms and 1h, not '9999999999999999h'"),
        FaultyText(
            "drain: 99999999999999999999h", "1: drain: must be between 0ms and 1h, not '99999999999999999999h'"),
        FaultyText("http: {headTimeout: 0ms}", "1: http.headTimeout: must be between 1ms and 1h, not '0ms'"),
        FaultyText(
            "http: {maxHeadBytes: 64KB}",
            "1: http.maxHeadBytes: must be a size such as 64KiB, 256MiB, 1GiB or plain bytes, not '64KB'"),
        FaultyText(
            "http: {maxHeadBytes: 2MiB}", "1: http.maxHeadBytes: must be between 64 and 1MiB, not '2MiB'"),
        FaultyText(
            "cache: {maxBytes: 9223372036854775807GiB}",
            "1: cache.maxBytes: must be between 64KiB and 1024GiB, not '9223372036854775807GiB'"),
    ]

    static let addresses = [
        FaultyText(
            "listen: {address: 8080}",
            "1: listen.address: must name a host (example.com, 192.0.2.1 or [2001:db8::1]), not '8080'"),
        FaultyText("listen: {address: localhost}", "1: listen.address: has no port: write localhost:8080"),
        FaultyText(
            "listen: {address: ':8080'}",
            "1: listen.address: has no host before the port"),
        FaultyText(
            "listen: {address: '::1:8080'}",
            "1: listen.address: must have its IPv6 address in brackets, such as [::1]:8080"),
        FaultyText("listen: {address: '[::1'}", "1: listen.address: has a '[' without its ']'"),
        FaultyText("listen: {address: '[::1]'}", "1: listen.address: has no port: write [::1]:8080"),
        FaultyText(
            "listen: {address: '127.0.0.1:65536'}",
            "1: listen.address: must have a port between 0 and 65535 after the host, not ':65536'"),
        FaultyText(
            "listen: {address: '127.1:80'}",
            "1: listen.address: must name a host (example.com, 192.0.2.1 or [2001:db8::1]), not '127.1'"),
        FaultyText(
            "services: [{endpoint: local}]",
            "1: services[0].endpoint: must be an https:// or http:// URL, or 'sandbox' for the stand-in in this process"
        ),
        FaultyText(
            "services: [{endpoint: 'ftp://a'}]",
            "1: services[0].endpoint: must begin with https:// or http://; no other scheme is spoken"
        ),
        FaultyText("services: [{proxy: 'https://'}]", "1: services[0].proxy: has no host before the port"),
        FaultyText(
            "services: [{proxy: 'https://me:secret@a'}]",
            "1: services[0].proxy: must not hold a user name or password: remove what stands before the '@'"),
        FaultyText(
            "services: [{proxy: 'https://a?b'}]",
            "1: services[0].proxy: must end after the host and port: remove the query or fragment"),
        FaultyText(
            "services: [{proxy: 'https://a/b'}]",
            "1: services[0].proxy: must end after the host and port: remove the path"),
        FaultyText(
            "services: [{proxy: 'https://a:0'}]", "1: services[0].proxy: has port 0, which nothing listens on"),
    ]

    @Test("are refused with their range or an example", arguments: numbers + measures + addresses)
    func refused(text: FaultyText) {
        #expect(faults(text.yaml) == text.faults)
    }

    @Test(
        "are not repeated where they might hold a password",
        arguments: ["https://me:s3cret@host", "s3cret@host", "https://h/s3cret", "ftp://u:s3cret@h"])
    func passwords(url: String) {
        let told = faults("services: [{endpoint: '\(url)', proxy: '\(url)'}]")
        #expect(told.count == 2)
        #expect(!told.joined().contains("s3cret"))
    }

    @Test("are cut short where they are long")
    func longValues() {
        let told = faults("replicas: \(String(repeating: "x", count: 5_000))")
        #expect(told.count == 1)
        #expect(told.joined().count < 200)
    }
}
