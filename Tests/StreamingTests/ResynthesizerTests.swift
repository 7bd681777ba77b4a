import Foundation
import Inference
import NeuralSynth
import Signal
import Streaming
import TestSupport
import Testing

@Suite("Resynthesis")
struct ResynthesizerTests {
    private func sine(_ hertz: Double, amplitude: Double, samples: Int) -> [Float] {
        (0..<samples).map { Float(amplitude * sin(2 * .pi * hertz * Double($0) / 48_000)) }
    }

    private func largestDifference(_ a: [Float], _ b: [Float]) -> Float {
        #expect(a.count == b.count)
        return zip(a, b).map { abs($0 - $1) }.max() ?? 0
    }

    /// The fixtures' encoder hears a frame's amplitude and takes the mean of it and the one before; their decoder plays
    /// a sine of that level, a slot late.
    @Test func aSineComesBackInTimeAtItsPitchAndLevel() throws {
        let resynthesizer = try ModelFolder.fixtures.resynthesizer(of: "sway")
        #expect(resynthesizer.sampleRate == 48_000)
        // 375 Hz are a whole period a slot, and 16 a frame.
        let samples = 3 * 2048 + 700
        let amplitude = 0.4
        let sound = try resynthesizer.resynthesize([
            .init(audio: sine(375, amplitude: amplitude, samples: samples), hertz: 375)
        ])[0]
        #expect(sound.count == samples)
        // The last frame is silent but for its first 700 samples, 5.47 periods.
        let rest = sine(375, amplitude: amplitude, samples: samples)[(3 * 2048)...]
        let last = (2 * rest.reduce(0) { $0 + Double($1 * $1) } / 2048).squareRoot()
        let latents = [0, amplitude / 2, amplitude, amplitude, (amplitude + last) / 2]
        for n in 0..<samples {
            let (frame, way) = (n / 2048, Double(n % 2048 + 1) / 2048)
            let level = latents[frame] + (latents[frame + 1] - latents[frame]) * way
            let expected = level * sin(2 * .pi * 375 * Double(n) / 48_000)
            #expect(abs(Double(sound[n]) - expected) < 1e-4, "sample \(n)")
        }
    }

    @Test func aNoteIsAsLongAsItsRecordingAndTheSameInABatch() throws {
        for (folder, instrument) in [(ModelFolder.fixtures, "sway"), (.shipped, "strings")] {
            let resynthesizer = try folder.resynthesizer(of: instrument)
            let lengths = [0, 1, 127, 1_921, 2_048, 2_049, 4_096, 9_000]
            let notes = lengths.enumerated().map { index, samples in
                let hertz = 220 * pow(2, Double(index) / 4)
                return Resynthesizer.Note(
                    audio: sine(hertz, amplitude: 0.3, samples: samples), hertz: Float(hertz))
            }
            var progress: [Int] = []
            let together = try resynthesizer.resynthesize(notes) { progress.append($0) }
            #expect(together.map(\.count) == lengths)
            #expect(progress == progress.sorted())
            #expect(progress.last == lengths.reduce(0, +))
            for (note, sound) in zip(notes, together) {
                #expect(largestDifference(try resynthesizer.resynthesize([note])[0], sound) <= 1e-5)
            }
        }
    }

    /// In one run of the encoder over the whole recording, and the decoder slot by slot.
    @Test func itIsWhatTheModelsComputeStepByStep() throws {
        let resynthesizer = try ModelFolder.shipped.resynthesizer(of: "strings")
        let hertz: Float = 261.6
        var recording = [Float](repeating: 0, count: 7_000)
        for partial in 1...6 {
            let tone = sine(Double(partial) * 261.6, amplitude: 0.2 / Double(partial), samples: 7_000)
            for i in tone.indices { recording[i] += tone[i] }
        }
        let sound = try resynthesizer.resynthesize([.init(audio: recording, hertz: hertz)])[0]

        let encoder = try ModelFolder.shipped.encoder(of: "strings")
        let frames = (recording.count + 2047) / 2048
        let padded = recording + [Float](repeating: 0, count: frames * 2048 - recording.count)
        var inputs = zeroStates(encoder.description.states)
        inputs["audio"] = try Tensor(padded, shape: [1, 1, padded.count])
        let latents = try #require(
            encoder.session.run(inputs, outputs: ["latent"])["latent"]?.floats)

        let decoder = try ModelFolder.shipped.decoder(of: "strings")
        var states = zeroStates(decoder.description.states)
        let outputs = ["audio"] + decoder.description.states.map(\.output)
        var audio: [Float] = []
        for slot in 0..<(16 * frames + 1) {
            let (frame, way) = (slot / 16, Float(slot % 16 + 1) / 16)
            /// Zero before the first, the last one held.
            func latent(_ frame: Int, _ i: Int) -> Float {
                frame < 0 ? 0 : latents[i * frames + min(frame, frames - 1)]
            }
            var inputs = states
            let line = (0..<128).map {
                latent(frame - 1, $0) + (latent(frame, $0) - latent(frame - 1, $0)) * way
            }
            let noise = (0..<128).map { CounterNoise(seed: 0).value(at: UInt64(slot * 128 + $0)) }
            inputs["latent"] = try Tensor(line, shape: [1, 128, 1])
            inputs["pitch"] = try Tensor([hertz], shape: [1, 1, 1])
            inputs["noise"] = try Tensor(noise, shape: [1, 16, 8])
            let results = try decoder.session.run(inputs, outputs: outputs)
            audio += try #require(results["audio"]?.floats)
            for state in decoder.description.states { states[state.input] = results[state.output] }
        }
        let delay = decoder.description.delaySamples
        #expect(sound.contains { abs($0) > 0.01 })
        #expect(largestDifference(sound, Array(audio[delay..<(delay + recording.count)])) < 1e-4)
    }

    /// The fixtures' decoder plays a sine whose level is channel 0 of the latent.
    @Test func aNotesOwnChannelsAreNotTheEncoders() throws {
        let encoder = try ModelFolder.fixtures.encoder(of: "sway")
        let decoder = try ModelFolder.fixtures.decoder(of: "sway")
        var description = encoder.description
        description.noteChannels = [0]
        let resynthesizer = try Resynthesizer(
            encoder: encoder.session, encoderDescription: description, decoder: decoder.session,
            decoderDescription: decoder.description)
        #expect(resynthesizer.noteChannels == [0])
        let recording = sine(375, amplitude: 0.9, samples: 4_096)
        let latent = [Float](repeating: 0.25, count: description.latentSize)
        let sound = try resynthesizer.resynthesize([.init(audio: recording, hertz: 375, latent: latent)])[0]
        let loudest = sound[256...].map(abs).max() ?? 0
        #expect(abs(loudest - 0.25) < 1e-3)
        description.noteChannels = [description.latentSize]
        #expect(throws: InferenceError.self) {
            _ = try Resynthesizer(
                encoder: encoder.session, encoderDescription: description, decoder: decoder.session,
                decoderDescription: decoder.description)
        }
    }

    private func zeroStates(_ states: [StateDescription]) -> [String: Tensor] {
        Dictionary(
            uniqueKeysWithValues: states.map {
                ($0.input, try! Tensor.zeros(.float32, shape: [1] + $0.shape))
            })
    }

    @Test func modelsThatDoNotFitAreRefused() throws {
        let encoder = try ModelFolder.fixtures.encoder(of: "sway")
        let decoder = try ModelFolder.fixtures.decoder(of: "sway")
        for change in [
            { $0.sampleRate = 44_100 }, { $0.latentSize = 64 }, { $0.latentSamples = 2000 },
        ] as [(inout StreamingEncoderDescription) -> Void] {
            var description = encoder.description
            change(&description)
            let error = #expect(throws: InferenceError.self) {
                _ = try Resynthesizer(
                    encoder: encoder.session, encoderDescription: description, decoder: decoder.session,
                    decoderDescription: decoder.description)
            }
            #expect(error?.code == .invalidArgument)
        }
    }
}
