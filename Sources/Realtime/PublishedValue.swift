internal import Synchronization

/// A time, a count or a flag that one thread publishes and others read: who has read it sees everything that was written
/// before it was published.
///
/// Both are wait-free.
///
/// Room: any.
public struct PublishedValue: ~Copyable, Sendable {
    private let value: Atomic<Int>

    public init(_ first: Int = 0) { value = Atomic(first) }

    @_noLocks
    public borrowing func publish(_ new: Int) { value.store(new, ordering: .releasing) }

    @_noLocks
    public borrowing func read() -> Int { value.load(ordering: .acquiring) }
}
