internal import CRealtime
internal import Synchronization

/// A semaphore of which signals come at a steady pace: while they do, its waiters sleep by the clock, and a signal is an
/// addition. Only a waiter that would notice it later than `lateness`, or that has heard nothing for `patience`, is woken by
/// the system.
///
/// `signal` is wait-free with one waiter, lock-free with several; it makes one system call at most, and none where the pace is
/// kept. Whoever cannot wait for `lateness`, urges.
///
/// Room: `signal` any; `urge` and `wait` worker or control; `init` and `deinit` control, while nobody waits.
@safe public struct PacedSemaphore: ~Copyable, Sendable {
    /// How long a waiter sleeps by the clock after the last signal, nanoseconds.
    public static var patience: Int64 { 150_000_000 }
    /// How late a waiter notices a signal at most, but for the time that the system takes to let it run, nanoseconds.
    public static var lateness: Int64 { 200_000 }
    /// How often a waiter that expects a signal looks for it.
    static var nap: Int64 { lateness / 2 }

    /// Signals that nobody has taken.
    private let signals = Permits()
    private let lastSignal = Atomic<Int64>(0)
    /// When one of those that sleep by the clock looks by itself, or later; `Int64.max` where that is not known.
    private let alarm = Atomic<Int64>(Int64.max)
    private let parked = Bench()
    private let napping = Bench()

    public init() {}

    @_noLocks
    public borrowing func signal() {
        let now = rt_nanoseconds()
        lastSignal.store(now, ordering: .relaxed)
        signals.release()
        if parked.wakeOne() { return }
        if alarm.load(ordering: .sequentiallyConsistent) - now > Self.lateness { _ = napping.wakeOne() }
    }

    /// Wakes a waiter that sleeps by the clock, so that it takes what has been signalled at once.
    public borrowing func urge() { _ = napping.wakeOne() }

    /// Sleeps until it has been signalled once more than waited for. A waiter keeps its own `pace`.
    public borrowing func wait(_ pace: inout SignalPace) {
        while true {
            let last = lastSignal.load(ordering: .relaxed)
            if signals.tryAcquire() {
                // Who signalled may have counted on this waiter for more than one.
                if !signals.isEmpty { urge() }
                return pace.follow(last)
            }
            if let time = pace.waking(after: last, now: rt_nanoseconds()) {
                nap(until: time)
            } else {
                parked.sit(until: nil) { signals.isEmpty }
            }
        }
    }

    private borrowing func nap(until time: Int64) {
        napping.sit(until: time) {
            alarm.min(time, ordering: .sequentiallyConsistent)
            return signals.isEmpty
        }
        // Of another that sleeps nothing is known now, and the next signal wakes it.
        alarm.store(Int64.max, ordering: .sequentiallyConsistent)
    }

    /// Signals that nobody has taken, or places that somebody has.
    private struct Permits: ~Copyable, Sendable {
        private let count = Atomic<Int>(0)

        @_noLocks
        borrowing func release() { count.wrappingAdd(1, ordering: .sequentiallyConsistent) }

        /// Takes one, if there is any.
        @_noLocks
        borrowing func tryAcquire() -> Bool {
            var left = count.load(ordering: .sequentiallyConsistent)
            while left > 0 {
                let taken = count.weakCompareExchange(
                    expected: left, desired: left - 1, ordering: .sequentiallyConsistent)
                if taken.exchanged { return true }
                left = taken.original
            }
            return false
        }

        var isEmpty: Bool { count.load(ordering: .sequentiallyConsistent) == 0 }
    }

    /// Where waiters sleep. Who wakes one takes its place off first, so that there is one system call for each.
    private struct Bench: ~Copyable, Sendable {
        private let handle = Semaphore()
        private let places = Permits()

        /// False where nobody sits.
        @_noLocks
        borrowing func wakeOne() -> Bool {
            guard places.tryAcquire() else { return false }
            handle.signal()
            return true
        }

        /// Sleeps until it is woken, or it is that time; not at all unless `isNeeded`, asked once whoever signals sees it sit.
        borrowing func sit(until time: Int64?, if isNeeded: () -> Bool) {
            places.release()
            if isNeeded() {
                guard let time else { return handle.wait() }
                if handle.wait(until: time) { return }
            }
            // Whoever has taken the place off meanwhile is waking whoever sits there.
            if !places.tryAcquire() { handle.wait() }
        }
    }
}

/// What a waiter of a `PacedSemaphore` knows of its signals: how far they are apart, at least.
///
/// Nanoseconds. Room: worker or control, one thread.
public struct SignalPace: Sendable {
    /// Signals of one block, of several streams, are one.
    private static let together: Int64 = 1_000_000
    /// So many signals are remembered, twice.
    private static let remembered = 8
    /// So long before a signal is expected its waiter is awake, at most.
    private static let most: Int64 = 2_000_000

    private var last: Int64 = 0
    private var shortest = Int64.max
    private var shortestBefore = Int64.max
    private var count = 0

    public init() {}

    /// The shortest time between two of the last signals; `Int64.max` before there were two.
    var period: Int64 { min(shortest, shortestBefore) }

    /// Hears of a signal.
    mutating func follow(_ time: Int64) {
        let since = time - last
        guard since > Self.together else { return }
        last = time
        // A pause says nothing of the pace.
        guard since < PacedSemaphore.patience else { return }
        shortest = min(shortest, since)
        count += 1
        if count % Self.remembered == 0 { (shortestBefore, shortest) = (shortest, Int64.max) }
    }

    /// When to look whether there is another signal; nil after a long silence.
    func waking(after signal: Int64, now: Int64) -> Int64? {
        guard now - signal < PacedSemaphore.patience else { return nil }
        let soon = now + PacedSemaphore.nap
        guard period < PacedSemaphore.patience else { return soon }
        return max(signal + period - min(period / 4, Self.most), soon)
    }
}
