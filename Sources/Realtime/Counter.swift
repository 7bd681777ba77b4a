internal import Synchronization

/// A number that one thread counts up and any thread reads.
///
/// Both are wait-free. A reading is some value that the counter had; two counters are not read at one instant.
///
/// Room: any.
public struct Counter: ~Copyable, Sendable {
    private let count = Atomic<Int>(0)

    public init() {}

    @_noLocks
    public borrowing func add(_ amount: Int) { count.wrappingAdd(amount, ordering: .relaxed) }

    /// Makes it `value` where that is more. One counting thread only.
    @_noLocks
    public borrowing func raise(to value: Int) {
        if value > count.load(ordering: .relaxed) { count.store(value, ordering: .relaxed) }
    }

    @_noLocks
    public borrowing func read() -> Int { count.load(ordering: .relaxed) }
}
