internal import Realtime
internal import Streaming

/// What an effect does in each block besides its model: the channels of a device, or of a program, are put into rows and
/// taken out again.
///
/// ```swift
/// for channel in 0..<block.channels { block.take(inputs[channel], channel: channel, frames: frames) }
/// block.process(frames: frames)
/// block.give(outputs, frames: frames)
/// ```
///
/// Outputs may be inputs. Blocks have at most the effect's `maximumBlockFrames`, and the effect is kept by whoever plays it.
///
/// Room: audio; `init` and `deinit` control.
@safe public struct EffectBlock: ~Copyable {
    private let slot: Unmanaged<EffectSlot>
    public let channels: Int
    /// `channels` × the block's frames, one channel after the other.
    private let taken, given: UnsafeMutablePointer<Float>
    private let levels: Unmanaged<LiveEffect.Levels>

    public init(_ live: LiveEffect) {
        channels = live.channels
        unsafe slot = .passUnretained(live.slot)
        let count = channels * live.maximumBlockFrames
        unsafe taken = .allocate(capacity: count)
        unsafe taken.initialize(repeating: 0, count: count)
        unsafe given = .allocate(capacity: count)
        unsafe given.initialize(repeating: 0, count: count)
        unsafe levels = .passUnretained(live.levels)
    }

    deinit {
        unsafe taken.deallocate()
        unsafe given.deallocate()
    }

    /// Takes what came in at a channel; nothing where there is no sound. What is no number would stay in a model's states.
    @_noLocks
    public func take(_ samples: UnsafePointer<Float>?, channel: Int, frames: Int) {
        let row = unsafe taken + channel * frames
        if let samples = unsafe samples {
            for i in 0..<frames { unsafe row[i] = samples[i].magnitude < .infinity ? samples[i] : 0 }
        } else {
            for i in 0..<frames { unsafe row[i] = 0 }
        }
    }

    /// Sends the rows through the model.
    @_noLocks
    public func process(frames: Int) {
        let count = channels * frames
        let (from, to) = unsafe (UnsafeBufferPointer(start: taken, count: count), given)
        // The spans are made within: one that a closure captures is counted.
        unsafe slot._withUnsafeGuaranteedRef { slot in
            var output = unsafe MutableSpan(_unsafeStart: to, count: count)
            unsafe slot.process(from.span, &output, frames: frames)
        }
    }

    /// Gives every channel what is heard at it, and notes the levels.
    ///
    /// - Parameter outputs: `channels` addresses; nil where nobody wants a channel.
    @_noLocks
    public func give(_ outputs: UnsafePointer<UnsafeMutablePointer<Float>?>, frames: Int) {
        let peaks = unsafe (
            Self.peak(taken, channels * frames), Self.copy(given, outputs, channels: channels, frames: frames)
        )
        unsafe levels._withUnsafeGuaranteedRef { $0.note(input: peaks.0, output: peaks.1) }
    }

    /// Whether inference has failed: the sound goes on as what is late does.
    public var isAbandoned: Bool {
        @_noLocks get { unsafe slot._withUnsafeGuaranteedRef { $0.isAbandoned } }
    }

    /// As if nothing had come in yet. Wait-free.
    @_noLocks
    public func reset() {
        unsafe slot._withUnsafeGuaranteedRef { $0.reset() }
    }

    @_noLocks
    private static func peak(_ samples: UnsafePointer<Float>, _ count: Int) -> Float {
        var peak: Float = 0
        for i in 0..<count where unsafe abs(samples[i]) > peak { peak = unsafe abs(samples[i]) }
        return peak
    }

    @_noLocks
    private static func copy(
        _ samples: UnsafePointer<Float>, _ outputs: UnsafePointer<UnsafeMutablePointer<Float>?>,
        channels: Int, frames: Int
    ) -> Float {
        for channel in 0..<channels {
            guard let output = unsafe outputs[channel] else { continue }
            for i in 0..<frames { unsafe output[i] = samples[channel * frames + i] }
        }
        return unsafe peak(samples, channels * frames)
    }
}
