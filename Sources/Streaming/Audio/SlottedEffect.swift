internal import Inference
internal import Realtime
internal import Signal

/// A model that a slot plays: its engine, and the streams that the slot's channels go through.
///
/// Room: `process` and `reset` audio; everything else control.
@safe final class SlottedEffect: @unchecked Sendable {
    // Sendable: the samples are audio's alone, the rest never changes.
    let engine: AsyncInferenceEngine
    /// Frames from the first that comes in to the first that comes out with nothing missing that should have come before.
    let settledFrames: Int
    /// What has come out of the last block: its channels one after the other.
    let given: UnsafeMutablePointer<Float>
    private let streams: UnsafeMutablePointer<Unmanaged<InferenceStream>>
    private let streamCount: Int
    /// Channels of each stream.
    private let rows: Int

    /// - Throws: what `AsyncInferenceEngine` throws, and `invalidArgument` for channels that the model does not have.
    init(
        _ model: EffectModel, channels: Int, _ configuration: EffectConfiguration, isThreaded: Bool
    ) throws(InferenceError) {
        var configuration = configuration
        configuration.streams = try model.streams(forChannels: channels)
        let engine = try AsyncInferenceEngine(model, configuration, isThreaded: isThreaded)
        self.engine = engine
        let effect = model.description
        let rates = EffectTiming.rates(effect, configuration)
        let past = (effect.window - effect.hop) * rates.ticksPerOutput
        settledFrames =
            engine.latency.total + engine.latency.resampling
            + (past + rates.ticksPerInput - 1) / rates.ticksPerInput
        streamCount = configuration.streams
        rows = channels / streamCount
        unsafe streams = .allocate(capacity: streamCount)
        for (index, stream) in engine.streams.enumerated() {
            unsafe (streams + index).initialize(to: .passUnretained(stream))
        }
        let count = channels * configuration.blockFrames
        unsafe given = .allocate(capacity: count)
        unsafe given.initialize(repeating: 0, count: count)
    }

    deinit {
        unsafe streams.deallocate()
        unsafe given.deallocate()
    }

    /// Sends the slot's channels through the model, into `given`.
    @_noLocks
    func process(_ input: UnsafePointer<Float>, frames: Int) {
        let count = rows * frames
        for index in 0..<streamCount {
            let from = unsafe UnsafeBufferPointer(start: input + index * count, count: count)
            let to = unsafe given + index * count
            // The spans are made within: one that a closure captures is counted.
            unsafe streams[index]._withUnsafeGuaranteedRef { stream in
                var output = unsafe MutableSpan(_unsafeStart: to, count: count)
                unsafe stream.process(from.span, &output, frames: frames)
            }
        }
    }

    @_noLocks
    func reset() {
        for index in 0..<streamCount {
            unsafe streams[index]._withUnsafeGuaranteedRef { $0.reset() }
        }
    }

    /// Room: audio.
    var isAbandoned: Bool {
        @_noLocks get { unsafe streams[0]._withUnsafeGuaranteedRef { $0.isAbandoned } }
    }

    /// Of all streams together.
    var status: EffectStatus {
        var status = EffectStatus()
        for stream in engine.streams { status.add(stream.status, ofOtherModel: false) }
        return status
    }
}

extension EffectStatus {
    /// Streams of one model miss the same frames, mostly; what is missed of two models comes one after the other.
    mutating func add(_ other: EffectStatus, ofOtherModel isOther: Bool) {
        missedFrames = isOther ? missedFrames + other.missedFrames : max(missedFrames, other.missedFrames)
        overloads = isOther ? overloads + other.overloads : max(overloads, other.overloads)
        lateHops += other.lateHops
        skippedHops += other.skippedHops
        worstLatenessSamples = max(worstLatenessSamples, other.worstLatenessSamples)
    }
}

extension EffectModel {
    /// How many streams so many channels of a device or a file are.
    ///
    /// - Throws: `invalidArgument` where the model has several channels, and not as many.
    func streams(forChannels channels: Int) throws(InferenceError) -> Int {
        guard 1...16 ~= channels, description.channels == 1 || description.channels == channels else {
            throw InferenceError(
                .invalidArgument,
                "The model has \(description.channels) channels, and the sound \(channels). Take sound of "
                    + (description.channels == 1 ? "1 to 16." : "\(description.channels) channels."))
        }
        return description.channels == 1 ? channels : 1
    }
}
