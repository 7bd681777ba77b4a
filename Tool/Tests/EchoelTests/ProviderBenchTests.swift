import Foundation
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
