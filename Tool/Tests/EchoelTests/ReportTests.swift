import Foundation
import Testing

@Suite("What the tool reports")
struct ReportTests {
    @Test("of instruments has the keys that others rely on")
    func instruments() throws {
        let outcome = try Tool().run("instruments", "--json")
        #expect(outcome.code == 0)
        let rows = try #require(try outcome.json()["instruments"] as? [[String: Any]])
        #expect(rows.map { $0["name"] as? String } == ["hiss", "hush"])
        for row in rows {
            #expect(row["family"] as? String == "noise")
            #expect(row["pitched"] as? Bool == false)
            #expect(row["lowKey"] as? Int == 0)
            #expect(row["highKey"] as? Int == 127)
            #expect(row["licence"] as? String == "CC0-1.0")
        }
        let table = try Tool().run("instruments")
        #expect(table.output.split(separator: "\n").count == 3)
    }

    @Test("of broken instruments lists the others and fails")
    func brokenInstrument() throws {
        let folder = try TemporaryFolder()
        let models = folder.file("NeuralSynth")
        try FileManager.default.copyItem(atPath: Fixture.path("Models/NeuralSynth"), toPath: models)
        _ = try folder.write("NeuralSynth/broken.instrument.json", Array("{".utf8))
        let outcome = try Tool().run("instruments", "--models", folder.path)
        #expect(outcome.code == 1)
        #expect(outcome.output.contains("hush"))
        #expect(outcome.errors.contains("broken.instrument.json"))
    }

    @Test("of a model has the keys that others rely on")
    func inspect() throws {
        let outcome = try Tool().run("inspect", Fixture.path("doubler.onnx"), "--json")
        #expect(outcome.code == 0)
        let report = try outcome.json()
        let inputs = try #require(report["inputs"] as? [[String: Any]])
        #expect(inputs.map { $0["name"] as? String } == ["f", "h", "l", "i"])
        #expect(inputs.map { $0["type"] as? String } == ["float32", "float16", "int64", "int32"])
        #expect((inputs[0]["shape"] as? [Any])?.map { "\($0)" } == ["batch", "3"])
        #expect((inputs[1]["shape"] as? [Any])?.map { "\($0)" } == ["2*slots"])
        #expect((inputs[0]["shape"] as? [Any])?[1] as? Int == 3)
        #expect((report["outputs"] as? [Any])?.count == 4)
        #expect(report["sizeBytes"] as? Int == (try Fixture.bytes(Fixture.path("doubler.onnx"))).count)
        #expect(report["provider"] as? String == "CPUExecutionProvider")
        #expect((report["metadata"] as? [String: String])?["purpose"] == "a fixture")
    }

    @Test("of a model that computes NaN says so and fails")
    func notFinite() throws {
        let outcome = try Tool().run("inspect", Fixture.path("not_finite.onnx"), "--json")
        #expect(outcome.code == 1)
        #expect((try outcome.json()["problems"] as? [String])?.count == 1)
        #expect(outcome.errors.contains("NaN"))
        let run = try Tool().run("bench", Fixture.path("not_finite.onnx"))
        #expect(run.code == 1)
    }

    @Test("of a manifest that contradicts its model names the tensor and fails")
    func contradiction() throws {
        let folder = try TemporaryFolder()
        let source = Fixture.path("Models/NeuralSynth/noise_prior")
        let model = try folder.write("noise_prior.onnx", try Fixture.bytes(source + ".onnx"))
        let manifest = String(decoding: try Fixture.bytes(source + ".json"), as: UTF8.self)
        let changes = [
            (
                "\"name\": \"latent\",\n      \"role\": \"latent\",\n      \"shape\": [\n        \"batch\",\n        2",
                "latent", "2"
            ),
            ("\"sizeBytes\": 221", "bytes", "221"),
        ]
        for (text, word, number) in changes {
            #expect(manifest.contains(text))
            let changed = manifest.replacingOccurrences(of: text, with: text.dropLast(number.count) + "7")
            _ = try folder.write("noise_prior.json", Array(changed.utf8))
            let outcome = try Tool().run("inspect", model, "--json")
            #expect(outcome.code == 1)
            #expect(outcome.errors.contains(word), "\(outcome.errors)")
            #expect((try outcome.json()["problems"] as? [String])?.isEmpty == false)
        }
        let bench = try Tool().run(
            "bench", Fixture.path("Models/NeuralSynth/noise_prior.onnx"), "--seconds", "0")
        #expect(bench.code == 0, "\(bench.errors)")
    }

    @Test("of an effect in real time has the keys that others rely on, and a picture")
    func realtimeBench() throws {
        let folder = try TemporaryFolder()
        let model = Fixture.path("../../../../Tests/Fixtures/gain_effect.onnx")
        let picture = folder.file("blocks.svg")
        let outcome = try Tool().run(
            "bench", model, "--realtime", "--block", "128", "--hop", "512", "--streams", "2", "--work", "100",
            "--seconds", "0.3", "--histogram", picture, "--json")
        #expect(outcome.code == 0, "\(outcome.errors)")
        let report = try outcome.json()
        // Two streams and one worker: the second is done after 200 samples, so it is heard two blocks later.
        #expect(report["latencySamples"] as? Int == 640)
        #expect(report["lookAheadSamples"] as? Int == 256)
        let keys = ["processP50Us", "processP99Us", "processP999Us", "processMaxUs"]
        let times = try keys.map { try #require(report[$0] as? Double) }
        #expect(times == times.sorted() && times[0] > 0)
        for key in ["underruns", "lateSlices", "canaryLateBlocks", "idleCpuPercent", "residentMiB"] {
            #expect((report[key] as? Double) != nil, "\(key)")
        }
        #expect(report["streams"] as? Int == 2)
        let blocks = try #require(report["blocks"] as? Int)
        #expect(blocks == 112)
        let slack = try #require(report["slack"] as? [String: Any])
        let late = try #require(slack["late"] as? Int)
        let counts = try #require(slack["counts"] as? [Int])
        #expect(slack["stepSamples"] as? Int == 16 && slack["sampleRate"] as? Int == 48_000)
        let hops = counts.reduce(late, +)
        #expect(hops > 0 && hops <= 2 * blocks * 128 / 512)
        // Every block of every stream is in one of the picture's columns, and every hop in one below.
        let drawn = String(decoding: try Fixture.bytes(picture), as: UTF8.self)
        let columns = drawn.matches(of: /<title>(\d+)<\/title>/).compactMap { Int($0.1) }
        #expect(columns.reduce(0, +) == 2 * blocks + hops)

        let open = try Tool().run("bench", model, "--realtime")
        #expect(open.code == 1 && open.errors.contains("Say how many"))
        let flat = try Tool().run("bench", Fixture.path("doubler.onnx"), "--realtime", "--hop", "64")
        #expect(flat.code == 1 && flat.errors.contains("inputs"))
        #expect(try Tool().run("bench", model, "--hop", "64").code == 64)
    }

    @Test("of an instrument in real time tells of its chords")
    func realtimeInstrument() throws {
        let arguments = ["bench", "hiss", "--realtime", "--block", "128", "--voices", "3", "--json"]
        let outcome = try Tool().run(arguments + ["--chords", "2"])
        #expect(outcome.code == 0, "\(outcome.errors)")
        let report = try outcome.json()
        #expect(report["voices"] as? Int == 3 && report["hop"] as? Int == 128)
        #expect(report["latencySamples"] as? Int == 256)
        let chords = try #require(report["chords"] as? [String: Int])
        #expect(chords["count"] == 2)
        for (part, whole) in [("counted", "count"), ("late", "counted"), ("lateWithCanaryLate", "count")] {
            #expect(try #require(chords[part]) <= #require(chords[whole]))
        }
        let steady = try Tool().run(arguments + ["--seconds", "0.2"]).json()
        #expect(steady["blocks"] as? Int == 75 && steady["chords"] == nil)
        for wrong in [["--streams", "2"], ["--hop", "64"], ["--work", "9"]] {
            #expect(try Tool().run(["bench", "hiss", "--realtime"] + wrong).code == 1, "\(wrong)")
        }
        #expect(try Tool().run("bench", "nobody", "--realtime").code == 1)
    }

    @Test("of times has the keys that others rely on, in order")
    func bench() throws {
        let outcome = try Tool().run(
            "bench", Fixture.path("Models/NeuralSynth/noise_decoder.onnx"), "--batch", "3", "--seconds",
            "0.05", "--json")
        #expect(outcome.code == 0, "\(outcome.errors)")
        let report = try outcome.json()
        let times = try ["p50Ms", "p95Ms", "p99Ms", "maxMs"].map { try #require(report[$0] as? Double) }
        #expect(times == times.sorted())
        #expect(times[0] > 0)
        #expect(try #require(report["runs"] as? Int) >= 10)
        #expect(report["batch"] as? Int == 3)
        #expect(report["threads"] as? Int == 1)
        #expect(report["provider"] as? String == "CPUExecutionProvider")
        #expect(report["dimensions"] as? [String: Int] == ["batch": 3, "slots": 2])
    }

    @Test("of times names the axes there are when asked for another")
    func benchAxes() throws {
        let decoder = Fixture.path("Models/NeuralSynth/noise_decoder.onnx")
        let outcome = try Tool().run("bench", decoder, "--dim", "time=3")
        #expect(outcome.code == 1)
        #expect(outcome.errors.contains("batch, slots"))
        let fixed = try Tool().run("bench", Fixture.path("not_finite.onnx"), "--batch", "2")
        #expect(fixed.code == 1)
    }

    @Test("of times refuses more slots than the manifest allows, and more memory than a gigabyte")
    func benchSizes() throws {
        let decoder = Fixture.path("Models/NeuralSynth/noise_decoder.onnx")
        let slots = try Tool().run("bench", decoder, "--dim", "slots=17", "--seconds", "0")
        #expect(slots.code == 1)
        #expect(slots.errors.contains("at most 16 slots"), "\(slots.errors)")
        #expect(try Tool().run("bench", decoder, "--dim", "slots=16", "--seconds", "0").code == 0)
        // Without the manifest: 1024 voices of 65,536 slots.
        let folder = try TemporaryFolder()
        let alone = try folder.write("alone.onnx", try Fixture.bytes(decoder))
        let large = try Tool().run("bench", alone, "--batch", "1024", "--dim", "slots=65536")
        #expect(large.code == 1)
        #expect(large.errors.contains("gigabyte"), "\(large.errors)")
    }

    @Test("of a manifest that contradicts its model's metadata names the key and both values")
    func metadata() throws {
        let folder = try TemporaryFolder()
        let fixtures = Fixture.path("../../../../Tests/Fixtures")
        for (model, from, to, words) in [
            (
                "sine_decoder", "\"sampleRate\": 48000", "\"sampleRate\": 44100",
                ["sampleRate", "44100", "48000"]
            ),
            (
                "sine_decoder", "\"delaySamples\": 128", "\"delaySamples\": 0",
                ["delaySamples", "“0”", "“128”"]
            ),
            ("sine_decoder", "\"maximumSlots\": 16", "\"maximumSlots\": 8", ["maximumSlots", "“8”", "“16”"]),
            ("sine_prior", "\"velocity\",", "\"secondsOn\",", ["columns[1]", "“secondsOn”", "“velocity”"]),
        ] {
            let path = try folder.write("\(model).onnx", try Fixture.bytes("\(fixtures)/\(model).onnx"))
            var manifest = String(decoding: try Fixture.bytes("\(fixtures)/\(model).json"), as: UTF8.self)
            _ = try folder.write("\(model).json", Array(manifest.utf8))
            #expect(try Tool().run("inspect", path).code == 0)
            #expect(manifest.contains(from))
            if model == "sine_prior" {
                manifest = manifest.replacingOccurrences(of: "\"secondsOn\",", with: "\"velocity\" ,")
            }
            manifest = manifest.replacingOccurrences(of: from, with: to)
            _ = try folder.write("\(model).json", Array(manifest.utf8))
            for command in ["inspect", "bench"] {
                let outcome = try Tool().run(command, path)
                #expect(outcome.code == 1)
                for word in words { #expect(outcome.errors.contains(word), "\(outcome.errors)") }
            }
        }
    }

    @Test("of an instrument without the card that it names says so")
    func card() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.copyItem(
            atPath: Fixture.path("Models/NeuralSynth"), toPath: folder.file("NeuralSynth"))
        let file = "NeuralSynth/hiss.instrument.json"
        let manifest = String(decoding: try Fixture.bytes(folder.file(file)), as: UTF8.self)
            .replacingOccurrences(of: "\"family\"", with: "\"card\": \"hiss.md\", \"family\"")
        _ = try folder.write(file, Array(manifest.utf8))
        func failed() throws -> [[String: Any]] {
            let outcome = try Tool().run("doctor", "--json", "--models", folder.path)
            let checks = try #require(try outcome.json()["checks"] as? [[String: Any]])
            return checks.filter {
                ($0["name"] as? String)?.contains("hiss") == true && $0["ok"] as? Bool == false
            }
        }
        let missing = try failed()
        #expect(missing.map { $0["name"] as? String } == ["card of hiss"])
        #expect((missing.first?["detail"] as? String)?.contains("hiss.md") == true)
        #expect((missing.first?["fix"] as? String)?.isEmpty == false)
        _ = try folder.write("NeuralSynth/hiss.md", Array("# Hiss\n".utf8))
        #expect(try failed().isEmpty)
    }

    @Test("of a healthy set-up is all well")
    func doctor() throws {
        let folder = try TemporaryFolder()
        var tool = Tool()
        // With a home of its own; where the runtime is found through that home it is named instead.
        tool.environment["XDG_DATA_HOME"] = folder.path
        tool.environment["ECHOEL_ONNXRUNTIME"] = try runtimePath()
        let outcome = try tool.run("doctor", "--json")
        #expect(outcome.code == 0, "\(outcome.output) \(outcome.errors)")
        let checks = try #require(try outcome.json()["checks"] as? [[String: Any]])
        let names = checks.compactMap { $0["name"] as? String }
        #expect(
            names == [
                "onnxruntime", "providers", "litert", "models", "instrument hiss", "instrument hush", "cpu",
                "data folder", "cache", "jack", "real-time priority",
            ])
        for check in checks {
            #expect(check["ok"] as? Bool == true, "\(check)")
            #expect((check["detail"] as? String)?.isEmpty == false)
            #expect(check["fix"] is NSNull)
        }
    }

    @Test("of the cache says where it is, that it is off, or why there is none")
    func cache() throws {
        let folder = try TemporaryFolder()
        func detail(_ cache: String) throws -> String {
            var tool = Tool()
            tool.environment["ECHOEL_GRAPH_CACHE"] = cache
            let checks = try #require(try tool.run("doctor", "--json").json()["checks"] as? [[String: Any]])
            let check = try #require(checks.first { $0["name"] as? String == "cache" })
            #expect(check["ok"] as? Bool == true)
            return try #require(check["detail"] as? String)
        }
        #expect(try detail("off") == "off")
        #expect(
            try detail(folder.file("new")) == "\(folder.file("new")), 0 models, 0.0 MiB of at most 1024 MiB")
        let file = try folder.write("file", [])
        #expect(try detail("\(file)/below").contains("cannot be written (Not a directory)"))
    }

    @Test("of a damaged set-up says what to do")
    func damaged() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.copyItem(
            atPath: Fixture.path("Models/NeuralSynth"), toPath: folder.file("NeuralSynth"))
        var bytes = try Fixture.bytes(Fixture.path("Models/NeuralSynth/noise_prior.onnx"))
        bytes[bytes.count - 1] ^= 1
        _ = try folder.write("NeuralSynth/noise_prior.onnx", bytes)
        let outcome = try Tool().run("doctor", "--json", "--models", folder.path)
        #expect(outcome.code == 1)
        let checks = try #require(try outcome.json()["checks"] as? [[String: Any]])
        let failed = checks.filter { $0["ok"] as? Bool == false }
        #expect(failed.compactMap { $0["name"] as? String } == ["instrument hiss", "instrument hush"])
        #expect(failed.allSatisfy { ($0["detail"] as? String)?.contains("SHA-256") == true })
        #expect(failed.allSatisfy { ($0["fix"] as? String)?.isEmpty == false })
    }

    /// Where the tool finds ONNX Runtime by itself.
    private func runtimePath() throws -> String {
        let checks = try #require(try Tool().run("doctor", "--json").json()["checks"] as? [[String: Any]])
        let detail = try #require(
            checks.first { $0["name"] as? String == "onnxruntime" }?["detail"] as? String)
        return try #require(detail.split(separator: " ").last.map(String.init))
    }
}
