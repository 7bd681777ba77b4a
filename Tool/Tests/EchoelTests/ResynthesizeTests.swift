import Foundation
import MusicIO
import Testing

@testable import echoel

@Suite("Resynthesizing recordings")
struct ResynthesizeTests {
    private let folder: TemporaryFolder
    private var tool = Tool()

    init() throws {
        folder = try TemporaryFolder()
        // The engine's fixtures: `sway` has an encoder that hears a sine's level, `sine` has none.
        let models = folder.file("Models")
        try FileManager.default.createDirectory(atPath: models, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: "\(models)/NeuralSynth",
            withDestinationPath: URL(fileURLWithPath: Fixture.path("../../../../Tests/Fixtures"))
                .standardizedFileURL.path)
        tool.environment["ECHOEL_MODELS"] = models
    }

    @discardableResult
    private func record(
        _ name: String, hertz: Double = 375, amplitude: Double = 0.4, frames: Int = 6_000,
        sampleRate: Int = 48_000, channels: [Double] = [1]
    ) throws -> String {
        let path = folder.file(name)
        var writer = try AudioFileWriter(
            path: path, sampleRate: sampleRate, channels: channels.count,
            bitDepth: name.hasSuffix("flac") ? .pcm24 : .float32)
        var samples: [Float] = []
        for frame in 0..<frames {
            let sine = amplitude * sin(2 * .pi * hertz * Double(frame) / Double(sampleRate))
            for channel in channels { samples.append(Float(channel * sine)) }
        }
        try writer.write(samples.span)
        _ = try writer.finish()
        return path
    }

    private func read(_ path: String) throws -> (samples: [Float], sampleRate: Int, channels: Int) {
        var reader = try AudioFileReader(path: path)
        return (try reader.readAll(), reader.sampleRate, reader.channels)
    }

    /// The amplitude of a sine in a range of samples.
    private func amplitude(_ samples: ArraySlice<Float>) -> Double {
        (2 * samples.reduce(0) { $0 + Double($1 * $1) } / Double(samples.count)).squareRoot()
    }

    private func names(_ subfolder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.file(subfolder)).sorted()
    }

    @Test("gives a sine back in time, as loud and as long")
    func sine() throws {
        let recording = try record("note.wav", frames: 6_100)
        let out = folder.file("again.wav")
        let outcome = try tool.run(
            "resynthesize", recording, "--instrument", "sway", "--hertz", "375", "--out", out, "--json")
        #expect(outcome.code == 0, "\(outcome.errors)")
        let sound = try read(out)
        #expect(sound.sampleRate == 48_000 && sound.channels == 1)
        #expect(sound.samples.count == 6_100)
        // From the third frame's start on the level is the recording's: the encoder remembers one frame.
        let original = try read(recording).samples
        for n in 4_096..<5_000 { #expect(abs(sound.samples[n] - original[n]) < 0.03, "sample \(n)") }
        let report = try outcome.json()
        #expect(report["instrument"] as? String == "sway")
        #expect(report["sampleRate"] as? Int == 48_000)
        #expect(try #require(report["realTimeFactor"] as? Double) > 0)
        let note = try #require((report["notes"] as? [[String: Any]])?.first)
        #expect(note["file"] as? String == out)
        #expect(note["recording"] as? String == recording)
        #expect(note["hertz"] as? Double == 375)
        #expect(abs(try #require(note["seconds"] as? Double) - 6_100.0 / 48_000) < 1e-5)
        let peak = sound.samples.map(\.magnitude).max() ?? 0
        #expect(abs(try #require(note["peak"] as? Double) - Double(peak)) < 1e-6)
        #expect(try folder.names == ["Models", "again.wav", "note.wav"])
    }

    @Test("takes a key between two keys")
    func fractionalKey() throws {
        #expect(abs(NoteJob.hertz(key: 69.12) / 440 - pow(2, 0.01)) < 1e-12)
        let recording = try record("note.wav")
        for (option, value, name) in [("--key", "69.5", "key.wav"), ("--hertz", "452.892984", "hertz.wav")] {
            let outcome = try tool.run(
                "resynthesize", recording, "--instrument", "sway", option, value, "--out", folder.file(name))
            #expect(outcome.code == 0, "\(outcome.errors)")
        }
        let (key, hertz) = (try read(folder.file("key.wav")), try read(folder.file("hertz.wav")))
        for (a, b) in zip(key.samples, hertz.samples) { #expect(abs(a - b) < 1e-3) }
    }

    @Test("mixes channels to one and brings every rate to the models'")
    func rates() throws {
        try record("a.flac", sampleRate: 44_100)
        try record("b.wav", frames: 12_000, sampleRate: 96_000, channels: [1.5, 0.5])
        let outcome = try tool.run(
            "resynthesize", folder.file("a.flac"), folder.file("b.wav"), "--instrument", "sway", "--hertz",
            "375", "--out", folder.file("out"))
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(try names("out") == ["a.wav", "b.wav"])
        for (name, count) in [("a", 6_531), ("b", 6_000)] {
            let sound = try read(folder.file("out/\(name).wav"))
            #expect(sound.sampleRate == 48_000 && sound.channels == 1)
            #expect(sound.samples.count == count)
            #expect(abs(amplitude(sound.samples[3_968..<4_096]) - 0.4) < 0.01)
        }
    }

    @Test("plays each recording at its own pitch, more of them than a batch holds, as it plays it alone")
    func several() throws {
        let count = 11
        var recordings: [String] = []
        var arguments = ["--instrument", "sway", "--out", folder.file("out")]
        for index in 0..<count {
            recordings.append(
                try record("\(index).wav", amplitude: 0.05 * Double(index + 1), frames: 2_000 + 700 * index))
            arguments += ["--key", "\(60 + Double(index) / 4)"]
        }
        let outcome = try tool.run(["resynthesize"] + recordings + arguments + ["--json"])
        #expect(outcome.code == 0, "\(outcome.errors)")
        let notes = try #require(try outcome.json()["notes"] as? [[String: Any]])
        #expect(notes.map { $0["recording"] as? String } == recordings)
        for index in [0, 7, 8, 10] {
            let alone = folder.file("alone.wav")
            let one = try tool.run(
                "resynthesize", recordings[index], "--instrument", "sway", "--key",
                "\(60 + Double(index) / 4)", "--out", alone)
            #expect(one.code == 0, "\(one.errors)")
            let (a, b) = (try read(alone).samples, try read(folder.file("out/\(index).wav")).samples)
            #expect(a.count == b.count)
            for (a, b) in zip(a, b) { #expect(abs(a - b) <= 1e-5) }
        }
    }

    @Test("takes the notes from a list, whose paths start where it says")
    func list() throws {
        try FileManager.default.createDirectory(
            atPath: folder.file("set"), withIntermediateDirectories: true)
        try record("set/a.wav")
        let absolute = try record("b.wav")
        func write(_ text: String) throws -> String {
            try folder.write("set/notes.json", Array(text.utf8))
        }
        let named = try write(
            #"[{"file": "a.wav", "key": 60.12, "out": "first.wav", "velocity": 80}, {"file": "\#(absolute)", "hertz": 375, "out": "\#(folder.file("c.wav"))"}]"#
        )
        let outcome = try tool.run("resynthesize", "--list", named, "--instrument", "sway", "--json")
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(try names("set") == ["a.wav", "first.wav", "notes.json"])
        #expect(try folder.names == ["Models", "b.wav", "c.wav", "set"])
        let notes = try #require(try outcome.json()["notes"] as? [[String: Any]])
        #expect(abs(try #require(notes[0]["hertz"] as? Double) - 263.446) < 1e-3)

        let gathered = try write(
            #"[{"file": "a.wav", "key": 60}, {"file": "\#(absolute)", "key": 61, "out": "x.wav"}]"#)
        let second = try tool.run(
            "resynthesize", "--list", gathered, "--instrument", "sway", "--out", folder.file("out/deep"))
        #expect(second.code == 0, "\(second.errors)")
        #expect(try names("out/deep") == ["a.wav", "x.wav"])
    }

    static let wrongLists: [(text: String, word: String)] = [
        ("", "it is not JSON"), ("{}", "notes: an array is expected"), ("[]", "lists no notes"),
        (#"[{"key": 60}]"#, "notes[0].file is missing"),
        (#"[{"file": "a.wav", "key": "C4"}]"#, "notes[0].key: a number is expected"),
        (
            #"[{"file": "a.wav", "key": 60, "out": "b.wav"}, {"file": "a.wav"}]"#,
            "notes[1] has neither key nor hertz"
        ),
        (#"[{"file": "a.wav", "key": 60, "hertz": 440}]"#, "notes[0] has both"),
        (#"[{"file": "a.wav", "key": 128}]"#, "notes[0].key: 128.0 is not a MIDI key"),
        (#"[{"file": "a.wav", "hertz": 0}]"#, "notes[0].hertz: 0.0 is not a frequency"),
        (#"[{"file": "a.wav", "key": 60}]"#, "notes[0] has no out"),
        (#"[{"file": "a.wav", "key": 60, "out": "b.flac"}]"#, "does not end in .wav"),
        (#"[{"file": "a.wav", "key": 60, "out": "a.wav"}]"#, "one of the recordings"),
        (
            #"[{"file": "a.wav", "key": 60, "out": "b.wav"}, {"file": "c.wav", "key": 60, "out": "./b.wav"}]"#,
            "would both be written"
        ),
    ]

    @Test("refuses a list that is wrong and names the place", arguments: wrongLists)
    func wrongList(_ list: (text: String, word: String)) throws {
        try record("a.wav")
        try record("c.wav")
        let path = try folder.write("notes.json", Array(list.text.utf8))
        let outcome = try tool.run("resynthesize", "--list", path, "--instrument", "sway")
        #expect(outcome.code == 1)
        #expect(outcome.errors.contains(list.word), "\(outcome.errors)")
        #expect(outcome.errors.split(separator: "\n").count == 1)
        #expect(try folder.names == ["Models", "a.wav", "c.wav", "notes.json"])
    }

    @Test("refuses what is no recording, and leaves nothing")
    func unreadable() throws {
        try record("silent.wav", frames: 0)
        _ = try folder.write("empty.wav", [])
        _ = try folder.write("text.wav", Array("not a sound".utf8))
        // A float file whose 50th frame is not a number.
        let path = try record("nan.wav", frames: 100)
        var bytes = try Fixture.bytes(path)
        bytes.replaceSubrange((bytes.count - 200)..<(bytes.count - 196), with: [0, 0, 0xC0, 0x7F])
        _ = try folder.write("nan.wav", bytes)
        let before = try folder.names
        for (name, word) in [
            ("none.wav", "none.wav"), ("silent.wav", "holds no sound"), ("empty.wav", "empty"),
            ("text.wav", "text.wav"), ("nan.wav", "not a finite number"),
        ] {
            let outcome = try tool.run(
                "resynthesize", folder.file(name), "--instrument", "sway", "--key", "60", "--out",
                folder.file("out.wav"))
            #expect(outcome.code == 1, "\(name)")
            #expect(outcome.errors.contains(word), "\(outcome.errors)")
            #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
            #expect(try folder.names == before)
        }
    }

    @Test("says that an instrument has no encoder")
    func noEncoder() throws {
        let recording = try record("note.wav")
        let outcome = try tool.run(
            "resynthesize", recording, "--instrument", "sine", "--key", "60", "--out", folder.file("out.wav"))
        #expect(outcome.code == 1)
        #expect(outcome.errors.contains("The instrument sine has no encoder"), "\(outcome.errors)")
        #expect(try folder.names == ["Models", "note.wav"])
    }
}
