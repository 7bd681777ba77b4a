#if os(Linux)
    #if canImport(Musl)
        import Musl
    #else
        import Glibc
    #endif

    extension PosixThread {
        /// Starts a thread on `body`, to be joined or detached once.
        /// - Throws: `outOfResources`.
        package static func start(_ body: @escaping @Sendable () -> Void) throws(InferenceError)
            -> PosixThread
        {
            let argument = unsafe Body.retained(body)
            var thread = pthread_t()
            let result = unsafe pthread_create(
                &thread, nil,
                { argument in
                    unsafe Body.call(argument)
                    return nil
                }, argument)
            guard result == 0 else {
                unsafe Body.release(argument)
                throw failure(result)
            }
            return PosixThread(handle: thread)
        }
    }
#endif
