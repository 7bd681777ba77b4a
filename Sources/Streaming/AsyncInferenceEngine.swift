internal import CRealtime
public import Inference
internal import Realtime
internal import Synchronization

/// A model that sound is sent through live: threads of its own compute hops ahead of when they are heard, the audio thread
/// never waits.
///
/// ```swift
/// let engine = try AsyncInferenceEngine(session, EffectConfiguration(blockFrames: 256, hop: 2048, workSamples: 512))
/// let stream = engine.streams[0]
/// stream.process(input.span, &output, frames: 256)    // in the audio callback
/// ```
///
/// The model has one input and one output of the same shape, float32 `[1, channels, hop]`, and no memory from one hop to
/// the next. Several streams share the model and the workers; the hop that is heard first is run first.
///
/// Room: control; the streams' `process` and `reset` audio.
@safe public final class AsyncInferenceEngine: @unchecked Sendable {
    // Sendable: the streams belong to audio threads, the signals are made for many; the rest is in mutexes.
    /// The streams. When the engine is gone, what comes in is heard as what is late is.
    public let streams: [InferenceStream]
    public let latency: Latency
    public let channels: Int
    /// Samples of a run.
    public let hop: Int

    private let owner = WorkSignalsOwner()
    private var signals: UnsafeMutablePointer<WorkSignals> { unsafe owner.signals }
    private let runners: [HopRunner]
    private let threads = Mutex<[PosixThread]>([])
    private let told = WorkersReport()

    /// What the workers have to say. They keep it, and not the engine, which would otherwise end on one of them.
    private final class WorkersReport: Sendable {
        let failure = Mutex<InferenceError?>(nil)
        let realtimeWorkers = Counter()
    }

    /// Starts the workers.
    ///
    /// - Throws: `invalidArgument`, `shapeMismatch`, `typeUnsupported`, `runFailed`, `outOfResources`.
    public convenience init(_ session: Session, _ configuration: EffectConfiguration) throws(InferenceError) {
        try self.init(session, configuration, isThreaded: true)
    }

    /// Without threads, whoever plays says when the worker works (`runNext`): a session that repeats.
    package init(
        _ session: Session, _ configuration: EffectConfiguration, isThreaded: Bool
    ) throws(InferenceError) {
        try configuration.validate()
        (channels, hop) = try Self.shape(of: session, hop: configuration.hop)
        let latency = Self.latency(hop: hop, configuration)
        var streams: [InferenceStream] = []
        for _ in 0..<configuration.streams {
            streams.append(
                InferenceStream(
                    channels: channels, hop: hop, latency: latency, configuration: configuration, work: owner)
            )
        }
        self.latency = latency
        self.streams = streams
        var runners: [HopRunner] = []
        for _ in 0..<configuration.workers {
            let memories = unsafe streams.map { unsafe $0.memory }
            let runner = unsafe try HopRunner(session, channels: channels, hop: hop, streams: memories)
            try runner.warmUp()
            runners.append(runner)
        }
        self.runners = runners
        guard isThreaded else { return }
        for index in runners.indices { try start(index, priority: Int32(configuration.workerPriority)) }
    }

    deinit { stop() }

    /// What sound takes through a model of such hops; see `Latency` for the parts.
    public static func latency(hop: Int, _ configuration: EffectConfiguration) -> Latency {
        Latency(
            buffering: Latency.effectBuffering(
                blockFrames: configuration.blockFrames, hop: hop, blocksVary: configuration.blocksVary),
            model: configuration.modelDelaySamples,
            lookAhead: Latency.effectLookAhead(
                workSamples: configuration.workSamples, blockFrames: configuration.blockFrames, hop: hop,
                blocksVary: configuration.blocksVary))
    }

    /// Why nothing is computed any more, where inference has failed; what is heard then is concealed.
    public var failure: InferenceError? { told.failure.withLock { $0 } }

    /// How many workers the system lets run ahead of other programs.
    public var realtimeWorkers: Int { told.realtimeWorkers.read() }

    /// Ends the workers and waits for their end; the second time nothing happens.
    public func stop() {
        let threads = threads.withLock { threads in
            defer { threads = [] }
            return threads
        }
        guard !threads.isEmpty else { return }
        unsafe signals.pointee.stop.publish(1)
        for _ in threads { unsafe signals.pointee.due.signal() }
        for thread in threads { thread.join() }
    }

    /// Runs the hop that is needed first; false where none is due. Room: worker, where there are no threads.
    package func runNext() throws(InferenceError) -> Bool { try runners[0].runNext() }

    private func start(_ index: Int, priority: Int32) throws(InferenceError) {
        let runner = unsafe UnsafeSendable(runners[index])
        let signals = unsafe UnsafeSendable(signals)
        let thread = try PosixThread.start { [told] in
            if rt_thread_prepare(priority) == 0 { told.realtimeWorkers.add(1) }
            while true {
                unsafe signals.value.pointee.due.wait()
                if unsafe signals.value.pointee.stop.read() != 0 { return }
                do throws(InferenceError) {
                    while unsafe try runner.value.runNext() {}
                } catch {
                    told.failure.withLock { $0 = error }
                    return
                }
            }
        }
        threads.withLock { $0.append(thread) }
    }

    /// The hop of a model, and the sizes of its dynamic axes by name in a run of one hop.
    ///
    /// - Throws: `invalidArgument`, `shapeMismatch`.
    public static func dimensions(
        of session: Session, hop wanted: Int?
    ) throws(InferenceError) -> (hop: Int, dimensions: [String: Int]) {
        let (channels, hop) = try shape(of: session, hop: wanted)
        var dimensions: [String: Int] = [:]
        for (axis, size) in zip(session.inputs[0].shape, [1, channels, hop]) {
            if case .dynamic(let name?) = axis { dimensions[name] = size }
        }
        return (hop, dimensions)
    }

    /// Channels and hop, once the model is one that sound can go through.
    private static func shape(of session: Session, hop wanted: Int?) throws(InferenceError) -> (Int, Int) {
        guard session.inputs.count == 1, session.outputs.count == 1 else {
            throw InferenceError(
                .shapeMismatch,
                "The model has \(session.inputs.count) inputs and \(session.outputs.count) outputs; sound goes through one "
                    + "with one of each.")
        }
        let (input, output) = (session.inputs[0], session.outputs[0])
        guard input.shape.count == 3, output.shape.count == 3 else {
            throw InferenceError(
                .shapeMismatch,
                "The model takes \(input) and gives \(output); sound is [1, channels, hop].")
        }
        var channels = 1
        if case .fixed(let size) = input.shape[1] { channels = size }
        guard (1...16).contains(channels) else {
            throw InferenceError(.shapeMismatch, "The model has \(channels) channels; sound has 1 to 16.")
        }
        switch (input.shape[2], wanted) {
        case (.fixed(let size), nil): return (channels, size)
        case (.fixed(let size), let wanted?) where size == wanted: return (channels, size)
        case (.fixed(let size), _):
            throw InferenceError(
                .shapeMismatch, "The model takes hops of \(size) samples, not \(wanted ?? 0).")
        case (.dynamic, let wanted?): return (channels, wanted)
        case (.dynamic, nil):
            throw InferenceError(
                .invalidArgument, "The model takes hops of any length. Say how many samples one has.")
        }
    }
}

/// For values that a thread is given for itself.
@unsafe private struct UnsafeSendable<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { unsafe self.value = value }
}
