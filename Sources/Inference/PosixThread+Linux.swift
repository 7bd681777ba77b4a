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
            var attributes = pthread_attr_t()
            unsafe pthread_attr_init(&attributes)
            defer { unsafe pthread_attr_destroy(&attributes) }
            // Our operators take 128 KiB, which is all that there is with musl.
            var stack = 0
            unsafe pthread_attr_getstacksize(&attributes, &stack)
            if stack < 1 << 20 { unsafe pthread_attr_setstacksize(&attributes, 1 << 20) }
            let result = unsafe pthread_create(
                &thread, &attributes,
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
