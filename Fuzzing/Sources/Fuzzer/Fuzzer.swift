import Foundation

/// libFuzzer's entry point when `main` is our own: without this call a program exits without having fuzzed.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ fuzzed: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// What the harnesses share.
public enum Fuzzer {
    /// Fuzzes as the command line says.
    ///
    /// - Returns: the exit code.
    public static func run(_ fuzzed: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt) -> CInt {
        var count = CommandLine.argc
        var arguments = CommandLine.unsafeArgv
        return runDriver(&count, &arguments, fuzzed)
    }

    /// Makes a fault in one input a crash, which is how libFuzzer is told of it.
    public static func judge(_ start: UnsafePointer<UInt8>?, _ count: Int, _ fault: ([UInt8]) -> String?) -> CInt {
        guard let fault = fault(Array(UnsafeBufferPointer(start: start, count: count))) else { return 0 }
        FileHandle.standardError.write(Data("fault: \(fault)\n".utf8))
        abort()
    }
}
