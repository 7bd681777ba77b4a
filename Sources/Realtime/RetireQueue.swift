/// What the audio room lets go of, until control frees it: a release may free memory, and so is none of audio's.
///
/// Both ends are wait-free but for the freeing itself.
///
/// Room: `retire` audio, one thread; `free`, `init` and `deinit` control, one thread.
@safe public struct RetireQueue<Object: AnyObject>: ~Copyable, @unchecked Sendable {
    // Sendable: the queue is; an object is in it between its last use by audio and its release.
    @usableFromInline let retired: EventQueue<UInt>

    /// - Parameter minimumCapacity: objects that may wait at once.
    public init(minimumCapacity: Int) {
        retired = EventQueue(minimumCapacity: minimumCapacity, blank: 0)
    }

    deinit { free() }

    /// Takes over the one retain that `object` stands for; false, and nothing taken, when the queue is full.
    @inlinable public borrowing func retire(_ object: Unmanaged<Object>) -> Bool {
        unsafe retired.push(UInt(bitPattern: object.toOpaque()))
    }

    /// Releases what has been retired; returns how many objects.
    ///
    /// - Parameter last: is shown each before its release.
    @discardableResult public borrowing func free(_ last: (Object) -> Void = { _ in }) -> Int {
        var count = 0
        while let address = retired.pop() {
            guard let pointer = unsafe UnsafeRawPointer(bitPattern: address) else { continue }
            last(unsafe Unmanaged<Object>.fromOpaque(pointer).takeRetainedValue())
            count += 1
        }
        return count
    }
}
