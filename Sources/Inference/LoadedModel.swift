/// A model that the engine holds: its session, its uses and its times.
///
/// Room: control.
final class LoadedModel: Sendable {
    let session: Session
    let info: ModelInfo

    private struct Use {
        var runs = 0
        var isClosed = false
    }

    private let use = Monitor(Use())
    private let log = Monitor(LatencyLog())

    init(_ session: Session, name: String, path: String) {
        self.session = session
        info = ModelInfo(
            name: name, path: path, inputs: session.inputs, outputs: session.outputs,
            sizeBytes: session.sizeBytes,
            metadata: session.metadata, provider: session.provider,
            accelerationNote: session.accelerationNote,
            isLoaded: true)
    }

    /// Uses the session; `close` waits for it.
    /// - Throws: `modelNotLoaded` once it is closed.
    func whileOpen<R>(_ body: (Session) throws(InferenceError) -> R) throws(InferenceError) -> R {
        let entered = use.withLock { use in
            if use.isClosed { return false }
            use.runs += 1
            return true
        }
        guard entered else { throw Self.notLoaded(info.name) }
        defer { use.notify { $0.runs -= 1 } }
        return try body(session)
    }

    /// Lets no more runs in and waits for those inside.
    func close() {
        use.withLock { $0.isClosed = true }
        use.wait { $0.runs == 0 ? () : nil }
    }

    func record(nanoseconds: UInt64) { log.withLock { $0.add(nanoseconds: nanoseconds) } }

    var metrics: PerformanceMetrics { log.withLock { $0.metrics } }

    static func notLoaded(_ name: String) -> InferenceError {
        InferenceError(.modelNotLoaded, "The model \"\(name)\" has been unloaded. Load it again.")
    }
}
