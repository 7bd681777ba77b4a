import Foundation
import MusicIO
import Testing

@testable import echoel

@Suite("Sending sound through a model")
struct EffectTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A wave file of what `sound` gives for a channel and a frame.
    private func record(
        _ name: String, sampleRate: Int, channels: Int, frames: Int, sound: (Int, Int) -> Float
    ) throws -> String {
        let path = folder.file(name)
        var writer = try AudioFileWriter(
            path: path, sampleRate: sampleRate, channels: channels, bitDepth: .float32)
        var samples: [Float] = []
        for frame in 0..<frames { for channel in 0..<channels { samples.append(sound(channel, frame)) } }
        try writer.write(samples.span)
        _ = try writer.finish()
        return path
    }

    private func read(_ path: String) throws -> (samples: [Float], sampleRate: Int, channels: Int) {
        var reader = try AudioFileReader(path: path)
        return (try reader.readAll(), reader.sampleRate, reader.channels)
    }

    /// Both channels and their echo 300 samples later, the left half as loud and the right a quarter; every latency, the
    /// model's own too, is trimmed.
    @Test("gives a file that is in time with the one it came from", arguments: [1, 700, 12_345])
    func file(frames: Int) throws {
        func sound(_ channel: Int, _ frame: Int) -> Float {
            frame < 0 ? 0 : Float((frame * (channel + 3)) % 97) / 128
        }
        let input = try record("in.wav", sampleRate: 44_100, channels: 2, frames: frames, sound: sound)
        let (first, second) = (folder.file("a.wav"), folder.file("b.wav"))
        let model = Fixture.engine("echo_effect.onnx")
        let outcome = try Tool().run("effect", model, input, "--out", first, "--json")
        #expect(outcome.code == 0, "\(outcome.errors)")
        let heard = try read(first)
        #expect(heard.sampleRate == 44_100 && heard.channels == 2 && heard.samples.count == 2 * frames)
        for frame in 0..<frames {
            for channel in 0..<2 {
                let both = sound(channel, frame) + sound(channel, frame - 300)
                #expect(heard.samples[2 * frame + channel] == both * (channel == 0 ? 0.5 : 0.25))
            }
        }
        // Again, in other hops: to the bit.
        #expect(try Tool().run("effect", model, input, "-o", second, "--hop", "999").code == 0)
        #expect(try Fixture.bytes(first) == Fixture.bytes(second))
        let report = try outcome.json()
        let parts = ["bufferingSamples", "modelSamples", "lookAheadSamples", "resamplingSamples"].compactMap {
            report[$0] as? Int
        }
        #expect(parts.count == 4 && parts.reduce(0, +) == report["latencySamples"] as? Int)
        #expect(report["modelSamples"] as? Int == 32 && report["channels"] as? Int == 2)
    }

    @Test("resamples where the file has another rate, and runs a mono model for each channel")
    func rates() throws {
        // The pair turns nothing over in the end: half as loud.
        func sine(_ channel: Int, _ frame: Int) -> Float {
            Float(0.5 * sin(2 * .pi * (channel == 0 ? 440 : 1000) * Double(frame) / 44_100))
        }
        let input = try record("in.wav", sampleRate: 44_100, channels: 2, frames: 9_000, sound: sine)
        let out = folder.file("out.wav")
        let outcome = try Tool().run("effect", Fixture.engine("pair_encoder.onnx"), input, "--out", out)
        #expect(outcome.code == 0, "\(outcome.errors)")
        let heard = try read(out)
        #expect(heard.sampleRate == 44_100 && heard.samples.count == 18_000)
        // The ends of the file are steps, which no filter leaves as they are.
        let worst = (500..<8_500).map { frame in
            max(
                abs(heard.samples[2 * frame] - sine(0, frame) / 2),
                abs(heard.samples[2 * frame + 1] - sine(1, frame) / 2))
        }.max()!
        #expect(worst < 1e-4)
    }

    @Test("plays a mono file into every channel of a model that has more")
    func mono() throws {
        let input = try record("in.wav", sampleRate: 44_100, channels: 1, frames: 500) { _, frame in
            Float(frame % 50) / 64
        }
        let out = folder.file("out.flac")
        #expect(try Tool().run("effect", Fixture.engine("echo_effect.onnx"), input, "--out", out).code == 0)
        let heard = try read(out)
        #expect(heard.channels == 2 && heard.samples.count == 1000)
        #expect(heard.samples[2 * 49] == 0.5 * 49 / 64 && heard.samples[2 * 49 + 1] == 0.25 * 49 / 64)
    }

    @Test("says what does not fit, and leaves nothing")
    func misfits() throws {
        let three = try record("three.wav", sampleRate: 44_100, channels: 3, frames: 10) { _, _ in 0 }
        let stereo = try record("stereo.wav", sampleRate: 44_100, channels: 2, frames: 10) { _, _ in 0 }
        let before = try folder.names
        let cases: [(arguments: [String], words: String)] = [
            (["echo_effect.onnx", three], "2 channels"), (["pair_decoder.onnx", stereo], "encoder"),
            (["gain_effect.onnx", stereo], "manifest"), (["sine_decoder.onnx", stereo], "effect"),
            (["pair_encoder.onnx", stereo, "--hop", "100"], "64"),
            (["echo_effect.onnx", "/nowhere.wav"], "/nowhere.wav"),
        ]
        for (arguments, words) in cases {
            let outcome = try Tool().run(
                ["effect", Fixture.engine(arguments[0])] + arguments[1...] + [
                    "--out", folder.file("out.wav"),
                ])
            #expect(outcome.code == 1 && outcome.output.isEmpty, "\(arguments)")
            #expect(outcome.errors.contains(words), "\(arguments): \(outcome.errors)")
            #expect(try folder.names == before)
        }
    }

    @Test("with states of its own can be benched in real time")
    func bench() throws {
        let outcome = try Tool().run(
            "bench", Fixture.engine("echo_effect.onnx"), "--realtime", "--seconds", "0.3", "--work", "100",
            "--json")
        #expect(outcome.code == 0, "\(outcome.errors)")
        let report = try outcome.json()
        // At 48 kHz: 32 samples of the model's own delay, and two filters of 72 samples at 44.1 kHz.
        #expect(report["modelSamples"] as? Int == 35 && report["resamplingSamples"] as? Int ?? 0 > 150)
    }

    @Test("and inspecting it knows the kind")
    func inspect() throws {
        let outcome = try Tool().run("inspect", Fixture.engine("pair_encoder.onnx"), "--json")
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect((try outcome.json()["manifest"] as? [String: Any])?["kind"] as? String == "effect")
    }
}
