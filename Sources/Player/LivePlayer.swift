internal import CRealtime
public import Inference
public import NeuralSynth
internal import Realtime
public import Streaming

/// An instrument that is played live: `player` in the device's callback, its voices rendered by a thread of its own.
///
/// A message sounds `latency.total` frames of the host after its time, exactly, or at another rate than the instruments'
/// within half a sample of theirs; what is played equals what `OfflineRenderer` writes,
/// as long as the worker is in time. Where it is not, the sound is concealed (the last 2.7 ms backwards, fading), the
/// frames are counted, and the music goes on where it would be.
///
/// Room: control; `player.process` and `player.reset` audio.
@safe public final class LivePlayer: @unchecked Sendable {
    // Sendable: the player's audio half belongs to one thread, which is not ours to choose; all else is immutable.
    public let player: Player
    public let latency: Latency
    private let signals: UnsafeMutablePointer<RenderSignals>
    private let work: DueRendering
    private let thread: RenderThread?

    /// Starts the worker.
    ///
    /// - Parameter configuration: `maximumBlockFrames` is replaced by the live one's `blockFrames`.
    /// - Throws: `NeuralSynthError`.
    public convenience init(
        instruments: [NeuralInstrument], configuration: NeuralSynthConfiguration,
        live: LiveConfiguration = .init()
    ) throws(NeuralSynthError) {
        try self.init(instruments: instruments, configuration: configuration, live: live, isThreaded: true)
    }

    /// Without a thread, whoever plays says when the worker works (`renderWhatIsDue`): a session that repeats.
    package init(
        instruments: [NeuralInstrument], configuration: NeuralSynthConfiguration, live: LiveConfiguration,
        isThreaded: Bool
    ) throws(NeuralSynthError) {
        guard (1...4096).contains(live.blockFrames), (0...65536).contains(live.lookAheadSamples),
            (1...99).contains(live.workerPriority)
        else {
            throw NeuralSynthError(
                .configuration,
                "blocks have 1 to 4096 frames, the look-ahead is 0 to 65536 samples, the priority 1 to 99; these are "
                    + "\(live.blockFrames), \(live.lookAheadSamples) and \(live.workerPriority)")
        }
        let timing = try HostTiming(
            live, playerRate: instruments.first?.decoder.description.sampleRate,
            sliceSamples: configuration.sliceSamples)
        latency = timing.latency
        var configuration = configuration
        configuration.maximumBlockFrames = timing.blockFrames
        let synth = try NeuralSoundSynth(
            instruments: instruments, configuration: configuration, latencySamples: timing.delay)
        player = try Player(synth, host: timing, blockFrames: live.blockFrames)
        unsafe signals = .allocate(capacity: 1)
        unsafe signals.initialize(to: RenderSignals())
        work = unsafe DueRendering(renderer: player.renderer, signals: signals)
        do throws(InferenceError) {
            thread = isThreaded ? try RenderThread(work, priority: Int32(live.workerPriority)) : nil
        } catch {
            unsafe signals.deinitialize(count: 1)
            unsafe signals.deallocate()
            throw NeuralSynthError(.inference, "\(error)", underlying: error)
        }
        unsafe player.tell(signals)
    }

    /// Audio must have stopped.
    deinit {
        thread?.stop()
        unsafe player.tell(nil)
        unsafe signals.deinitialize(count: 1)
        unsafe signals.deallocate()
    }

    /// Whether the system lets a worker of that priority run ahead of other programs (SCHED_FIFO).
    public static func realtimeIsPermitted(priority: Int = LiveConfiguration().workerPriority) -> Bool {
        RenderThread.realtimeIsPermitted(priority: Int32(priority))
    }

    /// Why there is no more sound, where inference has failed.
    public var failure: InferenceError? { thread?.failure }

    /// Room: worker, where there is no thread.
    package func renderWhatIsDue() throws(InferenceError) { try work.run() }

    /// Waits until the worker has rendered every slice that it may: for whoever plays faster than real time. Gives up
    /// after ten seconds, and where inference has failed. Room: control.
    public func waitForWorker() {
        let slice = player.renderer.sliceSamples
        let due = unsafe signals.pointee.known.read() / slice * slice
        for _ in 0..<100_000 {
            if player.renderer.renderedUntil >= due { return }
            if unsafe signals.pointee.failed.read() != 0 { return }
            rt_sleep(100_000)
        }
    }

    /// Room: control, one thread.
    public var status: LiveStatus {
        let played = player.status.fetch()
        return unsafe LiveStatus(
            voices: played.voices, voicesPeak: played.voicesPeak, level: played.level,
            droppedNotes: played.droppedNotes, missedFrames: played.missedFrames,
            lateSlices: signals.pointee.lateSlices.read(),
            skippedSlices: signals.pointee.skippedSlices.read(),
            worstLatenessSamples: signals.pointee.worstLateness.read(),
            workerIsRealtime: thread?.isRealtime ?? false,
            frames: played.position)
    }
}
