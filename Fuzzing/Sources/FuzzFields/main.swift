import Foundation
import Fuzzer

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzed(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    Fuzzer.judge(start, count, FieldCheck.fault)
}

exit(Fuzzer.run(fuzzed))
