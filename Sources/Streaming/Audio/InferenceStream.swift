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
    private let totalLatency: Int
    /// Stream time of the next block's first frame.
    private var position = 0
    private var base = 0
    private let concealments: UnsafeMutablePointer<Concealment>
    private let missed: UnsafeMutablePointer<Counter>

    init(
        channels: Int, hop: Int, latency: Latency, configuration: EffectConfiguration,
        work owner: WorkSignalsOwner
    ) {
        self.latency = latency
        self.channels = channels
        maximumBlockFrames = configuration.blockFrames
        totalLatency = latency.total
        isDry = configuration.concealment == .dry
        unsafe memory = .allocate(capacity: 1)
        unsafe memory.initialize(
            to: StreamMemory(
                channels: channels, hop: hop, delay: latency.buffering + latency.lookAhead,
                modelDelay: latency.model,
                blockFrames: configuration.blockFrames))
        self.owner = owner
        unsafe work = unsafe owner.signals
        unsafe concealments = .allocate(capacity: channels)
        for channel in 0..<channels { unsafe (concealments + channel).initialize(to: Concealment()) }
        unsafe missed = .allocate(capacity: 1)
        unsafe missed.initialize(to: Counter())
    }

    deinit {
        unsafe memory.deinitialize(count: 1)
        unsafe memory.deallocate()
        unsafe concealments.deinitialize(count: channels)
        unsafe concealments.deallocate()
        unsafe missed.deinitialize(count: 1)
        unsafe missed.deallocate()
    }

    /// Takes a block and gives the one that is heard with it.
    ///
    /// - Parameters:
    ///   - input: `channels` × `frames` samples, one channel after the other.
    ///   - output: as many.
    ///   - frames: 0…`maximumBlockFrames`; with blocks that do not vary always that.
    @_noLocks
    public func process(_ input: Span<Float>, _ output: inout MutableSpan<Float>, frames: Int) {
        let region = RealtimeRegion.enter()
        for channel in 0..<channels {
            unsafe memory.pointee.come(
                input, from: channel * frames, count: frames, at: position, channel: channel)
        }
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
        unsafe memory.pointee.written.publish(position)
        if position / hop != before { unsafe work.pointee.due.signal() }
        region.leave()
    }

    /// As if nothing had come in yet. Wait-free.
    @_noLocks
    public func reset() {
        let region = RealtimeRegion.enter()
        base = unsafe memory.pointee.restart(after: position)
        position = base
        for channel in 0..<channels { unsafe concealments[channel].forget() }
        unsafe memory.pointee.base.publish(base)
        unsafe memory.pointee.written.publish(position)
        region.leave()
    }

    /// What has happened since the start.
    public var status: EffectStatus {
        unsafe EffectStatus(
            missedFrames: missed.pointee.read(), lateHops: memory.pointee.lateHops.read(),
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
        if !isThere { unsafe missed.pointee.add(count) }
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
                    &output, from: start, count: count, at: position + first - totalLatency, channel: channel)
            } else {
                for i in start..<start + count { output[i] = 0 }
            }
            unsafe concealments[channel].fill(&output, at: start, count: count)
        }
    }
}

/// What has happened to a stream. Each is counted by itself: they are not of one instant.
public struct EffectStatus: Sendable, Equatable {
    /// Frames that were concealed.
    public var missedFrames: Int
    /// Hops that came after their first sample was to be heard, and hops that were left out.
    public var lateHops: Int
    public var skippedHops: Int
    /// The most by which a hop was late, in samples.
    public var worstLatenessSamples: Int
}
