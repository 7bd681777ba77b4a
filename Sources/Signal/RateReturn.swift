internal import Realtime

/// The way back from a rate to the host's, for blocks: as many frames come out as the host has.
///
/// After h frames of the host ⌈h L / M⌉ are there at the other rate (`source`), and after those at least h on the way back,
/// so that nothing has to be kept back; what they are more waits for the next block. L / M is the inverse of the
/// resampler's ratio.
///
/// ```swift
/// // `count` frames of each channel have been put into `source`, one channel after the other.
/// back.take(count)
/// back.give(0, &output, at: 0, frames: frames)
/// back.end(frames: frames)
/// ```
///
/// Room: audio; `init` and `deinit` control.
@safe public struct RateReturn: ~Copyable {
    private var resampler: Resampler
    /// `channels` × a block's frames at the other rate, one channel after the other.
    public let source: UnsafeMutablePointer<Float>
    /// The most frames that a block has at the other rate.
    public let maximumSourceFrames: Int
    /// Of each channel what has come back, `row` frames at most.
    private let ready: UnsafeMutablePointer<Float>
    private let row: Int
    private var waiting = 0

    /// - Parameters:
    ///   - resampler: from the other rate to the host's.
    ///   - blockFrames: the most frames that the host's blocks have.
    public init(_ resampler: consuming Resampler, blockFrames: Int) {
        let channels = resampler.channels
        maximumSourceFrames = resampler.ratio.inverse.outputs(after: blockFrames) + 1
        unsafe source = .allocate(capacity: channels * maximumSourceFrames)
        unsafe source.initialize(repeating: 0, count: channels * maximumSourceFrames)
        // What waits is less than a frame of the source, rounded up.
        row = resampler.ratio.outputs(after: maximumSourceFrames + 1) + 1
        unsafe ready = .allocate(capacity: channels * row)
        unsafe ready.initialize(repeating: 0, count: channels * row)
        self.resampler = resampler
    }

    deinit {
        unsafe source.deallocate()
        unsafe ready.deallocate()
    }

    /// Brings `count` frames of `source` back.
    @_noLocks
    public mutating func take(_ count: Int) {
        waiting += unsafe resampler.process(source, frames: count, into: ready + waiting, rowFrames: row)
    }

    /// Gives a channel's block, from `output[first]` on.
    @_noLocks
    public func give(_ channel: Int, _ output: inout MutableSpan<Float>, at first: Int, frames: Int) {
        let samples = unsafe ready + channel * row
        for i in 0..<frames { output[first + i] = unsafe samples[i] }
    }

    /// Ends a block of which every channel has been given.
    @_noLocks
    public mutating func end(frames: Int) {
        waiting -= frames
        for channel in 0..<resampler.channels {
            let samples = unsafe ready + channel * row
            for i in 0..<waiting { unsafe samples[i] = samples[frames + i] }
        }
    }

    /// As if only silence had come so far; how far it has come stays. Wait-free.
    @_noLocks
    public mutating func silence() {
        resampler.silence()
        for i in 0..<resampler.channels * row { unsafe ready[i] = 0 }
    }

    /// As if nothing had come yet. Wait-free.
    @_noLocks
    public mutating func reset() {
        resampler.reset()
        waiting = 0
    }
}
