internal import Inference
internal import Realtime
internal import Signal

/// One sound that goes through the model of an `AsyncInferenceEngine`.
///
/// What comes in is heard `latency.total` samples later, exactly, whatever the blocks' lengths. What the workers have not
/// computed by then is concealed and counted, and the next hop that is in time is heard where it belongs: a lag never
/// lasts.
///
/// Room: `process` and `reset` audio, one thread; `status` any.
@safe public final class InferenceStream {
    public let latency: Latency
    public let channels: Int
    /// The most frames that `process` takes.
    public let maximumBlockFrames: Int

    let memory: UnsafeMutablePointer<StreamMemory>
    private let work: UnsafeMutablePointer<WorkSignals>
    /// What keeps them.
    private let owner: WorkSignalsOwner
    private let isDry: Bool
    /// Where the model has a rate of its own.
    private let bridge: UnsafeMutablePointer<RateBridge>?
    /// Stream time of the next block's first frame.
    private var position = 0
    private var base = 0
    private let concealments: UnsafeMutablePointer<Concealment>
    private let counters: UnsafeMutablePointer<Counters>
    private var isMissing = false

    private struct Counters: ~Copyable {
        /// Frames, at the model's rate.
        let missed = Counter()
        let overloads = Counter()
    }

    /// - Throws: `invalidArgument` where the rates have too little in common.
    init(
        _ effect: EffectDescription, _ timing: EffectTiming, _ configuration: EffectConfiguration,
        work owner: WorkSignalsOwner
    ) throws(InferenceError) {
        latency = timing.latency
        channels = effect.channels
        maximumBlockFrames = configuration.blockFrames
        isDry = configuration.concealment == .dry
        unsafe bridge = try RateBridge.make(effect, timing, configuration)
        unsafe memory = .allocate(capacity: 1)
        unsafe memory.initialize(
            to: StreamMemory(
                channels: effect.channels, hop: effect.hop, window: effect.window, delay: timing.delay,
                totalDelay: timing.totalDelay,
                blockFrames: timing.rates.outputs(after: configuration.blockFrames) + 1))
        self.owner = owner
        unsafe work = unsafe owner.signals
        unsafe concealments = .allocate(capacity: channels)
        for channel in 0..<channels { unsafe (concealments + channel).initialize(to: Concealment()) }
        unsafe counters = .allocate(capacity: 1)
        unsafe counters.initialize(to: Counters())
    }

    deinit {
        unsafe memory.deinitialize(count: 1)
        unsafe memory.deallocate()
        unsafe concealments.deinitialize(count: channels)
        unsafe concealments.deallocate()
        unsafe counters.deinitialize(count: 1)
        unsafe counters.deallocate()
        if let bridge = unsafe bridge {
            unsafe bridge.deinitialize(count: 1)
            unsafe bridge.deallocate()
        }
    }

    /// Takes a block and gives the one that is heard with it.
    ///
    /// - Parameters:
    ///   - input: `channels` × `frames` samples, one channel after the other.
    ///   - output: as many.
    ///   - frames: 0…`maximumBlockFrames`; with blocks that do not vary always that. More than that, or less samples, trap.
    @_noLocks
    public func process(_ input: Span<Float>, _ output: inout MutableSpan<Float>, frames: Int) {
        let (given, wanted, most) = (input.count, channels * frames, maximumBlockFrames)
        precondition(given >= wanted, "less samples than frames")
        precondition(frames <= most, "more frames than agreed")
        let region = RealtimeRegion.enter()
        if let bridge = unsafe bridge {
            let count = unsafe bridge.pointee.take(input, frames: frames)
            unsafe come(bridge.pointee.taken, frames: count)
            var heard = unsafe MutableSpan(_unsafeStart: bridge.pointee.given, count: channels * count)
            hear(&heard, frames: count)
            unsafe bridge.pointee.give(count, &output, frames: frames)
        } else if let samples = unsafe trustedAddress(of: input) {
            unsafe come(samples, frames: frames)
            hear(&output, frames: frames)
        }
        region.leave()
    }

    /// Takes a block at the model's rate.
    @_noLocks
    private func come(_ input: UnsafePointer<Float>, frames: Int) {
        for channel in 0..<channels {
            unsafe memory.pointee.come(
                input + channel * frames, count: frames, at: position, channel: channel)
        }
    }

    /// Gives what is heard with it.
    @_noLocks
    private func hear(_ output: inout MutableSpan<Float>, frames: Int) {
        let hop = unsafe memory.pointee.hop
        var done = 0
        while done < frames {
            let time = unsafe position + done - memory.pointee.delay
            if time < base {
                let count = base - time < frames - done ? base - time : frames - done
                hear(&output, nothingAt: done, count: count, frames: frames)
                done += count
                continue
            }
            let (number, offset) = (time / hop, time % hop)
            let count = hop - offset < frames - done ? hop - offset : frames - done
            hear(&output, hop: number, offset: offset, at: done, count: count, frames: frames)
            done += count
        }
        let before = position / hop
        position += frames
        unsafe memory.pointee.clock.blockPlayed(frames: frames)
        unsafe memory.pointee.written.publish(position)
        if position / hop != before { unsafe work.pointee.due.signal() }
    }

    /// Whether the workers have ended, after an error or because the engine is gone: what comes in is heard as what is late
    /// is. Room: audio.
    public var isAbandoned: Bool {
        @_noLocks get { unsafe work.pointee.stop.read() != 0 }
    }

    /// As if nothing had come in yet. Wait-free.
    @_noLocks
    public func reset() {
        let region = RealtimeRegion.enter()
        base = unsafe memory.pointee.restart(after: position)
        position = base
        for channel in 0..<channels { unsafe concealments[channel].forget() }
        if let bridge = unsafe bridge { unsafe bridge.pointee.reset() }
        isMissing = false
        unsafe memory.pointee.base.publish(base)
        unsafe memory.pointee.written.publish(position)
        region.leave()
    }

    /// What has happened since the start.
    public var status: EffectStatus {
        unsafe EffectStatus(
            missedFrames: counters.pointee.missed.read(), overloads: counters.pointee.overloads.read(),
            lateHops: memory.pointee.lateHops.read(),
            skippedHops: memory.pointee.skippedHops.read(),
            worstLatenessSamples: memory.pointee.worstLateness.read())
    }

    /// Before the first sample that came in there was silence.
    @_noLocks
    private func hear(_ output: inout MutableSpan<Float>, nothingAt first: Int, count: Int, frames: Int) {
        for channel in 0..<channels {
            let start = channel * frames + first
            for i in start..<start + count { output[i] = 0 }
            unsafe concealments[channel].pass(&output, at: start, count: count)
        }
    }

    @_noLocks
    private func hear(
        _ output: inout MutableSpan<Float>, hop: Int, offset: Int, at first: Int, count: Int, frames: Int
    ) {
        let isThere = unsafe memory.pointee.isThere(hop)
        if !isThere {
            unsafe counters.pointee.missed.add(count)
            if !isMissing { unsafe counters.pointee.overloads.add(1) }
        }
        isMissing = !isThere
        for channel in 0..<channels {
            let start = channel * frames + first
            if isThere {
                unsafe memory.pointee.wet(
                    &output, from: start, count: count, hop: hop, offset: offset, channel: channel)
                unsafe concealments[channel].pass(&output, at: start, count: count)
                continue
            }
            if isDry {
                unsafe memory.pointee.dry(
                    &output, from: start, count: count, at: position + first, base: base, channel: channel)
            } else {
                for i in start..<start + count { output[i] = 0 }
            }
            unsafe concealments[channel].fill(&output, at: start, count: count)
        }
    }
}

/// What has happened to a stream. Each is counted by itself: they are not of one instant.
public struct EffectStatus: Sendable, Equatable {
    /// Frames that were concealed, at the model's rate.
    public var missedFrames = 0
    /// Stretches of such frames.
    public var overloads = 0
    /// Hops that came after their first sample was to be heard, and hops that were left out.
    public var lateHops = 0
    public var skippedHops = 0
    /// The most by which a hop was late, in samples of the model.
    public var worstLatenessSamples = 0
}
