import Inference
import Signal
import Streaming
import TestSupport
import Testing

/// The closed form against a clock of samples: blocks, hops, rates, streams, workers and times as they come.
@Suite("Latency of effects")
struct EffectLatencyTests {
    struct Tuple {
        var frames, hop, streams, workers, work: Int
        var vary: Bool
        var rates: RateRatio

        /// One that the workers keep up with.
        init(_ generator: inout SeededGenerator) {
            let audio = [
                (48_000, 44_100), (44_100, 48_000), (96_000, 44_100), (22_050, 48_000), (48_000, 16_000),
            ]
            let pair =
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: (1, 1)
                case 1: audio.randomElement(using: &generator)!
                default: (Int.random(in: 1...9, using: &generator), Int.random(in: 1...9, using: &generator))
                }
            rates = RateRatio(from: pair.0, to: pair.1)
            frames = Int.random(in: 1...300, using: &generator)
            streams = Int.random(in: 1...5, using: &generator)
            workers = Int.random(in: 1...4, using: &generator)
            vary = Bool.random(using: &generator)
            let rounds = (streams + workers - 1) / workers
            // A hop that takes at least as long to come in as there are rounds.
            let least = (rounds * rates.ticksPerInput + rates.ticksPerOutput - 1) / rates.ticksPerOutput
            hop = Int.random(in: least...least + 300, using: &generator)
            work = Int.random(
                in: 1...hop * rates.ticksPerOutput / rates.ticksPerInput / rounds, using: &generator)
        }

        var rounds: Int { (streams + workers - 1) / workers }

        var delay: Int {
            Latency.effectBuffering(blockFrames: frames, hop: hop, blocksVary: vary, rates: rates)
                + Latency.effectLookAhead(
                    workSamples: rounds * work, blockFrames: frames, hop: hop, blocksVary: vary, rates: rates)
        }
    }

    /// Streams that come in together, hop by hop to whichever worker is free, the oldest hop first: how many hops some
    /// block needs that are not done.
    static func missed(_ it: Tuple, delay: Int, blocks: Int, _ generator: inout SeededGenerator) -> Int {
        struct Job {
            let stream, hop: Int
            let due: Int
        }
        var pending: [Job] = []
        var done = [[Int]](repeating: [], count: it.streams)  // when each hop was
        var streamFree = [Int](repeating: 0, count: it.streams)
        var workerFree = [Int](repeating: 0, count: it.workers)
        var (position, missed) = (0, 0)
        for _ in 0..<blocks {
            // The workers begin what they can before the block.
            while true {
                let worker = workerFree.indices.min { workerFree[$0] < workerFree[$1] }!
                let begins = pending.map { max($0.due, streamFree[$0.stream], workerFree[worker]) }
                guard let first = begins.min(), first < position else { break }
                let job = pending.remove(at: begins.firstIndex(of: first)!)
                let end =
                    first
                    + (Bool.random(using: &generator)
                        ? it.work : Int.random(in: 0...it.work, using: &generator))
                (streamFree[job.stream], workerFree[worker]) = (end, end)
                done[job.stream].append(end)
            }
            let frames = it.vary ? Int.random(in: 1...it.frames, using: &generator) : it.frames
            let (before, after) = (
                it.rates.outputs(after: position), it.rates.outputs(after: position + frames)
            )
            if after > before, after - 1 - delay >= 0 {
                let needed = (after - 1 - delay) / it.hop
                for stream in 0..<it.streams
                where done[stream].count <= needed || done[stream][needed] > position {
                    missed += 1
                }
            }
            for hop in before / it.hop..<after / it.hop {
                for stream in 0..<it.streams { pending.append(Job(stream: stream, hop: hop, due: position)) }
            }
            position += frames
        }
        return missed
    }

    @Test func nothingIsMissedAsLongAsNoRunTakesLongerThanSaid() {
        var generator = SeededGenerator.announced()
        for _ in 0..<4000 {
            let tuple = Tuple(&generator)
            let blocks = min(
                400,
                12 * max(1, tuple.hop * tuple.rates.ticksPerOutput / tuple.rates.ticksPerInput / tuple.frames)
                    + 30)
            #expect(Self.missed(tuple, delay: tuple.delay, blocks: blocks, &generator) == 0, "\(tuple)")
        }
    }

    /// The simulation sees what is missed: with half of the look-ahead something is, in most cases.
    @Test func withLessSomethingIsMissed() {
        var generator = SeededGenerator.announced()
        var short = 0
        for _ in 0..<200 {
            let tuple = Tuple(&generator)
            let buffering = Latency.effectBuffering(
                blockFrames: tuple.frames, hop: tuple.hop, blocksVary: tuple.vary, rates: tuple.rates)
            let half = buffering + (tuple.delay - buffering) / 2
            if Self.missed(tuple, delay: half, blocks: 200, &generator) > 0 { short += 1 }
        }
        #expect(short > 120)
    }

    /// Rates that a manifest may claim: what repeats only after millions of hops is bounded, and not tried hop by hop.
    @Test func oddRatesAreBoundedAtOnce() {
        for (sound, model, frames, hop) in [(48_000, 191_999, 8191, 65_535), (44_100, 44_056, 8191, 4099)] {
            let rates = RateRatio(from: sound, to: model)
            func total(varying: Bool) -> Int {
                Latency.effectBuffering(blockFrames: frames, hop: hop, blocksVary: varying, rates: rates)
                    + Latency.effectLookAhead(
                        workSamples: 500, blockFrames: frames, hop: hop, blocksVary: varying, rates: rates)
            }
            #expect(total(varying: false) > 0 && total(varying: false) <= total(varying: true))
        }
    }

    /// What is said of the blocks alone, by trying every block of a period.
    @Test func theBufferingIsTheMostThatABlocksEndIsPastAHop() {
        var generator = SeededGenerator.announced()
        for _ in 0..<300 {
            let it = Tuple(&generator)
            let step = it.vary ? 1 : it.frames
            // The ends of blocks, as remainders of a hop, come again after so many.
            let (l, whole) = (step * it.rates.ticksPerInput, it.hop * it.rates.ticksPerOutput)
            var (most, ticks) = (0, 0)
            repeat {
                ticks = (ticks + l) % whole
                let end = (ticks + it.rates.ticksPerOutput - 1) / it.rates.ticksPerOutput
                if end < it.hop && end > most { most = end }
            } while ticks != 0
            let said = Latency.effectBuffering(
                blockFrames: it.frames, hop: it.hop, blocksVary: it.vary, rates: it.rates)
            #expect(said == most, "\(it)")
        }
    }
}
