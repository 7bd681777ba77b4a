public import Synchronization

/// A fixed-size, single-producer, single-consumer queue of plain values.
///
/// Both ends are wait-free and allocate nothing: `push` says whether there was room, `pop` and `peek` whether
/// there was anything. One thread pushes, one (other) thread pops.
///
/// Room: `push`, `peek` and `pop` audio or worker; `init` and `deinit` control.
// Sendable: the two atomic indices say which end owns which place.
@safe public struct EventQueue<Element: BitwiseCopyable & Sendable>: ~Copyable, @unchecked Sendable {
    @usableFromInline let storage: UnsafeMutablePointer<Element>
    @usableFromInline let mask: Int
    @usableFromInline let written = Atomic<Int>(0)
    @usableFromInline let consumed = Atomic<Int>(0)

    /// - Parameters:
    ///   - minimumCapacity: elements; rounded up to a power of two.
    ///   - blank: what the unused places hold.
    public init(minimumCapacity: Int, blank: Element) {
        var capacity = 1
        while capacity < minimumCapacity { capacity *= 2 }
        unsafe storage = .allocate(capacity: capacity)
        unsafe storage.initialize(repeating: blank, count: capacity)
        mask = capacity - 1
    }

    deinit { unsafe storage.deallocate() }

    /// How many elements fit.
    public var capacity: Int { mask + 1 }

    /// How many elements can still be pushed, at least: the other end may take more away meanwhile. Pushing end only.
    @inlinable public borrowing func freeCount() -> Int {
        mask &+ 1 &- (written.load(ordering: .relaxed) &- consumed.load(ordering: .acquiring))
    }

    /// Appends `element`; false, and nothing changed, when the queue is full.
    @inlinable public borrowing func push(_ element: Element) -> Bool {
        let head = written.load(ordering: .relaxed)
        if head &- consumed.load(ordering: .acquiring) > mask { return false }
        unsafe storage[head & mask] = element
        written.store(head &+ 1, ordering: .releasing)
        return true
    }

    /// The oldest element, left in place; nil when the queue is empty.
    @inlinable public borrowing func peek() -> Element? {
        let tail = consumed.load(ordering: .relaxed)
        if written.load(ordering: .acquiring) == tail { return nil }
        return unsafe storage[tail & mask]
    }

    /// Removes and returns the oldest element; nil when the queue is empty.
    @inlinable public borrowing func pop() -> Element? {
        let tail = consumed.load(ordering: .relaxed)
        if written.load(ordering: .acquiring) == tail { return nil }
        let element = unsafe storage[tail & mask]
        consumed.store(tail &+ 1, ordering: .releasing)
        return element
    }
}
