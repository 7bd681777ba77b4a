public import Synchronization

/// Objects that control gives to audio one after the other, each to take the place of the one before: models that are
/// swapped while they are played.
///
/// ```swift
/// succession.offer(new)                            // control
/// if let new = succession.take() { … }             // audio, at the start of a block
/// _ = unsafe succession.retire(old)                // audio, once it has no more use for the old one
/// let gone = succession.collect()                  // control, which thereby frees it
/// ```
///
/// At most one waits to be taken: a newer one replaces it. What was never taken, or never collected, goes with the
/// succession.
///
/// Room: `take` and `retire` audio, one thread, and wait-free; everything else control, any thread.
// Sendable: the atomic and the queue are made for two threads, the rest is in a mutex.
@safe public struct Succession<Object: AnyObject & Sendable>: ~Copyable, @unchecked Sendable {
    /// The address of the one that waits, with a retain of its own; 0 where none does.
    @usableFromInline let waiting = Atomic<UInt>(0)
    /// There are never more than audio retires between two offers, which collect: the one before and the one after.
    @usableFromInline let retired = RetireQueue<Object>(minimumCapacity: 16)
    private let kept: Mutex<[Object]>

    /// - Parameter first: what audio begins with, with a retain of its own, which it hands back by `retire` or releases
    ///   when it has ended.
    public init(_ first: Object) { kept = Mutex([first]) }

    deinit { Self.release(waiting.load(ordering: .acquiring)) }

    /// Those that are played, or wait; the newest is the last.
    public borrowing func objects() -> [Object] { kept.withLock { $0 } }

    /// Leaves `object` for audio, in place of one that still waits. Returns those that are over, that one included.
    @discardableResult public borrowing func offer(_ object: Object) -> [Object] {
        kept.withLock { kept in
            var gone = remove(from: &kept)
            kept.append(object)
            let address = unsafe UInt(bitPattern: Unmanaged.passRetained(object).toOpaque())
            let before = waiting.exchange(address, ordering: .acquiringAndReleasing)
            if before != 0 {
                gone.append(kept.remove(at: kept.count - 2))
                Self.release(before)
            }
            return gone
        }
    }

    /// Those that audio has retired since the last time; they are freed when the caller lets go of them.
    @discardableResult public borrowing func collect() -> [Object] { kept.withLock { remove(from: &$0) } }

    private borrowing func remove(from kept: inout [Object]) -> [Object] {
        var gone: [Object] = []
        retired.free { gone.append($0) }
        kept.removeAll { object in gone.contains { $0 === object } }
        return gone
    }

    private static func release(_ address: UInt) {
        guard let pointer = unsafe UnsafeRawPointer(bitPattern: address) else { return }
        unsafe Unmanaged<Object>.fromOpaque(pointer).release()
    }

    /// The one that waits, with a retain of its own; nil where none does.
    @inlinable public borrowing func take() -> Unmanaged<Object>? {
        if waiting.load(ordering: .relaxed) == 0 { return nil }
        let address = waiting.exchange(0, ordering: .acquiringAndReleasing)
        guard let pointer = unsafe UnsafeRawPointer(bitPattern: address) else { return nil }
        return unsafe Unmanaged<Object>.fromOpaque(pointer)
    }

    /// Hands back what audio has no more use for; always true but where one is retired that was never taken.
    @inlinable public borrowing func retire(_ object: Unmanaged<Object>) -> Bool {
        unsafe retired.retire(object)
    }
}
