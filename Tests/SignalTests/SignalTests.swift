import Signal
import Testing

@Suite("Signal")
struct SignalTests {
    @Test func noiseIsWhiteUniformAndOfUnitVariance() {
        let noise = CounterNoise(seed: 11)
        let count = 100_000
        let values = (0..<count).map { Double(noise.value(at: UInt64($0))) }
        let mean = values.reduce(0, +) / Double(count)
        let variance = values.map { $0 * $0 }.reduce(0, +) / Double(count)
        #expect(abs(mean) < 0.02)
        #expect(abs(variance - 1) < 0.02)
        #expect(values.allSatisfy { abs($0) <= 1.732_051 })
        for lag in [1, 2, 8, 128] {
            let product = (lag..<count).map { values[$0] * values[$0 - lag] }.reduce(0, +) / Double(count)
            #expect(abs(product) < 0.02, "lag \(lag)")
        }
    }

    @Test func noiseOfOtherSeedsIsUnrelated() {
        let (a, b) = (CounterNoise(seed: 1), CounterNoise(seed: 2))
        let product = (0..<100_000).map { Double(a.value(at: $0) * b.value(at: $0)) }.reduce(0, +) / 100_000
        #expect(abs(product) < 0.02)
        #expect(a.value(at: 77) == CounterNoise(seed: 1).value(at: 77))
    }

    @Test func whatIsDrawnOncePerSeedIsUniformFromZeroToOne() {
        let count = 10_000
        // Seeds as notes have them: the count of notes, the channel, the key.
        let values = (1...UInt64(count)).map {
            CounterNoise(seed: $0 << 16 | 3 << 8 | 60).uniform(at: 1 << 63)
        }
        #expect(values.allSatisfy { (0..<1).contains($0) })
        for tenth in 0..<10 {
            let share = values.count { Int($0 * 10) == tenth }
            // Four standard deviations of a binomial distribution.
            #expect(abs(Double(share) - 1_000) < 4 * 30, "\(share) between \(tenth) and \(tenth + 1) tenths")
        }
        #expect(values.max()! > 0.999 && values.min()! < 0.001)
    }

    @Test func aFadeGoesFromOneToZeroWithoutAStep() {
        let fade = Fade(start: 100, length: 240)
        #expect(fade.gain(at: 99) == 1 && fade.gain(at: 100) == 1)
        #expect(fade.gain(at: 340) == 0 && fade.gain(at: 10_000) == 0)
        #expect(fade.end == 340)
        for time in 100..<340 {
            let step = fade.gain(at: time) - fade.gain(at: time + 1)
            // The smoothstep's steepest slope is 1.5 / length.
            #expect(step >= 0 && step <= 1.51 / 240)
        }
        #expect(Fade.never.gain(at: .max - 1) == 1)
    }

    @Test func aRampTurnsAroundWhereItIs() {
        var ramp = Ramp(1, length: 256)
        ramp.move(to: 0, at: 1000)
        #expect(ramp.value(at: 999) == 1 && ramp.value(at: 1128) == 0.5 && ramp.value(at: 1256) == 0)
        ramp.move(to: 1, at: 1128)
        #expect(ramp.value(at: 1128) == 0.5 && ramp.value(at: 1256) == 0.75 && ramp.value(at: 5000) == 1)
    }

    @Test func keysAreEqualTempered() {
        #expect(Pitch.frequency(key: 69) == 440)
        #expect(abs(Pitch.frequency(key: 81) - 880) < 1e-3)
        #expect(abs(Pitch.frequency(key: 60) - 261.6256) < 1e-3)
    }
}
