internal import CRealtime
internal import Inference
internal import NeuralSynth
internal import Realtime
internal import Synchronization

/// The threads that help to render a player's voices, of the same priority as the one that they help. They sleep where there
/// is nothing to share.
///
/// Room: control; each renders in the worker's.
@safe final class RenderHelpers: @unchecked Sendable {
    // Sendable: `help` is made for threads beside the one that renders, the rest is in a mutex.
    private let renderer: NeuralVoiceRenderer
    private let threads = Mutex<[PosixThread]>([])
    /// How many the system does not let run ahead of other programs.
    private let refused = Counter()

    /// - Throws: `outOfResources` where the system starts no more threads.
    init(_ renderer: NeuralVoiceRenderer, count: Int, priority: Int32) throws(InferenceError) {
        self.renderer = renderer
        do throws(InferenceError) {
            for _ in 0..<count {
                let thread = try PosixThread.start { [self] in
                    if rt_thread_prepare(priority) != 0 { refused.add(1) }
                    // Whom ONNX Runtime fails here helps nobody, and whoever renders meets the failure.
                    if let hand = try? self.renderer.join() { self.renderer.help(as: hand) }
                }
                threads.withLock { $0.append(thread) }
            }
        } catch {
            stop()
            throw error
        }
    }

    /// Ends the threads and waits for their end, when nobody renders any more; the second time nothing happens.
    func stop() {
        let threads = threads.withLock { threads in
            defer { threads = [] }
            return threads
        }
        renderer.letHelpersGo()
        for thread in threads { thread.join() }
    }

    /// Whether the system has let all run ahead of other programs, as far as it has said.
    var areRealtime: Bool { refused.read() == 0 }
}
