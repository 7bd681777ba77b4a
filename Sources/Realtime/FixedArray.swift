/// A fixed number of plain values in memory that is allocated once.
///
/// What `Array` cannot be in the audio room: writing never copies, allocates or takes a lock. An index out of range
/// traps.
///
/// Room: subscripts any; `init` and `deinit` control.
@safe public struct FixedArray<Element: BitwiseCopyable>: ~Copyable {
    @usableFromInline let storage: UnsafeMutablePointer<Element>
    public let count: Int

    public init(count: Int, repeating value: Element) {
        unsafe storage = .allocate(capacity: count)
        unsafe storage.initialize(repeating: value, count: count)
        self.count = count
    }

    deinit { unsafe storage.deallocate() }

    @inlinable public subscript(_ index: Int) -> Element {
        get {
            precondition(index >= 0 && index < count)
            return unsafe storage[index]
        }
        set {
            precondition(index >= 0 && index < count)
            unsafe storage[index] = newValue
        }
        _modify {
            precondition(index >= 0 && index < count)
            yield unsafe &storage[index]
        }
    }
}

// Sendable: it owns its memory, and moves as a whole.
extension FixedArray: @unchecked Sendable where Element: Sendable {}
