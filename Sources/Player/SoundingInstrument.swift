internal import NeuralSynth
internal import Realtime

/// An instrument that a player plays, and what its worker is told. Its event time begins with its first block.
///
/// Room: audio; `init` and `deinit` control.
@safe struct SoundingInstrument: ~Copyable {
    private var instrument: Instrument
    private let latencySamples: Int
    /// Where the worker is told that a block has been played; nil where whoever plays renders as well.
    private let signals: UnsafeMutablePointer<RenderSignals>?
    /// The event time of the next block's first frame.
    private var position = 0
    /// The event time from which on nothing more is heard of it, once another has taken its place.
    private var silentAt = Int.max

    init(
        _ instrument: consuming Instrument, latencySamples: Int, signals: UnsafeMutablePointer<RenderSignals>?
    ) {
        self.instrument = instrument
        self.latencySamples = latencySamples
        unsafe self.signals = unsafe signals
    }

    @_noLocks
    mutating func process(
        _ messages: Span<TimedMessage>, left: inout MutableSpan<Float>, right: inout MutableSpan<Float>
    ) {
        instrument.process(messages, left: &left, right: &right)
        position += left.count
        if let signals = unsafe signals {
            unsafe signals.pointee.clock.blockPlayed(frames: left.count)
            unsafe signals.pointee.heard.publish(position - latencySamples)
            unsafe signals.pointee.known.publish(position)
            unsafe signals.pointee.work.signal()
        }
    }

    @_noLocks
    mutating func reset() { instrument.reset() }

    /// Before its first block: what is held in `old` goes on here, and fades there.
    @_noLocks
    mutating func takeOver(from old: inout SoundingInstrument) {
        instrument.takeOver(from: &old.instrument)
        old.silentAt = old.position + NeuralSoundSynth.handoverFrames
    }

    /// Whether another has taken its place, and nothing more is heard of it.
    var isOver: Bool {
        @_noLocks get { silentAt != .max && position - latencySamples >= silentAt }
    }

    /// What it has done so far.
    var status: BlockStatus {
        @_noLocks get { instrument.status(level: 0, position: position) }
    }

    /// Whether the worker has given up.
    var hasFailed: Bool {
        @_noLocks get {
            guard let signals = unsafe signals else { return false }
            return unsafe signals.pointee.failed.read() != 0
        }
    }
}
