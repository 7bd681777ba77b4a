import Foundation
import TestSupport
import Testing

@testable import Inference

/// Whether LiteRT is there; `script/bootstrap --test` puts it there.
let hasLiteRT = (try? LiteRT.open()) != nil

@Suite(.enabled(if: hasLiteRT, "LiteRT is not installed: run script/bootstrap --test")) struct LiteRTTests {
    let liteRT = try! LiteRT.open()
    let folder = try! TemporaryFolder()

    func floats(_ elements: [Float], _ shape: [Int]) throws(InferenceError) -> Tensor {
        try Tensor(elements, shape: shape)
    }
    func integers(_ elements: [Int32], _ shape: [Int]) throws(InferenceError) -> Tensor {
        try Tensor(elements, shape: shape)
    }

    @Test func aModelDescribesItself() throws {
        let session = try Session(liteRT, bytes: TFLiteModel.dense())
        #expect(
            session.inputs == [
                TensorInfo(name: "x", shape: [.dynamic(nil), .fixed(4)], elementType: .float32)
            ])
        #expect(
            session.outputs == [
                TensorInfo(name: "y", shape: [.dynamic(nil), .fixed(2)], elementType: .float32)
            ])
        #expect(session.provider == "LiteRT XNNPACK")
        #expect(session.acceleration == .cpu)
        #expect(session.metadata["description"] == "made by a test")
    }

    @Test func itComputesWhatItSays() throws {
        let session = try Session(liteRT, bytes: TFLiteModel.dense())
        let one = try session.run(["x": floats([1, 1, 1, 1], [1, 4])])
        #expect(one["y"] == (try floats([6, 22], [1, 2])))
        let three = try session.run(["x": floats([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 2], [3, 4])])
        #expect(three["y"] == (try floats([0, 4, 1, 5, 6, 14], [3, 2])))
        #expect(try session.run(["x": floats([1, 1, 1, 1], [1, 4])]) == one)
    }

    @Test func inputsGoByTheirNames() throws {
        let session = try Session(liteRT, bytes: TFLiteModel.addition())
        let sum = try session.run([
            "left": floats([1, 2, 3], [3]), "right": floats([10, 20, 30], [3]),
        ])
        #expect(sum["sum"]?.floats == [11, 22, 33])
        let whole = try Session(liteRT, bytes: TFLiteModel.addition(type: 2))
        let integers = try whole.run([
            "left": integers([1, 2, 3], [3]), "right": integers([10, 20, 30], [3]),
        ])
        #expect(integers["sum"]?.integers == [11, 22, 33])
    }

    @Test func inputsThatDoNotFitAreTheSameErrorsAsEver() throws {
        let session = try Session(liteRT, bytes: TFLiteModel.dense())
        func code(_ inputs: [String: Tensor], _ outputs: [String]? = nil) -> InferenceError.Code? {
            #expect(throws: InferenceError.self) { try session.run(inputs, outputs: outputs) }?.code
        }
        let fits = try floats([1, 1, 1, 1], [1, 4])
        #expect(code([:]) == .unknownTensor)
        #expect(code(["x": fits, "z": fits]) == .unknownTensor)
        #expect(code(["x": fits], ["z"]) == .unknownTensor)
        #expect(code(["x": try floats([1, 1, 1, 1], [4])]) == .shapeMismatch)
        #expect(code(["x": try floats([1, 1, 1], [1, 3])]) == .shapeMismatch)
        #expect(code(["x": try floats([], [0, 4])]) == .shapeMismatch)
        #expect(code(["x": try integers([1, 1, 1, 1], [1, 4])]) == .typeUnsupported)
        #expect(try session.run(["x": fits])["y"]?.floats == [6, 22])
        let bytes = try Session(liteRT, bytes: TFLiteModel.addition(type: 9))
        #expect(bytes.inputs.map(\.elementType) == [.int8, .int8])
        let error = #expect(throws: InferenceError.self) { try bytes.run([:]) }
        #expect(error?.code == .typeUnsupported)
    }

    @Test func theEngineTakesItLikeAnyModel() throws {
        let path = try folder.write("dense.tflite", TFLiteModel.dense())
        let engine = MLEngine()
        try engine.initialize(.cpu)
        let info = try engine.loadModel(at: path, named: "dense")
        #expect(info.provider == "LiteRT XNNPACK")
        #expect(try engine.runInference("dense", [1, 1, 1, 1, 2, 2, 2, 2]) == [6, 22, 12, 44])
        #expect(try engine.performanceMetrics("dense").totalInferences == 1)
        #expect(try engine.measureLatency("dense", warmUpRuns: 1, runs: 3).runs == 3)
        try engine.unloadModel(named: "dense")
        #expect(throws: InferenceError.self) { try engine.runInference("dense", [1, 1, 1, 1]) }
        // By its contents where the name does not say it.
        let plain = try folder.write("dense", TFLiteModel.dense())
        #expect(try engine.loadModel(at: plain, named: "plain").provider == "LiteRT XNNPACK")
    }

    @Test func automaticAccelerationSaysWhatItTook() throws {
        let engine = MLEngine()
        try engine.initialize(.auto)
        let path = try folder.write("dense.tflite", TFLiteModel.dense())
        let info = try engine.loadModel(at: path, named: "dense")
        #expect(info.provider == "LiteRT XNNPACK")
        #expect(info.accelerationNote?.contains("CPU was chosen") == true)
    }

    @Test func whatLiteRTHasNotGotIsUnavailable() throws {
        for acceleration in [AccelerationType.cuda, .tensorRT, .openVINO, .openCL, .metal] {
            let error = #expect(throws: InferenceError.self) {
                try Session(
                    liteRT, bytes: TFLiteModel.dense(), options: SessionOptions(acceleration: acceleration))
            }
            #expect(error?.code == .accelerationUnavailable)
            #expect(error?.message.contains("LiteRT") == true)
        }
    }

    /// On a machine with a graphics processor the same result, else a reason.
    @Test func theGPUAcceleratorRunsItOrSaysWhyNot() throws {
        do throws(InferenceError) {
            let session = try Session(
                liteRT, bytes: TFLiteModel.dense(rows: 1), options: SessionOptions(acceleration: .webGPU))
            #expect(session.provider == "LiteRT WebGPU")
            let output = try session.run(["x": floats([1, 1, 1, 1], [1, 4])])["y"]?.floats ?? []
            #expect(zip(output, [6, 22]).allSatisfy { abs($0 - $1) < 0.05 })
        } catch {
            #expect(error.code == .accelerationUnavailable)
            #expect(error.message.contains("GPU accelerator"))
        }
    }

    @Test func boundMemoryIsReadAndWritten() throws {
        let session = try Session(liteRT, bytes: TFLiteModel.dense())
        let (x, y) = (TensorBuffer(count: 8), TensorBuffer(count: 16))
        let two = try BoundRun(
            session, inputs: [.init(name: "x", shape: [2, 4], buffer: x)],
            outputs: [.init(name: "y", shape: [2, 2], buffer: y)])
        let one = try BoundRun(
            session, inputs: [.init(name: "x", shape: [1, 4], buffer: x)],
            outputs: [.init(name: "y", shape: [1, 2], buffer: y)])
        x.fill(1)
        try two.run()
        #expect(y.withSpan { [$0[0], $0[1], $0[2], $0[3], $0[4]] } == [6, 22, 6, 22, 0])
        x.fill(2)
        try one.run()
        #expect(y.withSpan { [$0[0], $0[1], $0[2], $0[3]] } == [12, 44, 6, 22])
        #expect(try two.bareNanoseconds(3) > 0)
        let error = #expect(throws: InferenceError.self) {
            _ = try BoundRun(
                session, inputs: [.init(name: "x", shape: [2, 4], buffer: x)],
                outputs: [.init(name: "y", shape: [3, 2], buffer: y)])
        }
        #expect(error?.code == .shapeMismatch)
    }

    /// As a state has that is given back under its own name.
    @Test func anOutputMayHaveAnInputsName() throws {
        let session = try Session(liteRT, bytes: TFLiteModel.dense(output: "x"))
        let (taken, given) = (TensorBuffer(count: 8), TensorBuffer(count: 4))
        let run = try BoundRun(
            session, inputs: [.init(name: "x", shape: [2, 4], buffer: taken)],
            outputs: [.init(name: "x", shape: [2, 2], buffer: given)])
        taken.fill(1)
        try run.run()
        #expect(given.withSpan { [$0[0], $0[1], $0[2], $0[3]] } == [6, 22, 6, 22])
        #expect(taken.withSpan { $0[0] == 1 && $0[7] == 1 })
        #expect(
            try session.run(["x": floats([1, 1, 1, 1], [1, 4])])["x"] == floats([6, 22], [1, 2]))
    }

    @Test func inputsOfOneNameAreRefused() {
        let error = #expect(throws: InferenceError.self) {
            _ = try Session(liteRT, bytes: TFLiteModel.addition(right: "left"))
        }
        #expect(error?.code == .modelUnreadable)
    }

    @Test func aBoundRunOutlivesTheVariableOfItsSession() throws {
        let (x, y) = (TensorBuffer(count: 4), TensorBuffer(count: 2))
        func bind() throws(InferenceError) -> BoundRun {
            try BoundRun(
                Session(liteRT, bytes: TFLiteModel.dense()),
                inputs: [.init(name: "x", shape: [1, 4], buffer: x)],
                outputs: [.init(name: "y", shape: [1, 2], buffer: y)])
        }
        let run = try bind()
        x.fill(1)
        try run.run()
        #expect(y.withSpan { [$0[0], $0[1]] } == [6, 22])
    }

    @Test func manyThreadsRunOneSession() async throws {
        let session = try Session(liteRT, bytes: TFLiteModel.dense())
        let failures = await withTaskGroup(of: Int.self) { group in
            for thread in 0..<6 {
                group.addTask {
                    await onThread {
                        (0..<40).count { round in
                            let (rows, value) = (1 + (thread + round) % 3, Float(1 + thread))
                            let input = try? Tensor(
                                [Float](repeating: value, count: 4 * rows), shape: [rows, 4])
                            let output = input.flatMap { try? session.run(["x": $0]) }?["y"]?.floats
                            return output != (0..<rows).flatMap { _ in [6 * value, 22 * value] }
                        }
                    }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(failures == 0)
    }

    @Test func aModelWithAStateIsRefused() {
        let error = #expect(throws: InferenceError.self) {
            try Session(liteRT, bytes: TFLiteModel.addition(isVariable: true))
        }
        #expect(error?.code == .modelUnreadable)
        #expect(error?.message.contains("states") == true)
    }

    @Test func aBrokenFileIsNamed() throws {
        for (name, bytes) in [
            ("text.tflite", Array("hello, I am a text file".utf8)), ("empty.tflite", []),
            ("cut.tflite", Array(TFLiteModel.dense().dropLast(40))),
        ] {
            let path = try folder.write(name, bytes)
            let error = #expect(throws: InferenceError.self) { try Session(liteRT, model: path) }
            #expect(error?.code == .modelUnreadable)
            #expect(error?.message.contains(path) == true)
        }
        let missing = #expect(throws: InferenceError.self) {
            try Session(model: "\(folder.path)/none.tflite")
        }
        #expect(missing?.code == .modelNotFound)
    }

    @Test func aModelWithAnOperatorThatDoesNotExistIsRefused() {
        let bytes = TFLiteModel.model(
            codes: [5000], tensors: [TFLiteModel.tensor("x", [3]), TFLiteModel.tensor("y", [3])], inputs: [0],
            outputs: [1], operations: [TFLiteModel.operation(0, inputs: [0], outputs: [1], options: 0)])
        let error = #expect(throws: InferenceError.self) { try Session(liteRT, bytes: bytes) }
        #expect(error?.code == .modelUnreadable)
    }

    @Test(
        .enabled(
            if: (try? testModel("rave_decoder_reference.tflite")) != nil,
            "no reference decoder for LiteRT: echoel_training litert --out .build/test-models/rave_decoder_reference.tflite"
        ))
    func theReferenceDecoderIsTheOnnxOne() throws {
        let onnx = try Session(OnnxRuntime.open(), model: testModel("rave_decoder_reference.onnx"))
        let lite = try Session(liteRT, model: testModel("rave_decoder_reference.tflite"))
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<4 {
            let latent = (0..<128).map { _ in Float.random(in: -2...2, using: &generator) }
            let input = try Tensor(latent, shape: [1, 128])
            let wanted = try #require(onnx.run([onnx.inputs[0].name: input])[onnx.outputs[0].name]?.floats)
            let found = try #require(lite.run([lite.inputs[0].name: input])[lite.outputs[0].name]?.floats)
            let farthest = zip(wanted, found).map { abs($0 - $1) }.max() ?? .infinity
            #expect(found.count == 2048 && farthest <= 1e-4, "max |difference| \(farthest)")
            #expect(Accuracy.decibels([found], reference: [wanted]) >= 90)
        }
    }
}

@Suite struct LiteRTSearchTests {
    let folder = try! TemporaryFolder()

    func failure(_ open: () throws(InferenceError) -> LiteRT) -> InferenceError? {
        do throws(InferenceError) {
            _ = try open()
            return nil
        } catch { return error }
    }

    @Test func aLibraryThatIsNotThereIsNamed() {
        let error = failure { () throws(InferenceError) in try LiteRT.open(library: "/none/libLiteRt.so") }
        #expect(error?.code == .libraryNotFound)
        #expect(error?.message.contains("/none/libLiteRt.so") == true)
        #expect(error?.message.contains("echoel runtime install litert") == true)
    }

    @Test func anotherLibraryIsNotTaken() throws {
        let other = try OnnxRuntime.open().path
        let error = failure { () throws(InferenceError) in try LiteRT.open(library: other) }
        #expect(error?.code == .notLiteRT)
        let text = try folder.write("libLiteRt.so", Array("no library".utf8))
        let noLibrary = failure { () throws(InferenceError) in try LiteRT.open(library: text) }
        #expect(noLibrary?.code == .notLiteRT)
        #expect(noLibrary?.underlying is LibraryLoaderError)
    }

    @Test func theVariableComesFirstAndIsNamed() {
        let error = failure { () throws(InferenceError) in
            try LiteRT.open(
                library: nil, variable: { $0 == "ECHOEL_LITERT" ? "/none" : nil }, executable: nil)
        }
        #expect(error?.message.hasPrefix("ECHOEL_LITERT: ") == true)
    }

    @Test func theNewestInstalledComesFirst() throws {
        for version in ["2.3.0", "2.10.0", "2.9.1"] {
            _ = try folder.write("runtimes/litert-\(version)/LICENSE", [])
        }
        let folders = LiteRT.folders(
            variable: { $0 == "ECHOEL_HOME" ? folder.path : nil }, executable: "/usr/bin/echoel")
        #expect(
            folders
                == ["/usr/bin"] + ["2.10.0", "2.9.1", "2.3.0"].map { "\(folder.path)/runtimes/litert-\($0)" })
        let error = failure { () throws(InferenceError) in
            try LiteRT.open(
                library: nil, variable: { $0 == "ECHOEL_HOME" ? folder.path : nil }, executable: nil)
        }
        #expect(error?.code == .libraryNotFound)
        #expect(error?.message.contains("runtimes/litert-2.10.0") == true)
    }
}
