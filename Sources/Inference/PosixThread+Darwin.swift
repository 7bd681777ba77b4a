#if canImport(Darwin)
    import Darwin

    extension PosixThread {
        /// Starts a thread on `body`, to be joined or detached once.
        /// - Throws: `outOfResources`.
        package static func start(_ body: @escaping @Sendable () -> Void) throws(InferenceError)
            -> PosixThread
        {
            let argument = unsafe Body.retained(body)
            var thread: pthread_t?
            let result = unsafe pthread_create(
                &thread, nil,
                { argument in
                    unsafe Body.call(argument)
                    return nil
                }, argument)
            guard result == 0, let thread = unsafe thread else {
                unsafe Body.release(argument)
                throw failure(result)
            }
            return unsafe PosixThread(handle: thread)
        }
    }
#endif
