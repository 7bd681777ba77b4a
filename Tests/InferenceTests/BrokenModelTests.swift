import Foundation
import Inference
import TestSupport
import Testing

@Suite struct BrokenModelTests {
    let runtime = try! OnnxRuntime.open()
    let folder = try! TemporaryFolder()

    /// The error that loading gives, both by path and, where there are bytes, from memory.
    func load(_ path: String) -> InferenceError? {
        let error = #expect(throws: InferenceError.self) { try Session(runtime, model: path) }
        #expect(
            error?.message.contains(path) == true, "the message names the file: \(error.map(\.message) ?? "")"
        )
        return error
    }

    @Test func aMissingFileIsNamed() {
        #expect(load("\(folder.path)/none.onnx")?.code == .modelNotFound)
        #expect(load("/dev/null/none.onnx")?.code == .modelNotFound)
    }

    @Test func whatIsNoFileIsRefused() throws {
        #expect(load(folder.path)?.message.contains("is a folder") == true)
        #expect(load("/dev/null")?.message.contains("not a regular file") == true)
        let made = unsafe mkfifo("\(folder.path)/pipe.onnx", 0o600)
        #expect(made == 0)
        #expect(load("\(folder.path)/pipe.onnx")?.code == .modelUnreadable)
    }

    @Test func anEmptyFileIsRefused() throws {
        let error = load(try folder.write("empty.onnx", []))
        #expect(error?.code == .modelUnreadable)
        #expect(error?.message.contains("empty") == true)
        #expect(throws: InferenceError.self) { try Session(runtime, bytes: []) }
    }

    @Test(arguments: ["hello, I am a text file\n", "{ \"formatVersion\": 1 }\n", "<html></html>"])
    func aTextFileIsRefused(text: String) throws {
        let error = load(try folder.write("text.onnx", Array(text.utf8)))
        #expect(error?.code == .modelUnreadable)
        #expect(error?.underlying is OnnxRuntimeStatus)
    }

    @Test func aModelCutAnywhereIsRefused() throws {
        // One without metadata: that comes last in a file, and a model that only lacks it is whole.
        let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: fixture("stateful.onnx"))))
        for length in 1..<whole.count {
            let error = #expect(throws: InferenceError.self, "\(length) of \(whole.count) bytes") {
                try Session(runtime, bytes: Array(whole[..<length]))
            }
            #expect(error?.code == .modelUnreadable)
        }
        #expect(
            load(try folder.write("cut.onnx", Array(whole[..<(whole.count / 2)])))?.code == .modelUnreadable)
        #expect(throws: Never.self) { try Session(runtime, bytes: whole) }
    }

    @Test func randomBytesAreRefused() throws {
        var generator = SystemRandomNumberGenerator()
        let seed = UInt64.random(in: 0...UInt64.max, using: &generator)
        var random = Seeded(state: seed)
        for round in 0..<300 {
            let bytes = (0..<Int.random(in: 1...2000, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            let error = #expect(throws: InferenceError.self, "seed \(seed), round \(round)") {
                try Session(runtime, bytes: bytes)
            }
            #expect(error?.code == .modelUnreadable)
        }
    }

    @Test func nanWeightsAreRefusedAtLoad() throws {
        let error = load(fixture("nan_weights.onnx"))
        #expect(error?.code == .nonFinite)
        #expect(error?.message.contains("NaN") == true)
        #expect(throws: Never.self) {
            try Session(runtime, model: fixture("nan_weights.onnx"), options: SessionOptions(probe: false))
        }
        let engine = MLEngine()
        try engine.initialize(.cpu)
        let refused = #expect(throws: InferenceError.self) {
            try engine.loadModel(at: fixture("nan_weights.onnx"), named: "broken")
        }
        #expect(refused?.code == .nonFinite)
        #expect(engine.loadedModels.isEmpty)
    }

    @Test(arguments: ["sine_decoder", "sine_prior", "stateful", "half", "int64", "string", "double"])
    func healthyModelsPassTheProbe(name: String) throws {
        #expect(throws: Never.self) { try Session(runtime, model: fixture("\(name).onnx")) }
    }

    @Test func anOperatorSetOfTheFutureIsRefused() throws {
        let error = load(fixture("future_opset.onnx"))
        #expect(error?.code == .modelUnreadable)
        #expect(error?.message.contains("made for a newer ONNX Runtime (opset 99; ") == true)
        #expect(error?.message.contains("update it") == true)
        #expect(error?.underlying is OnnxRuntimeStatus)
    }

    /// The place in ONNX Runtime's source says nothing to who has a broken model.
    @Test func anErrorIsOneClearSentence() throws {
        let model = try folder.write("identity.onnx", irVersion(99))
        let future = load(model)
        #expect(future?.message.contains("made for a newer ONNX Runtime (IR version 99; ") == true)
        let text = load(try folder.write("text.onnx", Array("no model".utf8)))
        for message in [future, text, load(fixture("future_opset.onnx"))].compactMap({ $0?.message }) {
            #expect(!message.contains("failed:"), "\(message)")
            #expect(!message.contains("::"), "\(message)")
            #expect(!message.contains("onnxruntime_src"), "\(message)")
            #expect(!message.contains("\n"), "\(message)")
        }
    }

    /// A small model whose first field, the version of its intermediate representation, is another.
    private func irVersion(_ version: UInt8) throws -> [UInt8] {
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: fixture("identity.onnx"))))
        try #require(Array(bytes[..<2]) == [0x08, 8])
        bytes[1] = version
        return bytes
    }

    @Test func threadCountsOutOfRangeAreRefused() {
        for threads in [-1, 0, 1025] {
            let error = #expect(throws: InferenceError.self) {
                try Session(
                    runtime, model: fixture("identity.onnx"), options: SessionOptions(intraOpThreads: threads)
                )
            }
            #expect(error?.code == .invalidArgument)
        }
    }
}

/// Steele, Lea and Flood's SplitMix64.
private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
