internal import Synchronization

/// A time that one thread publishes and others read: who has read it sees everything that was written before it was
/// published.
///
/// Both are wait-free.
///
/// Room: any.
public struct PublishedTime: ~Copyable, Sendable {
    private let value: Atomic<Int>

    public init(_ time: Int = 0) { value = Atomic(time) }

    @_noLocks
    public borrowing func publish(_ time: Int) { value.store(time, ordering: .releasing) }

    @_noLocks
    public borrowing func read() -> Int { value.load(ordering: .acquiring) }
}
