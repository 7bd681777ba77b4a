import Inference
import Realtime
import Streaming
import TestSupport
import Testing

@testable import NeuralSynth

@Suite("Instruments with a prior each on one decoder")
struct SharedDecoderTests {
    /// `sine` and `soft` share a prior, `sway` has one of its own.
    private let instruments: [NeuralInstrument]
    private var configuration = NeuralSynthConfiguration()

    init() throws {
        instruments = try ModelFolder.fixtures.instruments(["sine", "sway", "soft"])
        configuration.channelInstruments = (0..<16).map { $0 % 3 }
    }

    /// One note on each of some channels, so that each is the first of its channel whoever plays beside it.
    private struct Note {
        let channel, key: UInt8
        let start: Int
    }

    private func render(_ notes: [Note]) throws -> [Float] {
        var song = Song()
        for note in notes {
            song.note(note.key, from: note.start, to: note.start + 7_000, channel: note.channel)
        }
        return try song.render(instruments, configuration: configuration, endSample: 12_000).left
    }

    @Test func theyAreOneGroup() throws {
        func groups(_ instruments: [NeuralInstrument]) throws -> Int {
            try NeuralVoiceRenderer(
                instruments: instruments, configuration: configuration, trackCount: 4, latencySamples: 512
            ).groups.count
        }
        #expect(try groups(instruments) == 1)
        let others = try ModelFolder.fixtures.instruments(["sway"])
        #expect(try groups(instruments + others) == 2, "a decoder that is opened twice is two decoders")
    }

    @Test(arguments: [(0, 1), (1, 2), (2, 0), (1, 4)]) func aNoteIsBitForBitTheNoteAlone(
        _ first: UInt8, _ second: UInt8
    ) throws {
        let notes = [
            Note(channel: first, key: 60, start: 100), Note(channel: second, key: 67, start: 100),
        ]
        let both = try render(notes)
        let apart = try notes.map { try render([$0]) }
        for sound in apart { #expect(sound.contains { abs($0) > 0.01 }) }
        #expect(both == zip(apart[0], apart[1]).map { $0 + $1 })
    }

    @Test func aFullBatchIsTheSumOfItsNotes() throws {
        var generator = SeededGenerator.announced()
        let notes = (UInt8(0)..<16).map {
            Note(
                channel: $0, key: UInt8.random(in: 40...90, using: &generator),
                start: 128 * Int.random(in: 0..<8, using: &generator))
        }
        var sum = [Float](repeating: 0, count: 12_000)
        for note in notes { for (i, sample) in try render([note]).enumerated() { sum[i] += sample } }
        let together = try render(notes)
        for i in sum.indices { #expect(abs(together[i] - sum[i]) < 1e-5) }
    }
}

@Suite("A note's columns")
struct NoteColumnsTests {
    /// The levels of one note after another, as `sway` plays them: ¼ · (1 + temperature · (variation − ½)).
    private func levels(temperature: Float, notes: Int = 48) throws -> [Float] {
        var instrument = try ModelFolder.fixtures.instruments(["sway"])[0]
        instrument.temperature = temperature
        var song = Song()
        for note in 0..<notes {
            song.add(2_400 * note, 0x90, 69, 127)
            // All sound off: the next note is heard alone.
            song.add(2_400 * note + 1_200, 0xB0, 120, 0)
        }
        let sound = try song.render([instrument], endSample: 2_400 * notes).left
        // 1200 samples of 440 Hz hold eleven whole periods: the last four are steady.
        return (0..<notes).map { note in
            let steady = sound[(2_400 * note + 764)..<(2_400 * note + 1_200)]
            let power = steady.reduce(0) { $0 + $1 * $1 } / Float(steady.count)
            return (2 * power).squareRoot() / instrument.gain
        }
    }

    @Test func theVariationIsDrawnForEachNoteAndRepeats() throws {
        let levels = try levels(temperature: 1)
        let variations = levels.map { 4 * $0 - 0.5 }
        #expect(variations.allSatisfy { (-0.01...1.01).contains($0) }, "\(variations)")
        #expect(Set(variations.map { Int($0 * 1000) }).count > 40, "no two notes alike")
        // The mean of 48 uniform numbers has a standard deviation of 1 / √(12 · 48).
        let mean = variations.reduce(0, +) / 48
        #expect(abs(mean - 0.5) < 4 / 24)
        #expect(variations.min()! < 0.2 && variations.max()! > 0.8)
        #expect(try self.levels(temperature: 1) == levels)
    }

    @Test func theTemperatureScalesWhatTheVariationDoes() throws {
        for level in try levels(temperature: 0, notes: 12) { #expect(abs(level - 0.25) < 1e-3) }
        let (cold, hot) = (try levels(temperature: 0.5, notes: 12), try levels(temperature: 2, notes: 12))
        for (cold, hot) in zip(cold, hot) {
            let (less, more) = (cold - 0.25, hot - 0.25)
            #expect(abs(more - 4 * less) < 4e-3)
        }
    }

    @Test func anInstrumentThatItsPriorDoesNotKnowIsRefused() throws {
        func refusal(_ instrument: NeuralInstrument) -> NeuralSynthError? {
            #expect(throws: NeuralSynthError.self) {
                _ = try NeuralVoiceRenderer(
                    instruments: [instrument], configuration: NeuralSynthConfiguration(), trackCount: 4,
                    latencySamples: 512)
            }
        }
        let instruments = try ModelFolder.fixtures.instruments(["sine", "sway"])
        var nameless = instruments[0]
        nameless.priorInstrument = nil
        #expect(refusal(nameless)?.code == .missingColumn)
        #expect(refusal(nameless)?.message.contains("sine, soft") == true)
        var named = instruments[1]
        named.priorInstrument = "sway"
        #expect(refusal(named)?.code == .missingColumn)
        #expect(refusal(named)?.message.contains("instrument.sway") == true)
        var unfilled = instruments[1]
        unfilled.prior = NeuralPrior(
            session: unfilled.prior.session,
            description: PriorDescription(
                columns: ["pitch", "velocity", "secondsOn", "secondsOff", "variation", "brightness"],
                latentSize: 128))
        #expect(refusal(unfilled)?.code == .unknownColumn)
        #expect(refusal(unfilled)?.message.contains("brightness") == true)
    }
}

@Suite(
    "The worker",
    .enabled(if: allocationsCanBeCounted, "allocations are counted with glibc and without sanitizers"))
struct WorkerAllocationTests {
    /// One voice of each of two instruments that share a decoder, in the middle of their notes.
    @Test func aSliceAllocatesNothingOnOurSide() throws {
        let instruments = try ModelFolder.fixtures.instruments(["sine", "sway"])
        var configuration = NeuralSynthConfiguration()
        configuration.channelInstruments = (0..<16).map { $0 % 2 }
        let renderer = try NeuralVoiceRenderer(
            instruments: instruments, configuration: configuration, trackCount: 4, latencySamples: 512)
        for (track, instrument) in [(Int32(0), Int32(0)), (1, 1)] {
            _ = unsafe renderer.tracks.commands.pointee.push(
                .start(
                    time: 0, track: track, channel: UInt8(track), key: 60, velocity: 100,
                    instrument: instrument, noteCount: 1, age: 0))
        }
        let slices = 100
        try renderer.render(until: 40 * renderer.sliceSamples)
        let ours = try allocations { () throws(InferenceError) in
            try renderer.render(until: (40 + slices) * renderer.sliceSamples)
        }
        let decoder = try bind(instruments[0].decoder.session)
        let sine = try bind(instruments[0].prior.session)
        let sway = try bind(instruments[1].prior.session)
        let bare = try allocations {
            for _ in 0..<slices {
                _ = try (sine.bareNanoseconds(1), sway.bareNanoseconds(1), decoder.bareNanoseconds(1))
            }
        }
        #expect(ours - bare == 0, "ours \(ours), bare \(bare)")
    }

    /// Two voices of two slots each; of a prior's, two rows. Run before, because a first run allocates more.
    private func bind(_ session: Session) throws -> BoundRun {
        let sizes = ["batch": 2, "slots": 2, "frames": 16, "samples": 256]
        func bindings(_ infos: [TensorInfo]) -> [BoundRun.Binding] {
            infos.map { info in
                let shape = info.shape.map {
                    if case .fixed(let size) = $0 { size } else { sizes[$0.description] ?? 1 }
                }
                return .init(name: info.name, shape: shape, buffer: TensorBuffer(count: shape.reduce(1, *)))
            }
        }
        let run = try BoundRun(session, inputs: bindings(session.inputs), outputs: bindings(session.outputs))
        _ = try run.bareNanoseconds(20)
        return run
    }
}
