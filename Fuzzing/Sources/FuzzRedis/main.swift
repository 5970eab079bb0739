import Foundation
import Fuzzer

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzed(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    Fuzzer.judge(start, count) { RESPCheck.fault($0) }
}

exit(Fuzzer.run(fuzzed))
