public import Inference
public import Realtime
internal import Signal
internal import Synchronization

/// Where sound goes through a model that another can take the place of while it is played.
///
/// ```swift
/// let slot = try EffectSlot(model, channels: 2, EffectConfiguration(blockFrames: 256, workSamples: 512))
/// slot.process(input.span, &output, frames: 256)    // in the audio callback
/// try slot.swap(to: another)                        // meanwhile, from any other thread
/// ```
///
/// The latency never changes: it is the first model's, or `EffectConfiguration.latencySamples`. A model that needs less
/// has the rest for its work.
///
/// A swap is ready before audio hears of it: the model is bound, warmed up, and has workers of its own. Audio takes it at
/// the start of a block, and from then on sends the sound through both. When what comes out of the new one has all of
/// it come in since (the latency, a model's window, a resampler's filter), it is faded in and the old one out; then the
/// old one is control's to free, in `collect`, in the next `swap` or with the slot. From there on what is heard is to the
/// bit what the new model alone makes of the sound that has come in since it was taken.
///
/// The gains of both add up to one. Both are given the same sound and are in time with each other, so that what they make
/// of it is mostly alike: gains of equal power would be heard as a bump, and could clip; these never go beyond the louder
/// of the two, and where both give the same, nothing is heard at all.
///
/// While a swap is under way the next one waits, and of several that wait the newest is played. Before anything has come
/// in, at the start and after a reset, there is nothing to fade: the new model plays at once.
///
/// Room: `process` and `reset` audio, one thread; everything else control, any thread.
@safe public final class EffectSlot: @unchecked Sendable {
    // Sendable: what audio changes is audio's alone; the rest is made for many threads.
    /// The first model's, with its parts; the total is every model's.
    public let latency: Latency
    public let channels: Int
    /// The most frames that `process` takes.
    public let maximumBlockFrames: Int
    /// How long a fade takes.
    public let fadeFrames: Int

    private let configuration: EffectConfiguration
    private let isThreaded: Bool
    private let succession: Succession<SlottedEffect>
    /// Of those that are over.
    private let past = Mutex(EffectStatus())

    // Audio's alone; unchecked for the reason that `Player` gives.
    @exclusivity(unchecked) private var current: Unmanaged<SlottedEffect>
    @exclusivity(unchecked) private var next: Unmanaged<SlottedEffect>?
    /// Of the current one, while there is a next.
    @exclusivity(unchecked) private var fade = Fade.never
    /// Frames that have come in since the start or the last reset.
    @exclusivity(unchecked) private var position = 0

    /// Starts the workers of the first model.
    ///
    /// - Parameters:
    ///   - channels: 1…16. A model of one channel is run for each of them, with states of its own; others must have as
    ///     many.
    ///   - configuration: `streams` follows from the channels, and `sampleRate` from the first model where it is nil.
    ///   - fadeFrames: how long a fade takes, 1…2²⁰; as it is, 20 ms at 48 kHz.
    /// - Throws: what `AsyncInferenceEngine` throws, and `invalidArgument` for channels that the model does not have.
    public convenience init(
        _ model: EffectModel, channels: Int, _ configuration: EffectConfiguration, fadeFrames: Int = 960
    ) throws(InferenceError) {
        try self.init(model, channels: channels, configuration, fadeFrames: fadeFrames, isThreaded: true)
    }

    /// Without threads, whoever plays says when the workers work (`engines`): a session that repeats.
    package init(
        _ model: EffectModel, channels: Int, _ configuration: EffectConfiguration, fadeFrames: Int = 960,
        isThreaded: Bool
    ) throws(InferenceError) {
        guard (1...(1 << 20)).contains(fadeFrames) else {
            throw InferenceError(.invalidArgument, "\(fadeFrames) frames of a fade; take 1 to \(1 << 20).")
        }
        var configuration = configuration
        configuration.sampleRate = configuration.sampleRate ?? model.description.sampleRate
        let first = try SlottedEffect(
            model, channels: channels, configuration, isThreaded: isThreaded)
        configuration.latencySamples = first.engine.latency.total
        configuration.hop = nil  // the first model's alone
        self.configuration = configuration
        self.channels = channels
        self.fadeFrames = fadeFrames
        self.isThreaded = isThreaded
        latency = first.engine.latency
        maximumBlockFrames = configuration.blockFrames
        succession = Succession(first)
        unsafe current = .passRetained(first)
    }

    /// Audio must have stopped.
    deinit {
        unsafe current.release()
        unsafe next?.release()
    }

    // Audio

    /// Takes a block and gives the one that is heard with it.
    ///
    /// - Parameters:
    ///   - input: `channels` × `frames` samples, one channel after the other.
    ///   - output: as many.
    ///   - frames: 0…`maximumBlockFrames`; with blocks that do not vary always that. More than that, or less samples, trap.
    @_noLocks
    public func process(_ input: Span<Float>, _ output: inout MutableSpan<Float>, frames: Int) {
        let (taken, given, wanted) = (input.count, output.count, channels * frames)
        precondition(taken >= wanted && given >= wanted, "less samples than frames")
        let most = maximumBlockFrames
        precondition(frames <= most, "more frames than agreed")
        let region = RealtimeRegion.enter()
        if unsafe next == nil { takeNext() }
        if let samples = unsafe trustedAddress(of: input) {
            unsafe current._withUnsafeGuaranteedRef { unsafe $0.process(samples, frames: frames) }
            unsafe next?._withUnsafeGuaranteedRef { unsafe $0.process(samples, frames: frames) }
            hear(&output, frames: frames)
        }
        position += frames
        if unsafe next != nil, position >= fade.end { endSwap() }
        region.leave()
    }

    /// As if nothing had come in yet. Wait-free.
    @_noLocks
    public func reset() {
        let region = RealtimeRegion.enter()
        if unsafe next != nil { endSwap() }
        unsafe current._withUnsafeGuaranteedRef { $0.reset() }
        position = 0
        region.leave()
    }

    /// Whether what is played has no workers any more, after an error or because the slot is gone. Room: audio.
    public var isAbandoned: Bool {
        @_noLocks get { unsafe current._withUnsafeGuaranteedRef { $0.isAbandoned } }
    }

    @_noLocks
    private func takeNext() {
        guard let taken = unsafe succession.take() else { return }
        unsafe next = taken
        let settled = unsafe taken._withUnsafeGuaranteedRef { $0.settledFrames }
        fade = Fade(start: position + settled, length: fadeFrames)
        if position == 0 { endSwap() }
    }

    /// The next is the current one.
    @_noLocks
    private func endSwap() {
        guard let new = unsafe next else { return }
        _ = unsafe succession.retire(current)
        unsafe current = unsafe new
        unsafe next = nil
    }

    /// Fills `output` with what the current one has given, the next one, or both.
    @_noLocks
    private func hear(_ output: inout MutableSpan<Float>, frames: Int) {
        let old = unsafe current._withUnsafeGuaranteedRef { unsafe $0.given }
        guard let new = unsafe next?._withUnsafeGuaranteedRef({ unsafe $0.given }) else {
            for i in 0..<channels * frames { output[i] = unsafe old[i] }
            return
        }
        for frame in 0..<frames {
            let gain = fade.gain(at: position + frame)
            for channel in 0..<channels {
                let i = channel * frames + frame
                let (a, b) = unsafe (old[i], new[i])
                // To the bit the old one before and the new one behind; in between never beyond either of them.
                output[i] = gain == 1 ? a : gain == 0 ? b : a + (b - a) * (1 - gain)
            }
        }
    }

    // Control

    /// Plays `model` from the next block on, faded in when it has enough of the sound.
    ///
    /// - Parameter workSamples: how long a run of it may take, 1…65536; nil for what the configuration says.
    /// - Throws: what `AsyncInferenceEngine` throws, among it `invalidArgument` for a model that needs a longer latency,
    ///   has other channels, or a rate that has too little in common with the sound's. The old one then plays on.
    public func swap(to model: EffectModel, workSamples: Int? = nil) throws(InferenceError) {
        var configuration = configuration
        if let workSamples { configuration.workSamples = workSamples }
        let new = try SlottedEffect(
            model, channels: channels, configuration, isThreaded: isThreaded)
        bury(succession.offer(new))
    }

    /// Frees what audio has no more use for. Returns whether a swap is still under way, or waits.
    @discardableResult public func collect() -> Bool {
        bury(succession.collect())
        return succession.objects().count > 1
    }

    private func bury(_ gone: [SlottedEffect]) {
        for effect in gone { past.withLock { $0.add(effect.status, ofOtherModel: true) } }
    }

    /// What has happened since the start, to all models: of their streams the most missed frames and stretches, all late
    /// and skipped hops.
    public var status: EffectStatus {
        var status = past.withLock { $0 }
        for effect in succession.objects() { status.add(effect.status, ofOtherModel: true) }
        return status
    }

    /// Why a model is not computed any more, where inference has failed; what is heard then is concealed.
    public var failure: InferenceError? { succession.objects().lazy.compactMap(\.engine.failure).first }

    /// How many workers of the newest model the system lets run ahead of other programs.
    public var realtimeWorkers: Int { succession.objects().last?.engine.realtimeWorkers ?? 0 }

    /// The newest model's.
    public var slack: Slack? { succession.objects().last?.engine.slack }

    /// Waits as the engine's does, for every model.
    public func waitForWorkers() { for effect in succession.objects() { effect.engine.waitForWorkers() } }

    /// Of the models that are played, or wait, the newest the last.
    package var engines: [AsyncInferenceEngine] { succession.objects().map(\.engine) }
}
