import CRealtime
import TestSupport
import Testing

@testable import Inference
@testable import NeuralSynth

@Suite("Render crew")
struct RenderCrewTests {
    /// Whichever hand a piece fails in, whoever renders is told, and nobody computes a piece twice.
    @Test(.timeLimit(.minutes(1)), arguments: [1, 2, 4], [0, 3, 7])
    func aFailureIsToldWhoeverHasIt(hands: Int, failing: Int) async {
        let (crew, trial) = (RenderCrew(hands: hands), Trial())
        async let helped: Void = withTaskGroup(of: Void.self) { group in
            // The last one is sent away: it would have no hand.
            for _ in 0..<hands {
                group.addTask {
                    await onThread {
                        guard let hand = crew.join() else { return }
                        crew.help(as: hand) { piece, hand throws(InferenceError) in
                            try trial.compute(piece, by: hand)
                        }
                    }
                }
            }
        }
        let rounds = await onThread {
            var rounds = 0
            while true {
                // Only when every hand has had a piece.
                if trial.hands.withLock({ $0.count }) == hands { trial.failing.withLock { $0 = failing } }
                do throws(InferenceError) {
                    try crew.compute(8) { piece, hand throws(InferenceError) in
                        try trial.compute(piece, by: hand)
                    }
                    rounds += 1
                } catch { return rounds }
            }
        }
        crew.letHelpersGo()
        await helped
        #expect(rounds > 0 && trial.hands.withLock { $0 } == Set(0..<hands))
        let done = trial.done.withLock { $0 }
        #expect(done[failing] == rounds && done.allSatisfy { $0 == rounds || $0 == rounds + 1 })
    }

    private final class Trial: Sendable {
        // Thread Sanitizer knows the system's locks, and not Swift's.
        let failing = Monitor<Int?>(nil)
        let done = Monitor([Int](repeating: 0, count: 8))
        let hands = Monitor<Set<Int>>([])

        func compute(_ piece: Int, by hand: Int) throws(InferenceError) {
            hands.withLock { _ = $0.insert(hand) }
            rt_sleep(50_000)
            if failing.withLock({ $0 == piece }) { throw InferenceError(.runFailed, "as wanted") }
            done.withLock { $0[piece] += 1 }
        }
    }
}
