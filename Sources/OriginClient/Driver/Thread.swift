internal import Glibc

/// A thread could not be started.
package struct ThreadError: Error, Sendable, CustomStringConvertible {
    /// As in errno.
    package let code: Int32

    package var description: String { "error \(code)" }
}

/// Runs `body` on a thread of its own. Nonisolated, because a closure for C that is formed on an actor traps on another thread.
///
/// - Throws: `ThreadError` if the system has no thread to give; `body` does not run then.
package func spawnThread(_ body: @escaping @Sendable () -> Void) throws(ThreadError) {
    final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
    var thread = pthread_t()
    // The thread takes over this reference.
    let argument = unsafe Unmanaged.passRetained(Body(body))
    let code = unsafe pthread_create(
        &thread, nil,
        { argument in
            if let argument = unsafe argument {
                let body = unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
                body.run()
            }
            return nil
        }, argument.toOpaque())
    guard code == 0 else {
        unsafe argument.release()
        throw ThreadError(code: code)
    }
    pthread_detach(thread)
}
