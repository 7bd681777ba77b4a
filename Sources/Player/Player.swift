public import NeuralSynth
public import Realtime
internal import Streaming

/// What happened while a `Player` played.
public struct PlayerCounters: Sendable, Equatable {
    /// The most notes that sounded at once.
    public var voicesPeak: Int
    /// Notes for which there was no room.
    public var droppedNotes: Int
    /// Frames that the worker did not deliver in time.
    public var missedFrames: Int
}

/// A block that was played, and what had happened by its end.
struct BlockStatus: BitwiseCopyable, Sendable {
    var voices: Int
    var voicesPeak: Int
    var level: Float
    var droppedNotes: Int
    var missedFrames: Int
    var position: Int

    @_noLocks
    init(
        voices: Int = 0, voicesPeak: Int = 0, level: Float = 0, droppedNotes: Int = 0, missedFrames: Int = 0,
        position: Int = 0
    ) {
        self.voices = voices
        self.voicesPeak = voicesPeak
        self.level = level
        self.droppedNotes = droppedNotes
        self.missedFrames = missedFrames
        self.position = position
    }
}

/// An instrument behind one `process` call: what a device, a plugin or the offline renderer runs.
///
/// Room: `process` and `reset` audio (one thread); everything else control, while audio is not running.
@safe public final class Player {
    // Audio's alone. The check that no two accesses overlap would allocate: its record is thread-local, and in a library
    // that is opened at run time a thread gets that memory when it first asks for it.
    @exclusivity(unchecked) private var instrument: Instrument
    /// Where the worker is told that a block has been played; nil where whoever calls `process` renders as well.
    @exclusivity(unchecked) private var signals: UnsafeMutablePointer<RenderSignals>?
    /// The event time of the next block's first frame.
    @exclusivity(unchecked) private var position = 0
    /// Where the host has a rate of its own; and its frames that have been played.
    private let bridge: UnsafeMutablePointer<PlayerBridge>?
    @exclusivity(unchecked) private var hostPosition = 0
    /// What was played last, for one thread of the control room.
    let status = Mailbox(BlockStatus())
    /// The worker half of the instrument.
    public let renderer: NeuralVoiceRenderer
    /// Samples from a message to its sound, at the host's rate and at the instruments'.
    public let latencySamples: Int
    private let ownLatencySamples: Int
    /// Of what `process` takes and gives, the host's: Hz.
    public let sampleRate: Int
    /// The most frames that `process` takes.
    public let maximumBlockFrames: Int

    /// At the instruments' rate.
    public init(_ synth: consuming NeuralSoundSynth) {
        renderer = synth.renderer
        latencySamples = synth.latencySamples
        ownLatencySamples = synth.latencySamples
        sampleRate = synth.sampleRate
        maximumBlockFrames = synth.maximumBlockFrames
        unsafe bridge = nil
        unsafe instrument = .neural(synth)
    }

    /// At a host's rate; `synth` has been made for `host`.
    ///
    /// - Parameter blockFrames: the most of the host's blocks.
    /// - Throws: `sampleRate` where the rates have too little in common.
    init(
        _ synth: consuming NeuralSoundSynth, host: HostTiming, blockFrames: Int
    ) throws(NeuralSynthError) {
        renderer = synth.renderer
        latencySamples = host.latency.total
        ownLatencySamples = synth.latencySamples
        sampleRate = host.hostRate
        maximumBlockFrames = blockFrames
        unsafe bridge = try host.makeBridge(hostBlockFrames: blockFrames)
        unsafe instrument = .neural(synth)
    }

    deinit {
        unsafe bridge?.deinitialize(count: 1)
        unsafe bridge?.deallocate()
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
        unsafe hostPosition += left.count
        if let bridge = unsafe bridge {
            unsafe bridge.pointee.begin(messages, frames: left.count)
            let (due, count) = unsafe (bridge.pointee.due, bridge.pointee.frames)
            if count > 0 {
                var ownLeft = unsafe MutableSpan(_unsafeStart: bridge.pointee.source, count: count)
                var ownRight = unsafe MutableSpan(_unsafeStart: bridge.pointee.source + count, count: count)
                unsafe play(due.span, left: &ownLeft, right: &ownRight)
            }
            unsafe bridge.pointee.end(left: &left, right: &right)
        } else {
            play(messages, left: &left, right: &right)
        }
        region.leave()
    }

    /// Plays a block at the instruments' rate.
    @_noLocks
    private func play(
        _ messages: Span<TimedMessage>, left: inout MutableSpan<Float>, right: inout MutableSpan<Float>
    ) {
        unsafe instrument.process(messages, left: &left, right: &right)
        unsafe position += left.count
        if let signals = unsafe signals {
            unsafe signals.pointee.heard.publish(position - ownLatencySamples)
            unsafe signals.pointee.known.publish(position)
            unsafe signals.pointee.work.signal()
        }
        var level: Float = 0
        for i in 0..<left.count {
            if left[i].magnitude > level { level = left[i].magnitude }
            if right[i].magnitude > level { level = right[i].magnitude }
        }
        var played = unsafe instrument.status(level: level, position: hostPosition)
        if let bridge = unsafe bridge { unsafe played.droppedNotes += bridge.pointee.refused }
        status.leave(played)
    }

    /// Silences everything and resets the controllers.
    @_noLocks
    public func reset() {
        let region = RealtimeRegion.enter()
        unsafe instrument.reset()
        unsafe bridge?.pointee.silence()
        region.leave()
    }

    public var counters: PlayerCounters { unsafe instrument.counters }

    /// Whether the worker has given up, so that there is silence from now on. Room: audio.
    public var rendererHasFailed: Bool {
        @_noLocks get {
            guard let signals = unsafe signals else { return false }
            return unsafe signals.pointee.failed.read() != 0
        }
    }

    /// Tells `signals` of every block from now on; room: control, while audio is not running.
    func tell(_ signals: UnsafeMutablePointer<RenderSignals>?) { unsafe self.signals = signals }
}
