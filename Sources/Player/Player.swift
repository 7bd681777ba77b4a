public import NeuralSynth
public import Realtime

/// What happened while a `Player` played.
public struct PlayerCounters: Sendable, Equatable {
    /// The most notes that sounded at once.
    public var voicesPeak: Int
    /// Notes for which there was no room.
    public var droppedNotes: Int
    /// Frames that the worker did not deliver in time.
    public var missedFrames: Int
}

/// An instrument behind one `process` call: what a device, a plugin or the offline renderer runs.
///
/// Room: `process` and `reset` audio (one thread); everything else control, while audio is not running.
public final class Player {
    private var instrument: Instrument
    /// The worker half of the instrument.
    public let renderer: NeuralVoiceRenderer
    /// Samples from a message to its sound.
    public let latencySamples: Int
    /// Hz.
    public let sampleRate: Int
    /// The most frames that `process` takes.
    public let maximumBlockFrames: Int

    public init(_ synth: consuming NeuralSoundSynth) {
        renderer = synth.renderer
        latencySamples = synth.latencySamples
        sampleRate = synth.sampleRate
        maximumBlockFrames = synth.maximumBlockFrames
        instrument = .neural(synth)
    }

    /// Acts on the messages of one block and fills both outputs.
    ///
    /// - Parameters:
    ///   - messages: in order of their offsets, each below the block's length.
    ///   - left, right: equally long, at most `maximumBlockFrames`.
    @_noLocks
    public func process(
        _ messages: Span<TimedMessage>, left: inout MutableSpan<Float>, right: inout MutableSpan<Float>
    ) {
        let region = RealtimeRegion.enter()
        instrument.process(messages, left: &left, right: &right)
        region.leave()
    }

    /// Silences everything and resets the controllers.
    @_noLocks
    public func reset() {
        let region = RealtimeRegion.enter()
        instrument.reset()
        region.leave()
    }

    public var counters: PlayerCounters { instrument.counters }
}
