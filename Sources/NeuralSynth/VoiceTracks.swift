internal import Realtime

/// What the audio room tells the worker. All times are event time, in samples, and never go back.
enum VoiceCommand: BitwiseCopyable, Sendable {
    /// A note begins on a track, at an age of so many samples.
    case start(
        time: Int, track: Int32, channel: UInt8, key: UInt8, velocity: UInt8, instrument: Int32,
        noteCount: UInt32, age: Int)
    /// The note on a track is let go; it is silent from `silentAt` on.
    case release(time: Int, track: Int32, silentAt: Int)
    /// The note on a track makes room for another; it is silent from `silentAt` on.
    case steal(time: Int, track: Int32, silentAt: Int)
    /// A channel's pitch is bent.
    case bend(time: Int, channel: UInt8, semitones: Float)

    var time: Int {
        @_noLocks get {
            switch self {
            case .start(let time, _, _, _, _, _, _, _): time
            case .release(let time, _, _), .steal(let time, _, _), .bend(let time, _, _): time
            }
        }
    }
}

/// What the audio half and the worker half of a synth share.
///
/// A **track** carries one note after another along event time: the sample of time `t` lies at `t & mask`. The notes
/// of a track never overlap, so the worker may write a new note ahead while audio still reads the old one.
// Sendable: the samples below `renderedUntil` are audio's, the rest the worker's.
@safe final class VoiceTracks: @unchecked Sendable {
    let count: Int
    let mask: Int
    private let samples: UnsafeMutablePointer<Float>
    /// Audio pushes, the worker pops.
    let commands: UnsafeMutablePointer<EventQueue<VoiceCommand>>
    /// Every sample before this event time is there.
    let renderedUntil: UnsafeMutablePointer<PublishedValue>

    /// - Parameter minimumSamples: how far the worker may be ahead of the reader.
    init(count: Int, minimumSamples: Int, commandCapacity: Int) {
        var capacity = 1
        while capacity < minimumSamples { capacity *= 2 }
        self.count = count
        mask = capacity - 1
        unsafe samples = .allocate(capacity: count * capacity)
        unsafe samples.initialize(repeating: 0, count: count * capacity)
        unsafe commands = .allocate(capacity: 1)
        unsafe commands.initialize(
            to: EventQueue(minimumCapacity: commandCapacity, blank: .bend(time: 0, channel: 0, semitones: 0)))
        unsafe renderedUntil = .allocate(capacity: 1)
        unsafe renderedUntil.initialize(to: PublishedValue())
    }

    deinit {
        unsafe samples.deallocate()
        unsafe commands.deinitialize(count: 1)
        unsafe commands.deallocate()
        unsafe renderedUntil.deinitialize(count: 1)
        unsafe renderedUntil.deallocate()
    }

    /// The first of a track's `mask + 1` samples.
    func track(_ index: Int) -> UnsafeMutablePointer<Float> { unsafe samples + index * (mask + 1) }
}
