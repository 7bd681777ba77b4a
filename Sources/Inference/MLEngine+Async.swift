extension MLEngine {
    /// Runs a model on named tensors, on one of the engine's threads.
    ///
    /// A task that is cancelled before its run begins gets `cancelled` at once; a run that has begun is finished.
    ///
    /// - Throws: as the blocking form; `cancelled`, `notInitialized`.
    public func runInference(
        _ name: String, inputs: [String: Tensor], outputs: [String]? = nil
    ) async throws(InferenceError) -> [String: Tensor] {
        try await onPool { engine throws(InferenceError) in
            try engine.runInference(name, inputs: inputs, outputs: outputs)
        }
    }

    /// Runs a model of one float32 input on plain numbers, on one of the engine's threads.
    public func runInference(_ name: String, _ input: [Float]) async throws(InferenceError) -> [Float] {
        try await onPool { engine throws(InferenceError) in try engine.runInference(name, input) }
    }

    /// Queues a run and returns at once; `completion` is called once, on one of the engine's threads (before
    /// `initialize`, at once with `notInitialized`).
    ///
    /// What is queued keeps the engine, and is finished.
    public func runInferenceAsync(
        _ name: String, inputs: [String: Tensor], outputs: [String]? = nil,
        completion: @escaping @Sendable (Result<[String: Tensor], InferenceError>) -> Void
    ) {
        queue(
            { engine throws(InferenceError) in try engine.runInference(name, inputs: inputs, outputs: outputs)
            },
            completion)
    }

    /// Queues a run on plain numbers and returns at once; `completion` is called once, on one of the engine's threads.
    public func runInferenceAsync(
        _ name: String, _ input: [Float],
        completion: @escaping @Sendable (Result<[Float], InferenceError>) -> Void
    ) {
        queue({ engine throws(InferenceError) in try engine.runInference(name, input) }, completion)
    }
}

extension MLEngine {
    /// Does `body` on one of the engine's threads, unless the task is cancelled first.
    func onPool<R: Sendable>(
        _ body: @escaping @Sendable (MLEngine) throws(InferenceError) -> R
    ) async throws(InferenceError) -> R {
        let pool = try core().pool
        let ticket = pool.reserve()
        let result: Result<R, InferenceError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                pool.submit(
                    ticket,
                    ThreadPool.Job(
                        run: { continuation.resume(returning: self.result(of: body)) },
                        cancel: { continuation.resume(returning: .failure(Self.cancelled)) }))
            }
        } onCancel: {
            pool.cancel(ticket)
        }
        return try result.get()
    }

    /// Does `body` on one of the engine's threads and hands its result to `completion`.
    private func queue<R>(
        _ body: @escaping @Sendable (MLEngine) throws(InferenceError) -> R,
        _ completion: @escaping @Sendable (Result<R, InferenceError>) -> Void
    ) {
        do throws(InferenceError) {
            let pool = try core().pool
            pool.submit(
                pool.reserve(),
                ThreadPool.Job(
                    run: { completion(self.result(of: body)) },
                    cancel: { completion(.failure(Self.cancelled)) }))
        } catch {
            completion(.failure(error))
        }
    }

    private func result<R>(
        of body: (MLEngine) throws(InferenceError) -> R
    ) -> Result<R, InferenceError> {
        do throws(InferenceError) { return .success(try body(self)) } catch { return .failure(error) }
    }

    private static var cancelled: InferenceError {
        InferenceError(.cancelled, "The work was cancelled before it began.")
    }
}
