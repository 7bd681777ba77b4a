import Foundation
import Testing

@Suite("The command line")
struct CommandLineTests {
    static let commands = [
        "render", "play", "effect", "devices", "resynthesize", "instruments", "inspect", "run", "bench",
        "runtime", "doctor",
    ]

    @Test("says its version")
    func version() throws {
        let outcome = try Tool().run("--version")
        #expect(outcome.code == 0)
        #expect(outcome.output.hasPrefix("echoel "))
    }

    @Test("has help with an example for every command", arguments: commands)
    func help(_ command: String) throws {
        let outcome = try Tool().run(command, "--help")
        #expect(outcome.code == 0)
        #expect(outcome.errors.isEmpty)
        #expect(outcome.output.contains("Example: "))
        #expect(outcome.output.contains("echoel \(command)"))
        #expect(outcome.output.contains("--json"))
    }

    @Test("exits with 64 and says how when used wrongly")
    func usage() throws {
        let wrong: [[String]] = [
            ["sing"], ["render"], ["render", "a.mid"], ["render", "a.mid", "--out", "a.mp3"],
            ["render", "a.mid", "--out", "a.wav", "--sample-rate", "22050"],
            ["render", "a.mid", "--out", "a.wav", "--voices", "65"],
            ["render", "a.mid", "--out", "a.wav", "--block", "0"],
            ["render", "a.mid", "--out", "a.wav", "--threads", "0"],
            ["render", "a.mid", "--out", "a.wav", "--gain", "nan"],
            ["render", "a.mid", "--out", "a.wav", "--instrument", "17=hiss"],
            ["render", "a.mid", "--out", "a.wav", "--instrument", "hiss,"],
            ["play", "a.mid", "b.mid"], ["play", "--voices", "0"], ["play", "--look-ahead", "-1"],
            ["play", "--look-ahead", "65537"], ["play", "--seconds", "0"], ["play", "--gain", "nan"],
            ["play", "--instrument", "17=hiss"], ["play", "--threads", "65"],
            ["effect"], ["effect", "m.onnx", "a.wav"], ["effect", "m.onnx", "--out", "b.wav"],
            ["effect", "m.onnx", "a.wav", "--out", "b.mp3"], ["effect", "m.onnx", "--hop", "0"],
            ["effect", "m.onnx", "a.wav", "-o", "b.wav", "--seconds", "3"],
            ["effect", "m.onnx", "--channels", "17"], ["effect", "m.onnx", "--work", "0"],
            ["effect", "m.onnx", "--workers", "65"], ["effect", "m.onnx", "--concealment", "loud"],
            ["effect", "m.onnx", "--seconds", "nan"], ["effect", "m.onnx", "--threads", "0"],
            ["resynthesize", "a.wav", "--key", "60", "--out", "b.wav"],
            ["resynthesize", "--instrument", "sway", "--key", "60", "--out", "b.wav"],
            ["resynthesize", "a.wav", "--instrument", "sway", "--key", "60"],
            ["resynthesize", "a.wav", "--instrument", "sway", "--out", "b.wav"],
            ["resynthesize", "a.wav", "--instrument", "sway", "--key", "128", "--out", "b.wav"],
            ["resynthesize", "a.wav", "--instrument", "sway", "--hertz", "nan", "--out", "b.wav"],
            [
                "resynthesize", "a.wav", "--instrument", "sway", "--key", "60", "--hertz", "9", "--out",
                "b.wav",
            ],
            ["resynthesize", "a.wav", "--instrument", "sway", "--key", "60", "--out", "b.flac"],
            ["resynthesize", "a.wav", "c.wav", "--instrument", "sway", "--key", "60", "--out", "b.wav"],
            ["resynthesize", "a.wav", "c.wav", "d.wav", "--instrument", "sway"]
                + ["--key", "60", "--key", "61", "--out", "b"],
            ["resynthesize", "a.wav", "--list", "l.json", "--instrument", "sway", "--out", "b"],
            ["resynthesize", "--list", "l.json", "--instrument", "sway", "--key", "60", "--out", "b"],
            ["bench", "m.onnx", "--batch", "0"], ["bench", "m.onnx", "--seconds", "-1"],
            ["bench", "m.onnx", "--dim", "slots"], ["bench", "m.onnx", "--providers", "tpu"],
            ["bench", "m.onnx", "--chart", "c.svg"], ["bench", "m.onnx", "--precision", "bf16"],
            ["bench", "m.onnx", "--device", "gpu"],
            ["run", "m.onnx", "--acceleration", "tensorRT", "--precision", "bf16"],
            ["bench", "m.onnx", "--providers", "all", "--acceleration", "cuda"],
            ["bench", "m.onnx", "--dim", "slots=2", "--dim", "slots=3"],
            ["bench", "m.onnx", "--dim", "batch=2"],
            ["bench", "m.onnx", "--startup", "--threads", "2"],
            ["bench", "m.onnx", "--startup", "--providers", "all"],
            ["run", "m.onnx", "--input", "x"], ["run", "m.onnx", "--output", "=y.npy"],
            ["run", "m.onnx", "--output", "a=y.npy", "--output", "b=y.npy"], ["instruments", "--yaml"],
            ["runtime", "install"], ["runtime", "install", "cpu", "--from", "a.whl", "--index", "i"],
        ]
        for arguments in wrong {
            let outcome = try Tool().run(arguments)
            #expect(outcome.code == 64, "\(arguments)")
            #expect(outcome.output.isEmpty, "\(arguments)")
            #expect(outcome.errors.hasPrefix("Error: "), "\(arguments): \(outcome.errors)")
        }
    }

    @Test("exits with 1 and one sentence when something fails")
    func failures() throws {
        let folder = try TemporaryFolder()
        let empty = try folder.write("empty.onnx", [])
        let noise = try folder.write("noise.mid", (0..<500).map { UInt8(truncatingIfNeeded: $0 * 73) })
        let failing: [[String]] = [
            ["inspect", "/nowhere.onnx"], ["inspect", empty], ["inspect", noise], ["inspect", folder.path],
            ["bench", "/nowhere.onnx"], ["run", empty, "--output", "y=y.npy"],
            ["render", "/nowhere.mid", "--out", folder.file("a.wav")],
            ["render", noise, "--out", folder.file("a.wav")],
            ["render", empty, "--out", folder.file("a.wav")], ["instruments", "--models", "/nowhere"],
            ["instruments", "--models", folder.path], ["play", "/nowhere.mid"], ["play", noise],
            ["play", "--models", "/nowhere"], ["effect", "/nowhere.onnx"], ["effect", empty],
            ["effect", Fixture.path("doubler.onnx")],
        ]
        for arguments in failing {
            let outcome = try Tool().run(arguments)
            #expect(outcome.code == 1, "\(arguments): \(outcome.errors)")
            #expect(outcome.output.isEmpty, "\(arguments)")
            #expect(outcome.errors.hasPrefix("echoel: "), "\(arguments): \(outcome.errors)")
            #expect(outcome.errors.split(separator: "\n").count == 1, "\(arguments): \(outcome.errors)")
        }
        #expect(try folder.names == ["empty.onnx", "noise.mid"])
    }

    @Test("without a JACK server says how to start one")
    func noServer() throws {
        var tool = Tool()
        tool.environment["JACK_DEFAULT_SERVER"] = "echoel-none"
        let playing = try tool.run("play")
        #expect(playing.code == 1 && playing.output.isEmpty)
        #expect(playing.errors.contains("jackd") || playing.errors.contains("libjack"))
        let effect = try tool.run("effect", Fixture.engine("echo_effect.onnx"))
        #expect(effect.code == 1 && effect.output.isEmpty)
        #expect(effect.errors.contains("jackd") || effect.errors.contains("libjack"))
        let devices = try tool.run("devices", "--json")
        #expect(devices.code == 0)
        #expect(try devices.json()["isRunning"] as? Bool == false)
        #expect((try devices.json()["problem"] as? String)?.isEmpty == false)
    }

    @Test("without ONNX Runtime says where to get it")
    func noRuntime() throws {
        let folder = try TemporaryFolder()
        var tool = Tool()
        for path in [folder.path, try folder.write("libonnxruntime.so", Array("not a library".utf8))] {
            tool.environment["ECHOEL_ONNXRUNTIME"] = path
            let outcome = try tool.run("inspect", Fixture.path("doubler.onnx"))
            #expect(outcome.code == 1)
            #expect(outcome.errors.contains("script/bootstrap"))
            let doctor = try tool.run("doctor", "--json")
            #expect(doctor.code == 1)
            let checks = try #require(try doctor.json()["checks"] as? [[String: Any]])
            let runtime = try #require(checks.first { $0["name"] as? String == "onnxruntime" })
            #expect(runtime["ok"] as? Bool == false)
            #expect((runtime["fix"] as? String)?.contains("script/bootstrap") == true)
        }
    }

    @Test("writes nothing but text into a pipe")
    func noColours() throws {
        for arguments in [
            ["doctor"], ["instruments"], ["inspect", Fixture.path("doubler.onnx")], ["--help"],
        ] {
            let outcome = try Tool().run(arguments)
            #expect(!(outcome.output + outcome.errors).contains("\u{1B}"))
        }
    }

    @Test("completes itself in three shells")
    func completion() throws {
        for shell in ["bash", "zsh", "fish"] {
            let outcome = try Tool().run("--generate-completion-script", shell)
            #expect(outcome.code == 0)
            #expect(outcome.output.contains("instruments"))
        }
    }

    #if os(Linux)
        @Test("says when its result finds no room")
        func fullOutput() throws {
            let folder = try TemporaryFolder()
            let process = Process()
            process.executableURL = Tool.executable
            process.arguments = ["instruments", "--json"]
            process.environment = Tool().environment
            process.standardOutput = FileHandle(forWritingAtPath: "/dev/full")
            let errors = try folder.write("errors", [])
            process.standardError = FileHandle(forWritingAtPath: errors)
            try process.run()
            process.waitUntilExit()
            #expect(process.terminationStatus == 1)
            #expect(String(decoding: try Fixture.bytes(errors), as: UTF8.self).hasPrefix("echoel: "))
        }
    #endif
}
