internal import CRealtime
internal import Inference
internal import Realtime
internal import Synchronization

/// The thread that renders a player's voices ahead of what is heard.
///
/// It sleeps until the audio thread has finished a block, renders the slices that have become due, and sleeps again.
///
/// Room: worker; `init`, `stop` and `failure` control.
@safe final class RenderThread: @unchecked Sendable {
    // Sendable: the work is the thread's alone, its signals are made for two threads, the rest is in a mutex.
    private let work: DueRendering
    private let state = Mutex(State())

    private struct State {
        var thread: PosixThread?
        var failure: InferenceError?
        /// Whether the system let it run ahead of other programs.
        var isRealtime = false
    }

    /// - Throws: `outOfResources` where the system starts no more threads.
    init(_ work: DueRendering, priority: Int32) throws(InferenceError) {
        self.work = work
        let thread = try PosixThread.start { [self] in
            let refused = rt_thread_prepare(priority)
            state.withLock { $0.isRealtime = refused == 0 }
            run()
        }
        state.withLock { $0.thread = thread }
    }

    /// Tries it, on a thread that ends at once.
    static func realtimeIsPermitted(priority: Int32) -> Bool {
        final class Answer: Sendable { let isPermitted = Mutex(false) }
        let answer = Answer()
        let thread = try? PosixThread.start {
            let refused = rt_thread_prepare(priority)
            answer.isPermitted.withLock { $0 = refused == 0 }
        }
        thread?.join()
        return answer.isPermitted.withLock { $0 }
    }

    /// Ends the thread and waits for its end; the second time nothing happens.
    func stop() {
        let thread = state.withLock { state in
            defer { state.thread = nil }
            return state.thread
        }
        guard let thread else { return }
        unsafe work.signals.pointee.stop.publish(1)
        unsafe work.signals.pointee.work.signal()
        thread.join()
    }

    /// Why there is no more sound, where inference has failed.
    var failure: InferenceError? { state.withLock { $0.failure } }

    var isRealtime: Bool { state.withLock { $0.isRealtime } }

    private func run() {
        while true {
            unsafe work.signals.pointee.work.wait()
            if unsafe work.signals.pointee.stop.read() != 0 { return }
            do throws(InferenceError) {
                try work.run()
            } catch {
                state.withLock { $0.failure = error }
                unsafe work.signals.pointee.failed.publish(1)
                return
            }
        }
    }
}
