public import Synchronization

/// The latest of the values that one thread leaves for another: what was not fetched is replaced.
///
/// Both ends are wait-free and never see half a value: there are three places, of which each end owns one, and they
/// swap theirs for the one between (triple buffering).
///
/// Room: `leave` and `fetch` audio or worker, one thread at each end; `init` and `deinit` control.
// Sendable: the atomic says which end owns which place.
@safe public struct Mailbox<Value: BitwiseCopyable & Sendable>: ~Copyable, @unchecked Sendable {
    @usableFromInline let places: UnsafeMutablePointer<Value>
    /// The place between the ends, and whether it is news.
    @usableFromInline let between = Atomic<UInt8>(2)
    /// The place of the leaving end, and that of the fetching end.
    @usableFromInline let owned: UnsafeMutablePointer<UInt8>

    @inlinable static var news: UInt8 { 4 }

    /// - Parameter value: what is fetched until something has been left.
    public init(_ value: Value) {
        unsafe places = .allocate(capacity: 3)
        unsafe places.initialize(repeating: value, count: 3)
        unsafe owned = .allocate(capacity: 2)
        unsafe owned.initialize(to: 0)
        unsafe (owned + 1).initialize(to: 1)
    }

    deinit {
        unsafe places.deallocate()
        unsafe owned.deallocate()
    }

    /// Leaves `value` in place of whatever was left before.
    @inlinable public borrowing func leave(_ value: Value) {
        let mine = unsafe owned[0]
        unsafe places[Int(mine)] = value
        let other = between.exchange(mine | Mailbox.news, ordering: .acquiringAndReleasing)
        unsafe owned[0] = other & 3
    }

    /// The value that was left last.
    @inlinable public borrowing func fetch() -> Value {
        if between.load(ordering: .relaxed) & Mailbox.news != 0 {
            let other = unsafe between.exchange(owned[1], ordering: .acquiringAndReleasing)
            unsafe owned[1] = other & 3
        }
        return unsafe places[Int(owned[1])]
    }
}
