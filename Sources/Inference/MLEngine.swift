/// Loads models and runs them: the whole of inference behind one object.
///
/// ```swift
/// let engine = MLEngine()
/// try engine.initialize()
/// try engine.loadModel(at: "rave_decoder.onnx", named: "rave")
/// let audio = try engine.runInference("rave", [Float](repeating: 0, count: 128))
/// ```
///
/// Every method may be called from any number of threads and tasks at once. Blocking methods run on the calling
/// thread, `async` ones and callbacks on the engine's own threads. For a run inside an audio pipeline, which must not
/// allocate, take a `Session` and a `BoundRun` instead.
///
/// Room: control.
public final class MLEngine: Sendable {
    /// Threads for `async` runs and callbacks.
    public let threads: Int
    let library: String?
    let state = Monitor(State())

    struct State {
        var core: Core?
        var models: [String: LoadedModel] = [:]
        /// What was known of models that are no longer loaded.
        var unloaded: [String: ModelInfo] = [:]
    }

    /// What `initialize` sets up.
    struct Core {
        let runtime: OnnxRuntime
        let pool: ThreadPool
        let asked: AccelerationType
        let choice: AccelerationType.Choice
    }

    /// - Parameters:
    ///   - library: ONNX Runtime's file; nil looks for it (`OnnxRuntime.open`).
    ///   - threads: for `async` runs and callbacks, 1…256.
    public init(library: String? = nil, threads: Int = 4) {
        self.library = library
        self.threads = threads
    }

    /// Opens ONNX Runtime, settles what models run on, and starts the threads. A second call changes the acceleration
    /// of the models that are loaded after it.
    ///
    /// - Throws: `libraryNotFound`, `libraryTooOld`, `notOnnxRuntime`, `accelerationUnavailable` (never for `.cpu` and
    ///   `.auto`), `invalidArgument`, `outOfResources`.
    public func initialize(_ acceleration: AccelerationType = .auto) throws(InferenceError) {
        guard (1...256).contains(threads) else {
            throw InferenceError(.invalidArgument, "\(threads) inference threads; take 1 to 256.")
        }
        let runtime = try OnnxRuntime.open(library: library)
        let choice = try acceleration.resolve(in: runtime)
        let old = state.withLock { $0.core?.pool }
        let pool = if let old { old } else { try ThreadPool(threads: threads) }
        // The thread pool that lost a race goes when this function returns, outside the lock.
        state.withLock { state in
            state.core = Core(
                runtime: runtime, pool: state.core?.pool ?? pool, asked: acceleration, choice: choice)
        }
    }

    /// The ONNX Runtime in use; nil before `initialize`.
    public var runtime: OnnxRuntime? { state.withLock { $0.core?.runtime } }

    /// ONNX Runtime's name for the provider that models are run by; nil before `initialize`, and where `.auto` measures each
    /// model (`ModelInfo.provider` then tells).
    public var provider: String? { state.withLock { $0.core?.choice.provider } }

    /// What `.auto` gave up and why; nil when nothing was, or it is up to each model (`ModelInfo.accelerationNote`).
    public var accelerationNote: String? { state.withLock { $0.core?.choice.note } }

    func core() throws(InferenceError) -> Core {
        guard let core = state.withLock({ $0.core }) else {
            throw InferenceError(.notInitialized, "The engine is not initialized. Call initialize() first.")
        }
        return core
    }
}

extension MLEngine {
    /// Whether models can run on a graphics processor with the ONNX Runtime that is found.
    public static var isGPUAvailable: Bool { availableAcceleration.isGPU }

    /// The best acceleration that can be had with the ONNX Runtime that is found; `.cpu` where none is found.
    public static var availableAcceleration: AccelerationType {
        guard let runtime = try? OnnxRuntime.open() else { return .cpu }
        return runtime.availableAcceleration
    }
}

extension OnnxRuntime {
    /// The best acceleration that models can be run with.
    public var availableAcceleration: AccelerationType {
        [.cuda, .metal, .openCL, .webGPU].first { $0.unavailability(in: self) == nil } ?? .cpu
    }
}
