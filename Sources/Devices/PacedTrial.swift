internal import CRealtime
public import Inference
internal import Realtime
internal import Signal
public import Streaming
internal import Synchronization

/// An engine's streams played in real time by a clock instead of a device, and what that took.
///
/// Whether a machine stops programs by itself is told by a canary: a thread of the same priority that does nothing but
/// wake up in time. What is late in blocks of which the canary was late too says nothing about the engine.
///
/// Room: control; `run` plays on a thread of its own.
public struct PacedTrial: Sendable {
    /// For each block of each stream: nanoseconds in `process`.
    public private(set) var processNanoseconds: [Int] = []
    public private(set) var blocks = 0
    /// Blocks in which something was concealed, of any stream; and those of them in which the canary was in time.
    public private(set) var blocksWithMisses = 0
    public private(set) var underruns = 0
    /// Blocks that began late, or during which the canary woke up late, by more than `canaryNanoseconds`.
    public private(set) var canaryLateBlocks = 0
    public private(set) var lateHops = 0
    public private(set) var skippedHops = 0
    /// Whether the system lets the threads run ahead of other programs.
    public private(set) var isRealtime = false

    /// A millisecond.
    public static let canaryNanoseconds = 1_000_000

    /// Plays noise through `engine` for so many blocks at `sampleRate` (Hz).
    ///
    /// - Throws: `outOfResources` where the system starts no more threads; what stopped the engine, if anything did.
    public static func run(
        _ engine: AsyncInferenceEngine, blockFrames: Int, sampleRate: Int, blocks: Int
    ) throws(InferenceError) -> PacedTrial {
        let result = Mutex(PacedTrial())
        let canary = Canary()
        let watching = try PosixThread.start { canary.watch() }
        do throws(InferenceError) {
            let playing = try PosixThread.start {
                let isRealtime = rt_thread_prepare(devicePriority) == 0
                var trial = play(
                    engine, blockFrames: blockFrames, sampleRate: sampleRate, blocks: blocks, canary: canary)
                trial.isRealtime = isRealtime
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
        if let failure = engine.failure { throw failure }
        return result.withLock { $0 }
    }

    /// SCHED_FIFO's: above the workers', as a device's is.
    fileprivate static let devicePriority: Int32 = 70

    private static func play(
        _ engine: AsyncInferenceEngine, blockFrames: Int, sampleRate: Int, blocks: Int, canary: Canary
    ) -> PacedTrial {
        let channels = engine.channels
        let noise = CounterNoise(seed: 0x5EED)
        let input = (0..<channels * blockFrames).map { 0.1 * noise.value(at: UInt64($0)) }
        var output = [Float](repeating: 0, count: input.count)
        var trial = PacedTrial()
        trial.processNanoseconds.reserveCapacity(blocks * engine.streams.count)
        var missed = engine.streams.map(\.status.missedFrames)
        let start = rt_nanoseconds() + 10_000_000
        for block in 0..<blocks {
            let due = start + Int64(block) * Int64(blockFrames) * 1_000_000_000 / Int64(sampleRate)
            let wait = due - rt_nanoseconds()
            if wait > 0 { rt_sleep(wait) }
            let canaryWasLate = canary.wasLate()  // asked in every block, or it would tell of an earlier one
            let isLate = canaryWasLate || Int(rt_nanoseconds() - due) > canaryNanoseconds
            for stream in engine.streams {
                let before = rt_nanoseconds()
                var span = output.mutableSpan
                stream.process(input.span, &span, frames: blockFrames)
                trial.processNanoseconds.append(Int(rt_nanoseconds() - before))
            }
            let now = engine.streams.map(\.status.missedFrames)
            if now != missed {
                trial.blocksWithMisses += 1
                if !isLate { trial.underruns += 1 }
            }
            if isLate { trial.canaryLateBlocks += 1 }
            missed = now
        }
        trial.blocks = blocks
        for stream in engine.streams {
            trial.lateHops += stream.status.lateHops
            trial.skippedHops += stream.status.skippedHops
        }
        return trial
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
