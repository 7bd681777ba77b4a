import Inference
import Synchronization
import TestSupport
import Testing

@testable import NeuralSynth

@Suite("Render crew")
struct RenderCrewTests {
    /// Whichever hand a piece fails in, the others are computed and whoever renders is told.
    @Test(.timeLimit(.minutes(1)), arguments: [1, 2, 4], [0, 3, 7])
    func aFailureIsToldWhoeverHasIt(hands: Int, failing: Int) async {
        let (crew, trial) = (RenderCrew(hands: hands), Trial())
        async let helped: Void = withTaskGroup(of: Void.self) { group in
            // The last one is sent away: it would have no hand.
            for _ in 0..<hands {
                group.addTask {
                    await onThread {
                        crew.help { piece, hand throws(InferenceError) in try trial.compute(piece, by: hand) }
                    }
                }
            }
        }
        let rounds = 200
        let thrown = await onThread {
            (0..<rounds).count { round in
                if round == rounds - 1 { trial.failing.withLock { $0 = failing } }
                do throws(InferenceError) {
                    try crew.compute(8) { piece, hand throws(InferenceError) in
                        try trial.compute(piece, by: hand)
                    }
                    return false
                } catch { return true }
            }
        }
        crew.letHelpersGo()
        await helped
        #expect(thrown == 1)
        let done = trial.done.withLock { $0 }
        #expect(done.indices.allSatisfy { done[$0] == ($0 == failing ? rounds - 1 : rounds) })
        #expect(trial.hands.withLock { $0 }.allSatisfy { $0 < hands })
    }

    private final class Trial: Sendable {
        let failing = Mutex<Int?>(nil)
        let done = Mutex([Int](repeating: 0, count: 8))
        let hands = Mutex<Set<Int>>([])

        func compute(_ piece: Int, by hand: Int) throws(InferenceError) {
            hands.withLock { _ = $0.insert(hand) }
            if failing.withLock({ $0 == piece }) { throw InferenceError(.runFailed, "as wanted") }
            done.withLock { $0[piece] += 1 }
        }
    }
}
