import Foundation
import NeuralSynth
import TestSupport
import Testing

@Suite("In tune")
struct InTuneTests {
    private let meter = PitchMeter(sampleRate: 48_000)

    private func hertz(_ key: Double) -> Double { 440 * pow(2, (key - 69) / 12) }

    @Test func theMeterFindsAKnownDetuning() {
        for cents in [-30.0, -3, 0, 0.5, 10, 40] {
            let frequency = 220 * pow(2, cents / 1200)
            let tone = (0..<12_000).map { i in
                (1...8).map { Float(sin(2 * .pi * frequency * Double($0 * i) / 48_000) / Double($0)) }.reduce(
                    0, +)
            }
            let measured = meter.cents(of: tone[...], nominal: 220) ?? .nan
            #expect(abs(measured - cents) < 0.2, "\(cents) cents measured as \(measured)")
        }
        #expect(meter.cents(of: [Float](repeating: 0, count: 12_000)[...], nominal: 220) == nil)
    }

    @Test(arguments: ["strings", "trumpet"]) func notesFrom48To84AreInTune(name: String) throws {
        let instruments = try ModelFolder.shipped.instruments([name])
        var errors: [Double] = []
        for key in stride(from: UInt8(48), through: 84, by: 3) {
            var song = Song()
            song.note(key, velocity: 96, from: 0, to: 36_000)
            let sound = try song.render(instruments, endSample: 36_000).left
            let cents = try #require(meter.cents(of: sound[14_400..<33_600], nominal: hertz(Double(key))))
            errors.append(abs(cents))
        }
        errors.sort()
        #expect(errors[errors.count / 2] <= 3, "\(name): median of \(errors) cents")
        #expect(errors[errors.count * 95 / 100] <= 10, "\(name): 95 % of \(errors) cents")
    }

    @Test(arguments: ["strings", "trumpet"]) func bendsOfTwoSemitonesAreInTune(name: String) throws {
        let instruments = try ModelFolder.shipped.instruments([name])
        for (bend, semitones) in [(UInt8(0), -2.0), (UInt8(127), 2.0 * 8064 / 8192), (UInt8(96), 1.0)] {
            var song = Song()
            song.note(65, velocity: 96, from: 0, to: 36_000)
            song.add(4_800, 0xE0, 0, bend)
            let sound = try song.render(instruments, endSample: 36_000).left
            let cents = try #require(
                meter.cents(of: sound[14_400..<33_600], nominal: hertz(65 + semitones)))
            #expect(abs(cents) <= 3, "\(name), \(semitones) semitones: \(cents) cents")
        }
    }
}
