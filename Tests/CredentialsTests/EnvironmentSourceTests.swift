import AWSProtocol
import Primitives
import Testing

@testable import Credentials

@Suite("Credentials in the environment")
struct EnvironmentSourceTests {
    private func source(_ variables: [String: String]) throws -> EnvironmentSource {
        EnvironmentSource(surroundings: try Machine().surroundings(variables))
    }

    @Test("a key id and a secret are enough, and do not end")
    func keys() throws {
        let found = try source(["AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "s/e+c="]).fetch()
        #expect(found == AWSCredentials(accessKeyID: "AKIDEXAMPLE", secretAccessKey: "s/e+c="))
    }

    @Test("a session token and an end are taken if they are there")
    func temporary() throws {
        let found = try source([
            "AWS_ACCESS_KEY_ID": "ASIA", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t",
            "AWS_CREDENTIAL_EXPIRATION": "2023-11-14T22:13:20Z",
        ]).fetch()
        #expect(
            found
                == AWSCredentials(
                    accessKeyID: "ASIA", secretAccessKey: "s", sessionToken: "t",
                    expiration: WallInstant(seconds: 1_700_000_000)))
    }

    @Test("without a key id there are none, even if the rest is there", arguments: [nil, ""])
    func absent(id: String?) throws {
        var variables = ["AWS_SECRET_ACCESS_KEY": "s"]
        variables["AWS_ACCESS_KEY_ID"] = id
        #expect(try source(variables).fault == .absent("AWS_ACCESS_KEY_ID is not set"))
    }

    @Test(
        "a key id without a secret, and values that are none, are faults that name the variable",
        arguments: [
            ("AWS_SECRET_ACCESS_KEY", "", "the environment has no AWS_SECRET_ACCESS_KEY"),
            ("AWS_SECRET_ACCESS_KEY", "canary\n", "the AWS_SECRET_ACCESS_KEY of the environment is none"),
            ("AWS_ACCESS_KEY_ID", "a/b", "the AWS_ACCESS_KEY_ID of the environment is none"),
            ("AWS_ACCESS_KEY_ID", "a, Signature=b", "the AWS_ACCESS_KEY_ID of the environment is none"),
            ("AWS_ACCESS_KEY_ID", "a\r\nX: y", "the AWS_ACCESS_KEY_ID of the environment is none"),
            ("AWS_SESSION_TOKEN", "canary\r\nX: y", "the AWS_SESSION_TOKEN of the environment is none"),
            (
                "AWS_CREDENTIAL_EXPIRATION", "canary",
                "the AWS_CREDENTIAL_EXPIRATION of the environment is no time in ISO 8601, such as 2025-01-31T12:00:00Z"
            ),
        ])
    func malformed(variable: String, value: String, message: String) throws {
        var variables = ["AWS_ACCESS_KEY_ID": "ASIA", "AWS_SECRET_ACCESS_KEY": "s"]
        variables[variable] = value
        #expect(try source(variables).fault == .failed(message))
    }
}

@Suite("Times in ISO 8601")
struct TimestampTests {
    @Test(
        "are read with fractions and offsets",
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2023-11-14T22:13:20Z", 1_700_000_000),
            ("2023-11-14T22:13:20.999Z", 1_700_000_000),
            ("2023-11-14T22:13:20.123456+00:00", 1_700_000_000), ("2023-11-15T00:13:20+02:00", 1_700_000_000),
            ("2023-11-14T18:43:20-0330", 1_700_000_000), ("2024-02-29T00:00:00Z", 1_709_164_800),
        ])
    func good(text: String, seconds: Int64) {
        #expect(Timestamp.instant(text) == WallInstant(seconds: seconds))
    }

    @Test("beyond the range are its end")
    func far() {
        #expect(Timestamp.instant("9999-12-31T23:59:59Z") == WallInstant(nanoseconds: .max))
        #expect(Timestamp.instant("0001-01-01T00:00:00Z") == WallInstant(nanoseconds: .min))
    }

    @Test(
        "of other forms are not read",
        arguments: [
            "", "2023", "2023-11-14", "2023-11-14T22:13:20", "2023-11-14 22:13:20Z", "2023-11-14T22:13:20.Z",
            "2023-11-14T22:13:20ZZ", "2023-13-14T22:13:20Z", "2023-11-14T25:13:20Z", "2023-11-14T22:13:20+24:00",
            "2023-11-14T22:13:20+1", "2023-11-14T22:13:20+0a:00", "+023-11-14T22:13:20Z", "1700000000",
            "２023-11-14T22:13:20Z",
            "2023-11-14T22:13:20." + String(repeating: "0", count: 99) + "Z",
        ])
    func bad(text: String) {
        #expect(Timestamp.instant(text) == nil)
    }
}
