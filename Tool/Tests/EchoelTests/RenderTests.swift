import Foundation
import MusicIO
import Testing

@testable import echoel

@Suite("Rendering a MIDI file")
struct RenderTests {
    /// A song of one track at 120 beats a minute, 480 ticks a beat.
    private func song(_ events: [(seconds: Double, bytes: [UInt8])], endSeconds: Double) -> [UInt8] {
        func variable(_ value: Int) -> [UInt8] {
            var bytes = [UInt8(value & 0x7F)]
            var rest = value >> 7
            while rest > 0 {
                bytes.insert(UInt8(rest & 0x7F) | 0x80, at: 0)
                rest >>= 7
            }
            return bytes
        }
        var track: [UInt8] = []
        var tick = 0
        for (seconds, bytes) in events + [(endSeconds, [0xFF, 0x2F, 0x00])] {
            let next = Int(seconds * 960)
            track += variable(next - tick) + bytes
            tick = next
        }
        let length = (0..<4).reversed().map { UInt8(track.count >> (8 * $0) & 0xFF) }
        return Array("MThd".utf8) + [0, 0, 0, 6, 0, 0, 0, 1, 0x01, 0xE0] + Array("MTrk".utf8) + length + track
    }

    private func piece(channel: UInt8 = 0, program: UInt8? = nil) -> [UInt8] {
        let change = program.map { [(seconds: 0.0, bytes: [0xC0 | channel, $0])] } ?? []
        return song(
            change + [
                (0.25, [0x90 | channel, 60, 100]), (0.25, [0x90 | channel, 64, 100]),
                (0.75, [0x80 | channel, 60, 0]),
                (0.75, [0x80 | channel, 64, 0]),
            ], endSeconds: 2)
    }

    private func samples(_ path: String) throws -> [Float] {
        var reader = try AudioFileReader(path: path)
        return try reader.readAll()
    }

    private func rms(_ samples: ArraySlice<Float>) -> Float {
        (samples.reduce(0) { $0 + $1 * $1 } / Float(samples.count)).squareRoot()
    }

    @Test("reports the keys that others rely on")
    func report() throws {
        let folder = try TemporaryFolder()
        let midi = try folder.write("song.mid", piece())
        let out = folder.file("song.wav")
        let outcome = try Tool().run("render", midi, "--instrument", "hiss", "--out", out, "--json")
        #expect(outcome.code == 0, "\(outcome.errors)")
        let report = try outcome.json()
        #expect(report["file"] as? String == out)
        #expect(report["sampleRate"] as? Int == 48_000)
        #expect(report["notes"] as? Int == 2)
        #expect(report["voicesPeak"] as? Int == 2)
        #expect(try #require(report["realTimeFactor"] as? Double) > 0)
        let sound = try samples(out)
        #expect(abs(try #require(report["seconds"] as? Double) - Double(sound.count / 2) / 48_000) < 1e-6)
        let peak = sound.map(\.magnitude).max() ?? 0
        #expect(abs(Float(try #require(report["peak"] as? Double)) - peak) < 1e-6)
        #expect(peak > 0.01)
        #expect(try folder.names == ["song.mid", "song.wav"])
    }

    @Test("starts a note on its sample and ends it within its release")
    func timing() throws {
        let folder = try TemporaryFolder()
        let midi = try folder.write("song.mid", piece())
        let outcome = try Tool().run("render", midi, "--instrument", "hiss", "--out", folder.file("song.wav"))
        #expect(outcome.code == 0, "\(outcome.errors)")
        let sound = try samples(folder.file("song.wav"))
        #expect(sound[..<(2 * 12_000)].allSatisfy { $0 == 0 })
        #expect(sound[(2 * 12_000)..<(2 * 12_016)].contains { $0 != 0 })
        // Released at 0.75 s, silent 0.1 s later: the file ends there.
        #expect(abs(Double(sound.count) / 2 / 48_000 - 0.85) < 0.001)
        #expect(rms(sound.suffix(200)) < 0.05 * rms(sound[(2 * 20_000)..<(2 * 30_000)]))
    }

    @Test("gives the same bytes for every block size and on every run")
    func repeatable() throws {
        let folder = try TemporaryFolder()
        let midi = try folder.write("song.mid", piece())
        var files: [[UInt8]] = []
        for block in ["64", "333", "4096", "333"] {
            let out = folder.file("\(files.count).wav")
            let outcome = try Tool().run("render", midi, "--out", out, "--block", block)
            #expect(outcome.code == 0, "\(outcome.errors)")
            files.append(try Fixture.bytes(out))
        }
        #expect(files.dropFirst().allSatisfy { $0 == files[0] })
    }

    @Test("follows program changes among the instruments that are loaded, unless a channel is pinned")
    func programs() throws {
        let folder = try TemporaryFolder()
        let midi = try folder.write("song.mid", piece(program: 48))
        func level(_ arguments: String...) throws -> Float {
            let outcome = try Tool().run(["render", midi, "--out", folder.file("a.wav")] + arguments)
            #expect(outcome.code == 0, "\(outcome.errors)")
            return rms(try samples(folder.file("a.wav"))[...])
        }
        let hush = try level("--instrument", "hush")
        let hiss = try level("--instrument", "hiss")
        #expect(abs(hiss / hush - 4) < 0.01)
        #expect(try level() == hush)
        #expect(try level("--instrument", "hiss,hush") == hush)
        #expect(try level("--instrument", "hush,1=hiss") == hiss)
        #expect(try level("--instrument", "hush,2=hiss") == hush)
    }

    @Test("leaves percussion out and says so, unless channel 10 is given an instrument")
    func percussion() throws {
        let folder = try TemporaryFolder()
        let midi = try folder.write("drums.mid", piece(channel: 9, program: 48))
        let out = folder.file("drums.wav")
        let outcome = try Tool().run("render", midi, "--out", out)
        #expect(outcome.code == 1)
        #expect(outcome.errors.contains("channel 10"))
        #expect(try folder.names == ["drums.mid"])
        let pinned = try Tool().run("render", midi, "--instrument", "hush,10=hiss", "--out", out, "--json")
        #expect(pinned.code == 0, "\(pinned.errors)")
        #expect(try pinned.json()["notes"] as? Int == 2)
    }

    @Test("applies the gain in dB, and suggests one when the sound clips")
    func gain() throws {
        let folder = try TemporaryFolder()
        let midi = try folder.write("song.mid", piece())
        func peak(_ gain: String, _ arguments: String...) throws -> (peak: Double, errors: String) {
            let outcome = try Tool().run(
                ["render", midi, "--out", folder.file("a.wav"), "--gain", gain, "--json"] + arguments)
            #expect(outcome.code == 0, "\(outcome.errors)")
            return (try #require(try outcome.json()["peak"] as? Double), outcome.errors)
        }
        let plain = try peak("0")
        #expect(abs(try peak("-6").peak / plain.peak - 0.501187) < 1e-4)
        #expect(!plain.errors.contains("--gain"))
        let loud = try peak("40")
        let suggestion = try #require(loud.errors.firstMatch(of: /--gain (-?[0-9.]+)/)?.1)
        let mended = try peak(String(suggestion))
        #expect(mended.peak < 1)
        #expect(mended.peak > 0.9)
    }

    @Test("writes every rate and both formats, as long as the music")
    func formats() throws {
        let folder = try TemporaryFolder()
        let midi = try folder.write("song.mid", piece())
        for (rate, ending) in [(44_100, "flac"), (48_000, "flac"), (96_000, "wav")] {
            let out = folder.file("\(rate).\(ending)")
            let outcome = try Tool().run("render", midi, "--out", out, "--sample-rate", "\(rate)")
            #expect(outcome.code == 0, "\(outcome.errors)")
            let reader = try AudioFileReader(path: out)
            let (found, channels, frames) = (reader.sampleRate, reader.channels, reader.frames)
            #expect(found == rate)
            #expect(channels == 2)
            #expect(abs(Double(try #require(frames)) / Double(rate) - 0.85) < 0.001)
        }
    }

    @Test("sounds a key that nobody releases until the end of the piece")
    func hanging() throws {
        let folder = try TemporaryFolder()
        let midi = try folder.write("song.mid", song([(0, [0x90, 60, 100])], endSeconds: 1.5))
        let outcome = try Tool().run("render", midi, "--out", folder.file("a.wav"), "--json")
        #expect(abs(try #require(try outcome.json()["seconds"] as? Double) - 1.6) < 0.001)
        let sound = try samples(folder.file("a.wav"))
        #expect(rms(sound[(2 * 70_000)..<(2 * 71_000)]) > 0.001)
    }

    @Test("names the instruments there are when asked for another")
    func unknownInstrument() throws {
        let folder = try TemporaryFolder()
        let midi = try folder.write("song.mid", piece())
        let outcome = try Tool().run("render", midi, "--instrument", "tuba", "--out", folder.file("a.wav"))
        #expect(outcome.code == 1)
        #expect(outcome.errors.contains("hiss, hush"))
        #expect(try folder.names == ["song.mid"])
    }

    @Test("refuses a piece without notes")
    func noNotes() throws {
        let folder = try TemporaryFolder()
        let midi = try folder.write("song.mid", song([], endSeconds: 1))
        let outcome = try Tool().run("render", midi, "--out", folder.file("a.wav"))
        #expect(outcome.code == 1)
        #expect(outcome.errors.contains("no notes"))
        #expect(try folder.names == ["song.mid"])
    }

    @Test("that outgrows what may be written leaves nothing and says so")
    func fileSizeLimit() throws {
        let folder = try TemporaryFolder()
        let midi = try folder.write("song.mid", song([(0, [0x90, 60, 100])], endSeconds: 30))
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        // Blocks of 512 bytes or of a kilobyte: far below 30 seconds of sound either way.
        process.arguments = [
            "-c", "ulimit -f 1000; exec \"$0\" \"$@\"", Tool.executable.path, "render", midi, "--out",
            folder.file("a.wav"),
        ]
        process.environment = Tool().environment
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle(forWritingAtPath: try folder.write("err", []))
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 1)
        let errors = String(decoding: try Fixture.bytes(folder.file("err")), as: UTF8.self)
        #expect(errors.hasPrefix("echoel: "))
        #expect(errors.contains("a.wav"), "\(errors)")
        #expect(try folder.names == ["err", "song.mid"])
    }

    @Test("to a pipe, a folder or a device is refused before anything is opened")
    func irregularTargets() throws {
        let folder = try TemporaryFolder()
        let pipe = folder.file("pipe.wav")
        try #require(unsafe mkfifo(pipe, 0o600) == 0)
        try FileManager.default.createDirectory(
            atPath: folder.file("folder.wav"), withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: folder.file("device.wav"), withDestinationPath: "/dev/null")
        // There is no song: what is said of the target comes first.
        for (name, word) in [("pipe", "pipe"), ("folder", "folder"), ("device", "device")] {
            let outcome = try Tool().run(
                "render", folder.file("none.mid"), "--out", folder.file("\(name).wav"))
            #expect(outcome.code == 1)
            #expect(outcome.errors.contains("\(name).wav"), "\(outcome.errors)")
            #expect(outcome.errors.contains("a \(word)"), "\(outcome.errors)")
        }
        #expect(try folder.names == ["device.wav", "folder.wav", "pipe.wav"])
    }

    @Test("of more than 4 GB is written in the long form of WAV from the start", arguments: [48_000, 96_000])
    func longFile(rate: Int) throws {
        let folder = try TemporaryFolder()
        // 24 bits, two channels: 6 bytes a frame.
        for (frames, form) in [(715_000_000, "RIFF"), (716_000_000, "RF64")] {
            let out = folder.file("\(form).wav")
            var file = try SoundFile(
                path: out, inputRate: 48_000, sampleRate: rate, inputFrames: frames / (rate / 48_000))
            let silence = [Float](repeating: 0, count: 4800)
            try file.write(silence.span, silence.span)
            _ = try file.finish()
            #expect(Array(try Fixture.bytes(out)[..<4]) == Array(form.utf8))
        }
    }

    @Test("tells what was left out, and the remedy that there is")
    func hints() throws {
        #expect(Render.hint(droppedNotes: 0, voices: 64) == nil)
        let some = try #require(Render.hint(droppedNotes: 3, voices: 16))
        #expect(some.contains("3 notes"))
        #expect(some.contains("raise --voices"))
        let all = try #require(Render.hint(droppedNotes: 1, voices: 64))
        #expect(all.contains("1 note "))
        #expect(!all.contains("--voices"))
    }

    @Test("broken off by a signal leaves nothing and ends by it", arguments: [SIGINT, SIGTERM])
    func interrupted(_ signal: Int32) throws {
        let folder = try TemporaryFolder()
        // An hour: nobody waits for its end.
        let midi = try folder.write("song.mid", song([(0, [0x90, 60, 100])], endSeconds: 3600))
        let process = try Tool().start(
            ["render", midi, "--out", folder.file("a.wav")], output: URL(fileURLWithPath: folder.file("out")),
            errors: URL(fileURLWithPath: folder.file("err")))
        while try !folder.names.contains(where: { $0.hasPrefix("a.wav") }), process.isRunning {
            usleep(10_000)
        }
        #expect(process.isRunning)
        kill(process.processIdentifier, signal)
        process.waitUntilExit()
        #expect(Tool.code(of: process) == 128 + signal)
        #expect(try folder.names == ["err", "out", "song.mid"])
    }
}
