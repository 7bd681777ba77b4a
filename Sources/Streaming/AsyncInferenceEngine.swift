internal import CRealtime
public import Inference
public import Realtime
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
/// An `EffectModel` says how sound goes through a model, or several: in hops or in windows that overlap, with states, at a
/// rate of its own. Several streams share the models and the workers, each with its own states; the hop that is heard first
/// is run first, and the hops of a stream in order. A hop that comes too late for anybody to hear is left out: the states
/// go on from the one before, and the sound stays where it belongs.
///
/// Room: control; the streams' `process` and `reset` audio.
@safe public final class AsyncInferenceEngine: @unchecked Sendable {
    // Sendable: the streams belong to audio threads, the signals are made for many; the rest is in mutexes.
    /// The streams. When the engine is gone, what comes in is heard as what is late is.
    public let streams: [InferenceStream]
    public let latency: Latency
    public let channels: Int
    /// Samples of a run, at the model's rate.
    public let hop: Int

    private let owner: WorkSignalsOwner
    private var signals: UnsafeMutablePointer<WorkSignals> { unsafe owner.signals }
    private let runners: [HopRunner]
    private let threads = Mutex<[PosixThread]>([])
    private let told = WorkersReport()

    /// What the workers have to say. They keep it, and not the engine, which would otherwise end on one of them.
    private final class WorkersReport: Sendable {
        let failure = Mutex<InferenceError?>(nil)
        let realtimeWorkers = Counter()
    }

    /// Starts the workers, of a model without a manifest: see `EffectModel`.
    ///
    /// - Throws: `invalidArgument`, `shapeMismatch`, `typeUnsupported`, `runFailed`, `outOfResources`.
    public convenience init(_ session: Session, _ configuration: EffectConfiguration) throws(InferenceError) {
        try self.init(session, configuration, isThreaded: true)
    }

    /// Starts the workers.
    ///
    /// - Throws: `unknownTensor` besides.
    public convenience init(
        _ model: EffectModel, _ configuration: EffectConfiguration
    ) throws(InferenceError) {
        try self.init(model, configuration, isThreaded: true)
    }

    package convenience init(
        _ session: Session, _ configuration: EffectConfiguration, isThreaded: Bool
    ) throws(InferenceError) {
        try configuration.validate()
        try self.init(EffectModel(session, hop: configuration.hop), configuration, isThreaded: isThreaded)
    }

    /// Without threads, whoever plays says when the worker works (`runNext`): a session that repeats.
    package init(
        _ model: EffectModel, _ configuration: EffectConfiguration, isThreaded: Bool
    ) throws(InferenceError) {
        try configuration.validate()
        let effect = model.description
        if let hop = configuration.hop, hop != effect.hop {
            throw InferenceError(
                .shapeMismatch, "The model takes hops of \(effect.hop) samples, not \(hop).")
        }
        (channels, hop) = (effect.channels, effect.hop)
        let timing = try EffectTiming(effect, configuration)
        latency = timing.latency
        owner = WorkSignalsOwner(sampleRate: effect.sampleRate ?? configuration.sampleRate ?? 48_000)
        var streams: [InferenceStream] = []
        for _ in 0..<configuration.streams {
            streams.append(try InferenceStream(effect, timing, configuration, work: owner))
        }
        self.streams = streams
        let memory = EffectMemory(effect, streams: streams.count)
        var runners: [HopRunner] = []
        for _ in 0..<configuration.workers {
            let run = try EffectRun(model, memory: memory)
            try run.warmUp()
            runners.append(
                unsafe HopRunner(
                    run, streams: streams.map { unsafe $0.memory }, signals: owner))
        }
        self.runners = runners
        guard isThreaded else { return }
        for index in runners.indices { try start(index, priority: Int32(configuration.workerPriority)) }
    }

    deinit { stop() }

    /// What sound takes through a model, and through one of such hops at the sound's rate; see `Latency` for the parts.
    ///
    /// - Throws: `invalidArgument`.
    public static func latency(
        of effect: EffectDescription, _ configuration: EffectConfiguration
    ) throws(InferenceError) -> Latency {
        try configuration.validate()
        try effect.validateRanges()
        return try EffectTiming(effect, configuration).latency
    }

    /// - Throws: `invalidArgument`.
    public static func latency(
        hop: Int, _ configuration: EffectConfiguration
    ) throws(InferenceError) -> Latency {
        try latency(of: EffectDescription(sampleRate: nil, channels: 1, hop: hop, methods: []), configuration)
    }

    /// Why nothing is computed any more, where inference has failed; what is heard then is concealed.
    public var failure: InferenceError? { told.failure.withLock { $0 } }

    /// How long before the block that plays its beginning each hop was there, in samples of the model; of all streams.
    public var slack: Slack { unsafe signals.pointee.slack.read() }

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

    /// Waits until every hop that is due has been run: for whoever plays faster than real time. Gives up after ten seconds,
    /// and where inference has failed. Room: control.
    public func waitForWorkers() {
        for _ in 0..<100_000 {
            guard runners[0].isBusy, failure == nil else { return }
            unsafe signals.pointee.due.urge()
            rt_sleep(100_000)
        }
    }

    private func start(_ index: Int, priority: Int32) throws(InferenceError) {
        let runner = unsafe UnsafeSendable(runners[index])
        let signals = unsafe UnsafeSendable(signals)
        let workers = runners.count
        let thread = try PosixThread.start { [told] in
            if rt_thread_prepare(priority) == 0 { told.realtimeWorkers.add(1) }
            var pace = SignalPace()
            while true {
                unsafe signals.value.pointee.due.wait(&pace)
                if unsafe signals.value.pointee.stop.read() != 0 { return }
                do throws(InferenceError) {
                    while unsafe try runner.value.runNext() {}
                } catch {
                    told.failure.withLock { $0 = error }
                    // The others' next hops would go on from states of which only a part has moved on.
                    unsafe signals.value.pointee.stop.publish(1)
                    for _ in 0..<workers { unsafe signals.value.pointee.due.signal() }
                    return
                }
            }
        }
        threads.withLock { $0.append(thread) }
    }
}

/// For values that a thread is given for itself.
@unsafe private struct UnsafeSendable<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { unsafe self.value = value }
}
