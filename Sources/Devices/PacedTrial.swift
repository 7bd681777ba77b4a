internal import CRealtime
public import Inference
public import Realtime
internal import Synchronization

/// What a clock plays in the place of a device, a block at a time.
///
/// Room: the trial's playing thread; `process` is within a block, what is asked afterwards is control's.
public protocol PacedSound: Sendable {
    /// Plays a block, and adds how long each `process` took.
    mutating func play(_ times: inout TimeHistogram)
    /// Frames that have been concealed so far, all streams together.
    var missedFrames: Int { get }
    /// Slices or hops that came too late so far, and those that were left out.
    var lateSlices: Int { get }
    var skippedSlices: Int { get }
    /// How long before the block that plays its beginning each of them was there so far.
    var slack: Slack { get }
}

/// Sound played in real time by a clock instead of a device, and what that took.
///
/// Whether a machine stops programs by itself is told by a canary: a thread of the same priority that does nothing but
/// wake up in time. What is late in blocks of which the canary was late too says nothing about what is played.
///
/// Room: control; `run` plays on a thread of its own.
public struct PacedTrial: Sendable {
    /// What was noticed in a block.
    public struct Block: Sendable {
        /// Whether something was concealed.
        public var missed = false
        public var lateSlices = 0
        /// Whether it or the one before began late, or the canary woke up late during one of them, by more than
        /// `canaryNanoseconds`: what is missed was to be computed by then.
        public var canaryWasLate = false
    }

    /// Of each block of each stream: the time in `process`.
    public private(set) var processTimes = TimeHistogram()
    public private(set) var blocks: [Block] = []
    public private(set) var lateSlices = 0
    public private(set) var skippedSlices = 0
    /// How long before the block that plays its beginning each slice or hop was there.
    public private(set) var slack = Slack(sampleRate: 48_000)
    /// Whether the system lets the threads run ahead of other programs.
    public private(set) var isRealtime = false

    public var blocksWithMisses: Int { blocks.count { $0.missed } }
    /// Blocks in which something was concealed although the canary was in time.
    public var underruns: Int { blocks.count { $0.missed && !$0.canaryWasLate } }
    public var canaryLateBlocks: Int { blocks.count { $0.canaryWasLate } }

    /// A millisecond.
    public static let canaryNanoseconds = 1_000_000

    /// Plays so many blocks at `sampleRate` (Hz).
    ///
    /// - Throws: `outOfResources` where the system starts no more threads.
    public static func run(
        _ sound: some PacedSound, blockFrames: Int, sampleRate: Int, blocks: Int
    ) throws(InferenceError) -> PacedTrial {
        let result = Mutex(PacedTrial())
        let canary = Canary()
        let watching = try PosixThread.start { canary.watch() }
        do throws(InferenceError) {
            let playing = try PosixThread.start {
                var trial = PacedTrial()
                trial.isRealtime = rt_thread_prepare(devicePriority) == 0
                trial.play(
                    sound, Clock(blockFrames: blockFrames, sampleRate: sampleRate), blocks: blocks, canary)
                result.withLock { $0 = trial }
            }
            playing.join()
        } catch {
            canary.stop()
            watching.join()
            throw error
        }
        canary.stop()
        watching.join()
        return result.withLock { $0 }
    }

    /// SCHED_FIFO's: above the workers', as a device's is.
    fileprivate static let devicePriority: Int32 = 70

    /// When blocks are due.
    private struct Clock {
        let blockFrames, sampleRate: Int
        private let start = rt_nanoseconds() + 10_000_000

        init(blockFrames: Int, sampleRate: Int) {
            (self.blockFrames, self.sampleRate) = (blockFrames, sampleRate)
        }

        func due(_ block: Int) -> Int64 {
            start + Int64(block) * Int64(blockFrames) * 1_000_000_000 / Int64(sampleRate)
        }
    }

    private mutating func play(_ sound: some PacedSound, _ clock: Clock, blocks count: Int, _ canary: Canary)
    {
        var sound = sound
        blocks.reserveCapacity(count)
        var (missed, late) = (sound.missedFrames, sound.lateSlices)
        var wasLateBefore = false
        for number in 0..<count {
            let wait = clock.due(number) - rt_nanoseconds()
            if wait > 0 { rt_sleep(wait) }
            let canaryWasLate = canary.wasLate()  // asked in every block, or it would tell of an earlier one
            let isLate = canaryWasLate || Int(rt_nanoseconds() - clock.due(number)) > Self.canaryNanoseconds
            var block = Block()
            block.canaryWasLate = isLate || wasLateBefore
            wasLateBefore = isLate
            sound.play(&processTimes)
            (block.missed, block.lateSlices) = (sound.missedFrames != missed, sound.lateSlices - late)
            (missed, late) = (sound.missedFrames, sound.lateSlices)
            blocks.append(block)
        }
        (lateSlices, skippedSlices, slack) = (sound.lateSlices, sound.skippedSlices, sound.slack)
    }
}

/// Wakes up every half a millisecond and says when it was late.
private final class Canary: Sendable {
    private let late = Atomic<Bool>(false)
    private let isStopped = Atomic<Bool>(false)

    func stop() { isStopped.store(true, ordering: .relaxed) }

    /// Whether it was late since it was last asked.
    func wasLate() -> Bool { late.exchange(false, ordering: .relaxed) }

    func watch() {
        _ = rt_thread_prepare(PacedTrial.devicePriority)
        while !isStopped.load(ordering: .relaxed) {
            let due = rt_nanoseconds() + 500_000
            rt_sleep(500_000)
            if Int(rt_nanoseconds() - due) > PacedTrial.canaryNanoseconds {
                late.store(true, ordering: .relaxed)
            }
        }
    }
}
