internal import CRealtime
public import Inference
public import NeuralSynth
internal import Realtime
public import Streaming

/// An instrument that is played live: `player` in the device's callback, its voices rendered by threads of its own.
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
    private let configuration: NeuralSynthConfiguration
    private let timing: HostTiming
    private let worker: PlayedInstrument.Worker

    /// Starts the workers.
    ///
    /// - Parameter configuration: `maximumBlockFrames` and `workers` are replaced by the live one's `blockFrames` and `workers`.
    /// - Throws: `NeuralSynthError`.
    public convenience init(
        instruments: [NeuralInstrument], configuration: NeuralSynthConfiguration,
        live: LiveConfiguration = .init()
    ) throws(NeuralSynthError) {
        try self.init(instruments: instruments, configuration: configuration, live: live, isThreaded: true)
    }

    /// Without a thread, whoever plays says when the worker works (`renderWhatIsDue`): a session that repeats. Its helpers
    /// have threads all the same.
    package init(
        instruments: [NeuralInstrument], configuration: NeuralSynthConfiguration, live: LiveConfiguration,
        isThreaded: Bool
    ) throws(NeuralSynthError) {
        guard (1...4096).contains(live.blockFrames), (0...65536).contains(live.lookAheadSamples),
            (1...99).contains(live.workerPriority), (1...8).contains(live.workers)
        else {
            throw NeuralSynthError(
                .configuration,
                "blocks have 1 to 4096 frames, the look-ahead is 0 to 65536 samples, the priority 1 to 99, the workers are "
                    + "1 to 8; these are \(live.blockFrames), \(live.lookAheadSamples), \(live.workerPriority) and "
                    + "\(live.workers)")
        }
        timing = try HostTiming(
            live, playerRate: instruments.first?.decoder.description.sampleRate,
            sliceSamples: configuration.sliceSamples)
        latency = timing.latency
        var configuration = configuration
        configuration.maximumBlockFrames = timing.blockFrames
        configuration.workers = live.workers
        self.configuration = configuration
        worker =
            isThreaded ? .thread(priority: live.workerPriority) : .called(priority: live.workerPriority)
        let synth = try NeuralSoundSynth(
            instruments: instruments, configuration: configuration, latencySamples: timing.delay)
        let bridge = unsafe try timing.makeBridge()
        do throws(InferenceError) {
            player = unsafe try Player(synth, worker, host: timing, bridge: bridge)
        } catch {
            throw NeuralSynthError(.inference, "\(error)", underlying: error)
        }
    }

    /// Plays other instruments from the next block on, without a gap; the latency stays as it is.
    ///
    /// They are loaded, warmed up and have a worker of their own before audio hears of them. The channels stay as they are:
    /// volume, expression, pan, pedal, bend and its range, and the program where one of the new instruments has it. Notes
    /// that keys or pedals hold go on in the new instruments at their age, rising within 20 ms at 48 kHz while
    /// everything of the old ones fades; notes that begin later begin as ever. While a swap is under way the next one waits,
    /// and of several that wait the newest is played.
    ///
    /// - Parameter configuration: nil for the one that the player was made with, whose slices, blocks and workers stay in any
    ///   case.
    /// - Throws: `NeuralSynthError`, `incompatibleModels` for instruments of another rate. The old ones then play on.
    public func swap(
        to instruments: [NeuralInstrument], configuration wanted: NeuralSynthConfiguration? = nil
    ) throws(NeuralSynthError) {
        var configuration = wanted ?? configuration
        configuration.sliceSamples = self.configuration.sliceSamples
        configuration.maximumBlockFrames = self.configuration.maximumBlockFrames
        configuration.workers = self.configuration.workers
        let synth = try NeuralSoundSynth(
            instruments: instruments, configuration: configuration,
            latencySamples: timing.delay)
        guard synth.sampleRate == timing.playerRate else {
            throw NeuralSynthError(
                .incompatibleModels,
                "\(instruments[0].name) plays at \(synth.sampleRate) Hz and cannot take the place of instruments at "
                    + "\(timing.playerRate) Hz")
        }
        do throws(InferenceError) {
            try synth.renderer.warmUp()
            player.swap(to: try PlayedInstrument(synth, worker))
        } catch {
            throw NeuralSynthError(
                .inference, "the new instruments cannot be played: \(error)", underlying: error)
        }
    }

    /// Frees instruments that are no longer heard, as `swap` does before. Returns whether a swap is still under way, or
    /// waits.
    @discardableResult public func collect() -> Bool { player.collect() }

    /// Whether the system lets a worker of that priority run ahead of other programs (SCHED_FIFO).
    public static func realtimeIsPermitted(priority: Int = LiveConfiguration().workerPriority) -> Bool {
        RenderThread.realtimeIsPermitted(priority: Int32(priority))
    }

    /// Why there is no more sound, where inference has failed.
    public var failure: InferenceError? { player.succession.objects().lazy.compactMap(\.failure).first }

    /// Room: worker, where there is no thread.
    package func renderWhatIsDue() throws(InferenceError) {
        for instrument in player.succession.objects() { try instrument.renderWhatIsDue() }
    }

    /// Waits until the worker has rendered every slice that it may: for whoever plays faster than real time. Gives up
    /// after ten seconds, and where inference has failed. Room: control.
    public func waitForWorker() {
        for _ in 0..<100_000 {
            if player.succession.objects().allSatisfy(\.isIdle) { return }
            rt_sleep(100_000)
        }
    }

    /// Room: control, one thread.
    public var status: LiveStatus {
        let (played, late) = (player.status.fetch(), player.lateness)
        return LiveStatus(
            voices: played.voices, voicesPeak: played.voicesPeak, level: played.level,
            droppedNotes: played.droppedNotes, missedFrames: played.missedFrames,
            lateSlices: late.lateSlices, skippedSlices: late.skippedSlices,
            worstLatenessSamples: late.worstSamples, slack: late.slack,
            workerIsRealtime: player.newest.isRealtime,
            frames: played.position)
    }
}
