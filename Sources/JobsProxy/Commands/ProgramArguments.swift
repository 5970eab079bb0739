internal import CProcess

enum ProgramArguments {
    /// All but the program's name; `nil` where they cannot be known.
    static var afterName: [String]? {
        let count = Int(cprocess_argument_count())
        // Unsafe only in its pointers: there are as many texts, and they stay valid.
        guard count > 0, let words = unsafe cprocess_arguments() else {
            return count == 0 && !CommandLine.arguments.isEmpty ? Array(CommandLine.arguments.dropFirst()) : nil
        }
        return (1..<max(1, count)).compactMap { unsafe words[$0].map { unsafe String(cString: $0) } }
    }
}
