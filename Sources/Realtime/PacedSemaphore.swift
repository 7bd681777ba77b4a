internal import CRealtime
internal import Synchronization

/// A semaphore of which signals come at a steady pace: while they do, its waiters sleep by the clock, and a signal is an
/// addition. Only a waiter that has heard nothing for `patience` has to be woken by the system.
///
/// `signal` is wait-free with one waiter, lock-free with several, and makes a system call only after silence. A waiter that
/// sleeps by the clock notices a signal up to `nap` late; whoever cannot wait for that, urges.
///
/// Room: `signal` any; `urge` and `wait` worker or control; `init` and `deinit` control, while nobody waits.
@safe public struct PacedSemaphore: ~Copyable, Sendable {
    /// Nanoseconds.
    public static var patience: Int64 { 150_000_000 }
    public static var nap: Int64 { 100_000 }

    /// Signals that nobody has taken.
    private let count = Atomic<Int>(0)
    private let lastSignal = Atomic<Int64>(0)
    private let parked = Bench()
    private let napping = Bench()

    public init() {}

    @_noLocks
    public borrowing func signal() {
        lastSignal.store(rt_nanoseconds(), ordering: .relaxed)
        count.wrappingAdd(1, ordering: .sequentiallyConsistent)
        parked.wakeOne()
    }

    /// Wakes a waiter that sleeps by the clock, so that it takes what has been signalled at once.
    public borrowing func urge() { napping.wakeOne() }

    /// Sleeps until it has been signalled once more than waited for. A waiter keeps its own `pace`.
    public borrowing func wait(_ pace: inout SignalPace) {
        while true {
            let last = lastSignal.load(ordering: .relaxed)
            if take() { return pace.follow(last) }
            if let time = pace.waking(after: last, now: rt_nanoseconds()) {
                napping.sit(unless: { isSignalled }, until: time)
            } else {
                parked.sit(unless: { isSignalled }, until: nil)
            }
        }
    }

    private borrowing func take() -> Bool {
        var left = count.load(ordering: .relaxed)
        while left > 0 {
            let taken = count.weakCompareExchange(
                expected: left, desired: left - 1, ordering: .acquiringAndReleasing)
            if taken.exchanged { return true }
            left = taken.original
        }
        return false
    }

    private var isSignalled: Bool { count.load(ordering: .sequentiallyConsistent) > 0 }

    /// Where waiters sleep. Who wakes one takes its place off first, so that there is one system call for each.
    private struct Bench: ~Copyable, Sendable {
        private let handle = Semaphore()
        private let sitting = Atomic<Int>(0)

        @_noLocks
        borrowing func wakeOne() { if standUp() { handle.signal() } }

        /// Sleeps until it is woken, or it is that time; not at all if `isSignalled` once who signals would see it sit.
        borrowing func sit(unless isSignalled: () -> Bool, until time: Int64?) {
            sitting.wrappingAdd(1, ordering: .sequentiallyConsistent)
            if !isSignalled() {
                guard let time else { return handle.wait() }
                if handle.wait(until: time) { return }
            }
            // Whoever has taken the place off meanwhile is waking whoever sits there.
            if !standUp() { handle.wait() }
        }

        @_noLocks
        private borrowing func standUp() -> Bool {
            var places = sitting.load(ordering: .sequentiallyConsistent)
            while places > 0 {
                let taken = sitting.weakCompareExchange(
                    expected: places, desired: places - 1, ordering: .sequentiallyConsistent)
                if taken.exchanged { return true }
                places = taken.original
            }
            return false
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
