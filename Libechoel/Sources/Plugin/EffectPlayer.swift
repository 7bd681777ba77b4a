internal import Devices
internal import Realtime
internal import Streaming

/// The audio half of an effect: blocks of any length in pieces that the effect takes.
///
/// Room: audio; `init`, `deinit` and `start` control, while audio is not running.
@safe struct EffectPlayer: ~Copyable {
    /// Whoever calls `start` keeps what it plays.
    private var block: UnsafeMutablePointer<EffectBlock>?
    private(set) var latencyFrames: UInt32 = 0
    private var channels = 0
    private var maximumFrames = 0
    /// Where a piece of each channel goes.
    private let pieces: UnsafeMutablePointer<UnsafeMutablePointer<Float>?>

    init() {
        unsafe pieces = .allocate(capacity: 16)
        unsafe pieces.initialize(repeating: nil, count: 16)
    }

    deinit {
        unsafe block?.deinitialize(count: 1)
        unsafe block?.deallocate()
        unsafe pieces.deallocate()
    }

    /// Plays `live` from its beginning.
    mutating func start(_ live: LiveEffect) {
        unsafe block?.deinitialize(count: 1)
        let block = unsafe self.block ?? .allocate(capacity: 1)
        unsafe block.initialize(to: EffectBlock(live))
        unsafe self.block = block
        latencyFrames = UInt32(live.latency.total)
        channels = live.channels
        maximumFrames = live.maximumBlockFrames
    }

    var isPrepared: Bool {
        @_noLocks get { unsafe block != nil }
    }

    /// Whether the sound is no longer the model's.
    var hasFailed: Bool {
        @_noLocks get {
            guard let block = unsafe block else { return false }
            return unsafe block.pointee.isAbandoned
        }
    }

    @_noLocks
    func reset() {
        if let block = unsafe block { unsafe block.pointee.reset() }
    }

    /// Sends as much of a block of `frames` through the model as it takes at once, from the frame `done` on; how much that
    /// was.
    @_noLocks
    func playPiece(
        _ inputs: UnsafePointer<UnsafePointer<Float>?>?,
        _ outputs: UnsafePointer<UnsafeMutablePointer<Float>?>?,
        from done: Int, of frames: Int
    ) -> Int {
        guard let block = unsafe block else { return frames - done }
        let region = RealtimeRegion.enter()
        let count = frames - done < maximumFrames ? frames - done : maximumFrames
        for channel in 0..<channels {
            let input = unsafe inputs?[channel]
            unsafe block.pointee.take(
                input.map { unsafe $0 + done }, channel: channel, frames: count)
            let output = unsafe outputs?[channel]
            unsafe pieces[channel] = unsafe output.map { unsafe $0 + done }
        }
        unsafe block.pointee.process(frames: count)
        unsafe block.pointee.give(pieces, frames: count)
        region.leave()
        return count
    }
}
