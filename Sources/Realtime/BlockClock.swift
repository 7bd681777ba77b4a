internal import CRealtime
internal import Synchronization

/// When audio played its last block, for a worker that asks how much time it has.
///
/// Wait-free. Room: `blockPlayed` audio; `samplesLeft` worker.
public struct BlockClock: ~Copyable, Sendable {
    private let time = Atomic<Int64>(0)
    private let frames = Atomic<Int>(1)

    public init() {}

    /// A block of so many frames is done.
    @_noLocks
    public borrowing func blockPlayed(frames count: Int) {
        time.store(rt_nanoseconds(), ordering: .relaxed)
        frames.store(count, ordering: .relaxed)
    }

    /// The time, in samples at `rate` Hz, until the block begins that plays `sample`, if blocks go on as the last one did;
    /// less than 0 where it has been played.
    ///
    /// - Parameter played: the first sample that has not been played.
    public borrowing func samplesLeft(until sample: Int, played: Int, rate: Int) -> Int {
        let passed = Double(rt_nanoseconds() - time.load(ordering: .relaxed)) * 1e-9 * Double(rate)
        let block = max(frames.load(ordering: .relaxed), 1)
        let ahead = sample - played
        let blocks = ahead < 0 ? ahead : (ahead / block + 1) * block
        return blocks - Int(min(passed, 1e9).rounded(.up))
    }
}
