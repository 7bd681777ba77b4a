internal import CRealtime

/// What a worker sleeps on until the audio room has something for it.
///
/// `signal` is wait-free for audio: at most one system call that wakes the sleeper.
///
/// Room: `signal` any; `wait` worker or control; `init` and `deinit` control, while nobody waits.
// Sendable: the system's semaphores are.
@safe public struct Semaphore: ~Copyable, @unchecked Sendable {
    private let handle: OpaquePointer

    public init() {
        guard let made = unsafe rt_semaphore_create() else { fatalError("the system has no more semaphores") }
        unsafe handle = made
    }

    deinit { unsafe rt_semaphore_destroy(handle) }

    @_noLocks
    public borrowing func signal() { unsafe rt_semaphore_signal(handle) }

    /// Sleeps until it has been signalled once more than waited for.
    public borrowing func wait() { unsafe rt_semaphore_wait(handle) }

    /// As `wait`, at most until that time of the clock that never goes back, in nanoseconds; false where nothing came.
    borrowing func wait(until nanoseconds: Int64) -> Bool {
        unsafe rt_semaphore_wait_until(handle, nanoseconds) != 0
    }
}
