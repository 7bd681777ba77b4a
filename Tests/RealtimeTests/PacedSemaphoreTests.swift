import CRealtime
import TestSupport
import Testing

@testable import Realtime

@Suite("Paced semaphore")
struct PacedSemaphoreTests {
    /// Gaps from none to longer than a waiter's patience, so that it is found awake, asleep by the clock and asleep for good;
    /// a signal that nobody is woken for would leave this waiting.
    @Test(.timeLimit(.minutes(2)), arguments: [1, 2, 3])
    func noSignalIsLost(waiters: Int) async {
        var generator = SeededGenerator.announced()
        let gaps: [Int64] = (0..<420).map { _ in
            switch Int.random(in: 0..<20, using: &generator) {
            case 0:
                Int64.random(
                    in: PacedSemaphore.patience - 200_000...PacedSemaphore.patience + 200_000,
                    using: &generator)
            case 1..<8: Int64.random(in: 0...3_000_000, using: &generator)
            default: Int64.random(in: 0...2 * PacedSemaphore.nap, using: &generator)
            }
        }
        let semaphore = Shared(PacedSemaphore())
        async let waited = withTaskGroup(of: Int.self) { group in
            for _ in 0..<waiters {
                group.addTask {
                    await onThread {
                        var pace = SignalPace()
                        for _ in 0..<gaps.count / waiters { semaphore.value.wait(&pace) }
                        return gaps.count / waiters
                    }
                }
            }
            return await group.reduce(0, +)
        }
        async let sent: Void = onThread {
            for (index, gap) in gaps.enumerated() {
                rt_sleep(gap)
                semaphore.value.signal()
                if index % 7 == 0 { semaphore.value.urge() }
            }
        }
        await sent
        #expect(await waited == gaps.count)
    }

    /// A signal that comes long before it is expected does not wait until a waiter looks by itself: in one of five trials at
    /// least, since a machine may stand still for longer.
    @Test(.timeLimit(.minutes(1)), arguments: [1, 3])
    func aSignalTooEarlyWakes(waiters: Int) async {
        for _ in 0..<5 where await timeLeft(waiters: waiters) > 0 { return }
        Issue.record("nobody was woken before it would have looked by itself")
    }

    /// Nanoseconds from when the last of the waiters has been signalled until any would have looked.
    private func timeLeft(waiters: Int) async -> Int64 {
        let semaphore = Shared(PacedSemaphore())
        var pace = SignalPace()
        let period = PacedSemaphore.patience - 1
        for number: Int64 in 1...3 { pace.follow(number * period) }
        semaphore.value.signal()
        semaphore.value.wait(&pace)
        let rare = pace
        let looking = pace.waking(after: rt_nanoseconds(), now: 0) ?? 0
        async let woken = withTaskGroup(of: Int64.self) { group in
            for _ in 0..<waiters {
                group.addTask {
                    await onThread {
                        var pace = rare
                        semaphore.value.wait(&pace)
                        return rt_nanoseconds()
                    }
                }
            }
            return await group.reduce(0, max)
        }
        await onThread {
            rt_sleep(20_000_000)
            for _ in 0..<waiters { semaphore.value.signal() }
        }
        return await looking - woken
    }

    /// What is written before a signal is seen by whoever has waited for it.
    @Test(.timeLimit(.minutes(1)))
    func whatWasWrittenBeforeASignalIsSeen() async {
        let count = 2000
        let semaphore = Shared(PacedSemaphore())
        let written = UnguardedMemory(count, repeating: 0)
        async let sent: Void = onThread {
            for number in 0..<count {
                unsafe written.first[number] = number + 1
                semaphore.value.signal()
                if number % 16 == 0 { rt_sleep(50_000) }
            }
        }
        async let missing = onThread {
            var pace = SignalPace()
            var missing = 0
            for number in 0..<count {
                semaphore.value.wait(&pace)
                if unsafe written.first[number] != number + 1 { missing += 1 }
            }
            return missing
        }
        await sent
        #expect(await missing == 0)
    }

    @Test func aWaiterIsAwakeShortlyBeforeASignalIsExpected() throws {
        var pace = SignalPace()
        let period: Int64 = 10_000_000
        for time in stride(from: period, through: 5 * period, by: Int(period)) { pace.follow(time) }
        #expect(pace.period == period)
        // A quarter of a period early, and never more than two milliseconds.
        #expect(pace.waking(after: 5 * period, now: 5 * period) == 6 * period - 2_000_000)
        // Once that is past it looks again and again, until it has lost patience.
        let late = 7 * period
        #expect(pace.waking(after: 5 * period, now: late) == late + PacedSemaphore.nap)
        #expect(pace.waking(after: 5 * period, now: 5 * period + PacedSemaphore.patience) == nil)
    }

    @Test func thePaceIsTheShortestOfLateAndIsForgotten() {
        var pace = SignalPace()
        var time: Int64 = 1_000_000_000
        func follow(_ gap: Int64, times: Int) {
            for _ in 0..<times {
                time += gap
                pace.follow(time)
            }
        }
        follow(5_000_000, times: 3)
        follow(9_000_000, times: 2)
        #expect(pace.period == 5_000_000)
        // Signals of one block are one, and a pause is no pace.
        follow(1000, times: 10)
        follow(PacedSemaphore.patience + 1, times: 1)
        #expect(pace.period == 5_000_000)
        follow(9_000_000, times: 16)
        #expect(pace.period == 9_000_000)
    }

    @Test func withoutAPaceItLooksOftenAndWithoutASignalItSleeps() {
        let pace = SignalPace()
        #expect(pace.waking(after: 1_000_000_000, now: 1_000_001_000) == 1_000_001_000 + PacedSemaphore.nap)
        #expect(pace.waking(after: 0, now: 1_000_000_000_000) == nil)
    }
}
