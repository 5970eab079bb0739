internal import Foundation

/// Two threads add to one number without a lock. The sanitizer must find it, or what it says of the tests means nothing.
final class Number: @unchecked Sendable {
    // `@unchecked` because: it is the race.
    var value = 0
}

let number = Number()
let threads = (0..<2).map { _ in
    Thread {
        for _ in 0..<10_000 { number.value += 1 }
    }
}
for thread in threads { thread.start() }
while !threads.allSatisfy(\.isFinished) { Thread.sleep(forTimeInterval: 0.01) }
print(number.value)
