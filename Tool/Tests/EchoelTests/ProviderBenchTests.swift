import Foundation
import Inference
import Testing

@testable import echoel

@Suite("All providers in turns")
struct ProviderBenchTests {
    let folder: TemporaryFolder
    let tool = Tool()

    init() throws { folder = try TemporaryFolder() }

    @Test("every provider has a row, measured or with a reason, and a picture is drawn")
    func rows() throws {
        let chart = folder.file("bars.svg")
        let report = try tool.run(
            "bench", Fixture.engine("scale_bias.onnx"), "--providers", "all", "--seconds", "0.05", "--json",
            "--chart", chart)
        #expect(report.code == 0, "\(report.errors)")
        let rows = try #require(try report.json()["providers"] as? [[String: Any]])
        #expect(rows.count == ProviderCandidate.all.count)
        for row in rows {
            let isThere = try #require(row["available"] as? Bool)
            #expect((row["reason"] as? String)?.isEmpty == (isThere ? nil : false), "\(row)")
            #expect((row["p50Ms"] as? Double).map { $0 > 0 } == (isThere ? true : nil), "\(row)")
            #expect(Set(row.keys).isSuperset(of: ["provider", "precision", "p99Ms", "snrDb", "runtime"]))
        }
        let cpu = try #require(rows.first)
        #expect(cpu["provider"] as? String == "cpu" && cpu["available"] as? Bool == true)
        let picture = try String(contentsOfFile: chart, encoding: .utf8)
        #expect(picture.hasPrefix("<svg") && picture.contains(">cpu<"))

        let text = try tool.run(
            "bench", Fixture.engine("scale_bias.onnx"), "--providers", "metal", "--seconds", "0.05")
        #expect(text.output.contains("cpu ") && text.output.contains("metal"))
        #expect(!text.output.contains("cuda"))
    }

    @Test("a model that the processor does not run is an error")
    func broken() throws {
        let outcome = try tool.run("bench", Fixture.engine("future_opset.onnx"), "--providers", "all")
        #expect(outcome.code == 1 && outcome.output.isEmpty)
    }

    private static let hasLiteRT = (try? LiteRT.open()) != nil

    @Test(
        "a .tflite file beside the model is measured by LiteRT, and held against the processor's results",
        .enabled(if: hasLiteRT, "LiteRT is not installed: run script/bootstrap --test"))
    func liteRT() throws {
        func row(_ arguments: String...) throws -> [String: Any] {
            let report = try tool.run(["bench"] + arguments + ["--seconds", "0.05", "--json"])
            #expect(report.code == 0, "\(report.errors)")
            let rows = try #require(try report.json()["providers"] as? [[String: Any]])
            return try #require(rows.first { $0["provider"] as? String == "litert" })
        }
        let found = try row(Fixture.engine("identity.onnx"), "--providers", "litert")
        #expect(found["available"] as? Bool == true && (found["snrDb"] as? Double ?? 0) > 100, "\(found)")
        let none = try row(Fixture.engine("scale_bias.onnx"), "--providers", "litert")
        #expect((none["reason"] as? String)?.contains("scale_bias.tflite") == true)
        let eight = try row(Fixture.engine("identity.onnx"), "--providers", "litert", "--batch", "8")
        #expect((eight["reason"] as? String)?.contains("other sizes") == true)
        let given = try row(
            Fixture.engine("scale_bias.onnx"), "--providers", "litert", "--tflite",
            Fixture.engine("identity.tflite"))
        #expect((given["reason"] as? String)?.contains("another model") == true)

        let alone = try tool.run("bench", Fixture.engine("identity.tflite"), "--seconds", "0", "--json")
        #expect(try alone.json()["provider"] as? String == "LiteRT XNNPACK")
        let both = try tool.run("bench", Fixture.engine("identity.tflite"), "--providers", "all")
        #expect(both.code == 1 && both.errors.contains("--tflite"))
        let facts = try tool.run("inspect", Fixture.engine("identity.tflite"), "--json")
        #expect(try facts.json()["provider"] as? String == "LiteRT XNNPACK")
    }

    private static let openVINO = try? RuntimeFolder.standard().find("openvino")

    @Test(
        "OpenVINO that lacks a library, or half of one, is a reason and no crash of ours",
        .enabled(if: openVINO != nil, "echoel runtime install openvino"))
    func crippled() throws {
        let whole = try #require(Self.openVINO).path
        func reason(without library: String, bytes: Int? = nil) throws -> String {
            let copy = folder.file("without-\(library)-\(bytes ?? 0)")
            try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: true)
            for name in try FileManager.default.contentsOfDirectory(atPath: whole) where name != library {
                try FileManager.default.copyItem(atPath: "\(whole)/\(name)", toPath: "\(copy)/\(name)")
            }
            if let bytes {
                let part = try Data(contentsOf: URL(fileURLWithPath: "\(whole)/\(library)")).prefix(bytes)
                try part.write(to: URL(fileURLWithPath: "\(copy)/\(library)"))
            }
            let bench = ProviderBench(
                model: Fixture.engine("scale_bias.onnx"), threads: 1, dimensions: [:], seconds: 0,
                candidates: [.init(acceleration: .openVINO, package: "-")], runtimes: nil,
                library: copy, program: Tool.executable.path)
            let row = try #require(try bench.run().first)
            #expect(!row.available)
            return row.reason ?? ""
        }
        #expect(try reason(without: "libopenvino.so.2541").contains("libopenvino.so.2541"))
        let provider = "libonnxruntime_providers_openvino.so"
        #expect(try reason(without: provider).contains(provider))
        #expect(try !reason(without: "libopenvino_intel_cpu_plugin.so").isEmpty)
        #expect(try !reason(without: "libopenvino.so.2541", bytes: 1_000_000).isEmpty)
    }

    @Test("a process that ends, is ended or says nothing is a reason, not a hang")
    func silence() throws {
        func reason(_ script: String, seconds: Double = 20) throws -> String {
            let file = try folder.write("worker-\(script.count)", Array("#!/bin/sh\n\(script)\n".utf8))
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file)
            let process = try ProviderProcess([], runtime: nil, program: file)
            process.ask(1)
            do {
                _ = try process.answer([Double].self, within: seconds)
                return "an answer"
            } catch let silence as ProviderProcess.Silence {
                return silence.reason
            }
        }
        #expect(try reason("exit 3").contains("with 3"))
        #expect(try reason("kill -9 $$").contains("signal 9"))
        #expect(try reason("exec sleep 100", seconds: 0.3).contains("did not answer"))
        #expect(try reason("echo noise; echo 'echoel nonsense'; echo 'echoel [1.5]'") == "an answer")
    }

    @Test("results come through a file as they were, and a file that is cut short gives fewer")
    func results() throws {
        let outputs: [[Float]] = [[1.5, -.infinity, 0], [], [.greatestFiniteMagnitude]]
        let file = folder.file("results")
        try ProviderResults(outputs).write(to: file)
        #expect(try ProviderResults(readingFrom: file).outputs == outputs)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: file))
        for count in 0..<bytes.count {
            try bytes.prefix(count).write(to: URL(fileURLWithPath: file))
            #expect(try ProviderResults(readingFrom: file).outputs.count < 3)
        }
    }
}
