#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// One of the system's threads.
@safe package struct PosixThread: @unchecked Sendable {
    // Sendable: the handle is an identity, not memory of ours.
    let handle: pthread_t

    var isCurrent: Bool { pthread_equal(handle, pthread_self()) != 0 }

    /// Waits for its end.
    package func join() { pthread_join(handle, nil) }

    func detach() { pthread_detach(handle) }

    static func failure(_ number: Int32) -> InferenceError {
        InferenceError(
            .outOfResources,
            "No thread could be started for inference (\(systemMessage(number))). Ask for fewer threads.",
            underlying: SystemCallError(call: "pthread_create", number: number))
    }

    /// What a thread does, on its way through C.
    final class Body: Sendable {
        private let body: @Sendable () -> Void

        private init(_ body: @escaping @Sendable () -> Void) { self.body = body }

        static func retained(_ body: @escaping @Sendable () -> Void) -> UnsafeMutableRawPointer {
            unsafe Unmanaged.passRetained(Body(body)).toOpaque()
        }

        static func release(_ argument: UnsafeMutableRawPointer) {
            unsafe Unmanaged<Body>.fromOpaque(argument).release()
        }

        static func call(_ argument: UnsafeMutableRawPointer?) {
            guard let argument = unsafe argument else { return }
            unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().body()
        }
    }
}
