import Primitives
import Testing

@Suite("A range of IP addresses")
struct IPNetworkTests {
    @Test(
        "has the addresses with its prefix, and no others",
        arguments: [
            ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.0", false), ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.8", false), ("192.0.2.128/25", "192.0.2.200", true),
            ("192.0.2.128/25", "192.0.2.127", false), ("0.0.0.0/0", "203.0.113.9", true), ("0.0.0.0/0", "::1", false),
            ("2001:db8::/32", "2001:db8:1::5", true), ("2001:db8::/32", "2001:db9::", false), ("::1", "::1", true),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true), ("172.16.0.0/12", "172.31.255.255", true),
            ("172.16.0.0/12", "172.32.0.0", false), ("::/0", "fe80::1", true),
            ("2001:db8::/33", "2001:db8:8000::", false),
        ])
    func membership(network: String, address: String, isIn: Bool) throws {
        let network = try #require(IPNetwork(network))
        let address = try #require(IPAddress(address.utf8))
        #expect(network.contains(address) == isIn)
    }

    @Test(
        "is nothing else than an address and a length that has its bits",
        arguments: [
            "", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08x", "10.0.0.1/8", "::1/129", "10/8",
            "localhost",
            "10.0.0.0/8/9", "fe80::1%eth0", "10.0.0.0 /8", "10.0.0.0/0000",
        ])
    func faults(text: String) { #expect(IPNetwork(text) == nil) }
}
