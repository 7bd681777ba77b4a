internal import CRealtime
internal import Inference
internal import Realtime
internal import Synchronization

/// The threads that render a slice together: whoever renders it, who is hand 0, and helpers.
///
/// Room: worker; `init` and `letHelpersGo` control.
final class RenderCrew: Sendable {
    private let hands: Int
    private let rounds = WorkRounds()
    private let helpers = Atomic<Int>(0)
    private let hasFailed = PublishedValue()
    private let failure = Mutex<InferenceError?>(nil)

    /// - Parameter hands: how many threads there may be.
    init(hands: Int) { self.hands = hands }

    /// Computes pieces 0 ..< `count`, each by one of the hands, and returns when all are done.
    ///
    /// - Throws: the first failure of a piece; others may have been computed.
    func compute(
        _ count: Int, _ body: (_ piece: Int, _ hand: Int) throws(InferenceError) -> Void
    ) throws(InferenceError) {
        let helpers = min(helpers.load(ordering: .relaxed), count - 1)
        if helpers == 0 {
            for piece in 0..<count { try body(piece, 0) }
            return
        }
        rounds.begin(pieces: count, waking: helpers)
        takePieces(hand: 0, body)
        rounds.waitForTheRest()
        if hasFailed.read() != 0, let failure = failure.withLock({ $0 }) { throw failure }
    }

    /// The hand of a helper that is new; nil where there are as many as there may be.
    func join() -> Int? {
        let hand = helpers.wrappingAdd(1, ordering: .relaxed).newValue
        if hand < hands { return hand }
        helpers.wrappingSubtract(1, ordering: .relaxed)
        return nil
    }

    /// Takes pieces of what is computed until `letHelpersGo`.
    func help(
        as hand: Int, _ body: (_ piece: Int, _ hand: Int) throws(InferenceError) -> Void
    ) {
        let denormals = rt_denormals_flush()
        while rounds.waitForWork() { takePieces(hand: hand, body) }
        rt_denormals_restore(denormals)
    }

    /// Those that have not come yet, too.
    func letHelpersGo() { rounds.end(helpers: hands - 1) }

    private func takePieces(
        hand: Int, _ body: (_ piece: Int, _ hand: Int) throws(InferenceError) -> Void
    ) {
        while let piece = rounds.take() {
            do throws(InferenceError) {
                try body(piece, hand)
            } catch {
                failure.withLock { $0 = $0 ?? error }
                hasFailed.publish(1)
            }
            rounds.finish()
        }
    }
}
