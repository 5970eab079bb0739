/// The catalogs that are compiled into the program, as the bytes of their files in `Config/catalogs`.
public enum BuiltInCatalogs {
    /// Every built-in catalog's name, as `services[].catalog` names it.
    public static let names = ["voice-id"]

    /// The YAML text of the catalog called `name`, or nothing if it is not built in.
    public static func bytes(named name: String) -> [UInt8]? {
        name == "voice-id" ? PackageResources.voice_id_yaml : nil
    }
}
