import CRealtime
import Realtime
import TestSupport
import Testing

@Suite("Work rounds")
struct WorkRoundsTests {
    /// Every piece of every round is done exactly once and in its own round, whoever is held up where.
    @Test(.timeLimit(.minutes(2)), arguments: [0, 1, 2, 3])
    func everyPieceIsDoneOnceInItsRound(helpers: Int) async {
        var generator = SeededGenerator.announced()
        let rounds = (0..<3000).map { _ in Int.random(in: 1...9, using: &generator) }
        // In which round each piece was done last, and how often: plain memory, which is the claim.
        let (lastRound, done) = (UnguardedMemory(9, repeating: 0), UnguardedMemory(9, repeating: 0))
        let current = UnguardedMemory(1, repeating: 0)
        let work = Shared(WorkRounds())
        @Sendable func takeAll(slowly: Bool) {
            while let piece = work.value.take() {
                if slowly, piece % 3 == 0 { rt_sleep(20_000) }
                unsafe lastRound.first[piece] = current.first[0]
                unsafe done.first[piece] = done.first[piece] + 1
                work.value.finish()
            }
        }
        async let helped: Void = withTaskGroup(of: Void.self) { group in
            for helper in 0..<helpers {
                group.addTask {
                    await onThread { while work.value.waitForWork() { takeAll(slowly: helper == 1) } }
                }
            }
        }
        let wrong = await onThread {
            var wrong = 0
            var expected = [Int](repeating: 0, count: 9)
            for (number, pieces) in rounds.enumerated() {
                unsafe current.first[0] = number
                work.value.begin(pieces: pieces, waking: min(helpers, pieces - 1))
                takeAll(slowly: number % 100 == 0)
                work.value.waitForTheRest()
                for piece in 0..<9 {
                    if piece < pieces { expected[piece] += 1 }
                    if unsafe done.first[piece] != expected[piece] { wrong += 1 }
                    if piece < pieces, unsafe lastRound.first[piece] != number { wrong += 1 }
                }
            }
            work.value.end(helpers: helpers)
            return wrong
        }
        await helped
        #expect(wrong == 0)
    }
}
