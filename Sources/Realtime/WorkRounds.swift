internal import Synchronization

/// Pieces of work that a thread shares with helpers, one round after another: each piece is taken by whoever is free.
///
/// ```swift
/// // the leader                                  // a helper
/// rounds.begin(pieces: 4, waking: 1)             while rounds.waitForWork() {
/// while let piece = rounds.take() {                  while let piece = rounds.take() {
///     compute(piece)                                     compute(piece)
///     rounds.finish()                                    rounds.finish()
/// }                                                  }
/// rounds.waitForTheRest()                        }
/// ```
///
/// The leader never waits for a helper that has taken nothing: a helper that wakes up late finds nothing to do. What was
/// written before `begin` is seen by whoever takes a piece, and what was written before `finish` after `waitForTheRest`.
///
/// `take` is lock-free and `finish` wait-free.
///
/// Room: worker, one leader and any number of helpers; `end` control, between rounds.
public struct WorkRounds: ~Copyable, Sendable {
    /// Pieces of a round at most.
    public static var maximumPieces: Int { 0xFFFF }

    /// The round's number in the upper half, and of the lower one how many pieces there are and how many have been taken.
    /// A helper that was held up since it looked takes nothing of a round that is over: the number is another.
    private let state = Atomic<UInt64>(0)
    private let unfinished = Atomic<Int>(0)
    private let work = Semaphore()
    private let rest = Semaphore()
    private let isOver = PublishedValue()

    public init() {}

    /// Begins a round of `pieces`, at most `maximumPieces`, and wakes so many helpers. The round before must be over.
    public borrowing func begin(pieces: Int, waking helpers: Int) {
        precondition(pieces > 0 && pieces <= Self.maximumPieces)
        unfinished.store(pieces, ordering: .relaxed)
        let round = state.load(ordering: .relaxed) >> 32 &+ 1
        state.store(round << 32 | UInt64(pieces) << 16, ordering: .releasing)
        for _ in 0..<helpers { work.signal() }
    }

    /// The number of a piece that is now the caller's to compute; nil where all have been taken.
    public borrowing func take() -> Int? {
        var seen = state.load(ordering: .relaxed)
        while true {
            let (pieces, taken) = (seen >> 16 & 0xFFFF, seen & 0xFFFF)
            if taken == pieces { return nil }
            let exchange = state.weakCompareExchange(
                expected: seen, desired: seen + 1, successOrdering: .acquiring, failureOrdering: .relaxed)
            if exchange.exchanged { return Int(taken) }
            seen = exchange.original
        }
    }

    /// A piece that was taken is done.
    public borrowing func finish() {
        if unfinished.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 { rest.signal() }
    }

    /// Sleeps until every piece of the round is done; once in a round, the leader when it finds none to take.
    public borrowing func waitForTheRest() { rest.wait() }

    /// A helper sleeps until there may be something to take; false when there will be nothing any more.
    public borrowing func waitForWork() -> Bool {
        work.wait()
        return isOver.read() == 0
    }

    /// Lets so many helpers go.
    public borrowing func end(helpers: Int) {
        isOver.publish(1)
        for _ in 0..<helpers { work.signal() }
    }
}
