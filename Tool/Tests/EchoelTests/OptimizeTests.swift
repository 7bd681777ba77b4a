import Foundation
import Testing

@Suite("echoel optimize")
struct OptimizeTests {
    let folder: TemporaryFolder
    let tool = Tool()

    init() throws { folder = try TemporaryFolder() }

    @Test("the result is the model again: it says what was tried, and a second time is the same file")
    func twice() throws {
        let (once, again) = (folder.file("once.onnx"), folder.file("again.onnx"))
        let first = try tool.run(
            "optimize", Fixture.engine("sine_decoder.onnx"), "--dim", "slots=4", "--dim", "frames=32",
            "--batch", "2", "--seconds",
            "0.05",
            "--json", "--out", once)
        #expect(first.code == 0, "\(first.errors)")
        let report = try first.json()
        #expect(report["out"] as? String == once)
        #expect(try #require(report["snrDb"] as? Double) >= 60)
        for key in ["beforeMs", "afterMs", "ratio"] { #expect(try #require(report[key] as? Double) > 0) }
        #expect(report["rewrites"] is [Any])
        let second = try tool.run(
            "optimize", once, "--dim", "frames=16", "--seconds", "0.05", "--out", again)
        #expect(second.code == 0 && second.output.contains("Nothing was changed."), "\(second.errors)")
        #expect(try Fixture.bytes(once) == Fixture.bytes(again))
        #expect(try folder.names == ["again.onnx", "once.onnx"])
    }

    @Test("without --out it is beside the model, and the model stays as it was")
    func beside() throws {
        let bytes = try Fixture.bytes(Fixture.engine("scale_bias.onnx"))
        let model = try folder.write("m.onnx", bytes)
        let outcome = try tool.run("optimize", model, "--seconds", "0.05")
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(try folder.names == ["m.onnx", "m.optimized.onnx"])
        #expect(try Fixture.bytes(model) == bytes)
    }

    @Test(
        "what cannot be optimised is an error of one line that leaves no file",
        arguments: ["nan_weights.onnx", "future_opset.onnx", "string.onnx", "none.onnx"])
    func refused(_ name: String) throws {
        let out = folder.file("out.onnx")
        let outcome = try tool.run("optimize", Fixture.engine(name), "--seconds", "0.05", "--out", out)
        #expect(outcome.code == 1 && outcome.output.isEmpty)
        #expect(outcome.errors.hasPrefix("echoel: ") && outcome.errors.split(separator: "\n").count == 1)
        #expect(try folder.names.isEmpty)
    }

    @Test("a wrong command line says what would be right")
    func usage() throws {
        let model = Fixture.engine("scale_bias.onnx")
        for wrong in [
            ["--only", "magic"], ["--snr", "-1"], ["--seconds", "0"], ["--threads", "0"],
            ["--weights", "f8"],
            ["--only", "polyphase", "--without", "batch-norm"], ["--dim", "a=1", "--dim", "a=2"],
        ] { #expect(try tool.run(["optimize", model] + wrong).code == 64, "\(wrong)") }
        let outcome = try tool.run("optimize", model, "--only", "magic")
        #expect(outcome.errors.contains("polyphase"))
    }
}
