internal import CCatalogs

/// The catalogs that are compiled into the program, as the bytes of their files in `Config/catalogs`.
public enum BuiltInCatalogs {
    /// Every built-in catalog's name, as `services[].catalog` names it, in their order.
    public static var names: [String] {
        (0..<CCatalogs_count()).map { unsafe String(cString: CCatalogs_name($0)) }
    }

    /// The YAML text of the catalog called `name`, or nil if it is not built in.
    public static func bytes(named name: String) -> [UInt8]? {
        guard let place = names.firstIndex(where: { $0.utf8.elementsEqual(name.utf8) }),
            let place = UInt32(exactly: place)
        else { return nil }
        // The bytes are constants of the program, as many as it says.
        return unsafe Array(UnsafeBufferPointer(start: CCatalogs_bytes(place), count: CCatalogs_size(place)))
    }
}
