import Foundation
import TestSupport
import Testing

@testable import Inference

@Suite struct ProviderTests {
    let folder = try! TemporaryFolder()
    let model = fixture("scale_bias.onnx")
    let openVINO = SessionOptions(acceleration: .openVINO)

    /// Inputs of 1 for a model's fixed shapes, and for each dynamic axis one element.
    func inputs(_ session: Session) throws -> [String: Tensor] {
        var tensors: [String: Tensor] = [:]
        for info in session.inputs {
            let shape = info.shape.map { if case .fixed(let size) = $0 { size } else { 1 } }
            tensors[info.name] = try Tensor([Float](repeating: 1, count: shape.reduce(1, *)), shape: shape)
        }
        return tensors
    }

    @Test func optionsAreOnnxRuntimesOwnNames() {
        #expect(
            OpenVINOOptions(cacheFolder: "/c", others: ["num_streams": "2", "device_type": "X"])
                .entries(sessionThreads: 3) == [
                    "device_type": "CPU", "precision": "FP32", "num_of_threads": "3", "cache_dir": "/c",
                    "num_streams": "2",
                ])
        let gpu = OpenVINOOptions(device: .gpu, precision: .f16, threads: 1).entries(sessionThreads: 3)
        #expect(gpu == ["device_type": "GPU", "precision": "FP16", "num_of_threads": "1"])
        let half = OpenVINOOptions(precision: .bf16).entries(sessionThreads: 1)
        #expect(
            half["load_config"] == #"{"CPU":{"INFERENCE_PRECISION_HINT":"bf16"}}"# && half["precision"] == nil
        )
        #expect(
            TensorRTOptions(device: 1, float16: true, cacheFolder: "/c").entries == [
                "device_id": "1", "trt_fp16_enable": "1", "trt_engine_cache_enable": "1",
                "trt_engine_cache_path": "/c",
            ])
    }

    @Test func whatTheLibraryLacksIsSaidForEveryAcceleration() throws {
        let runtime = try OnnxRuntime.open()
        for acceleration in AccelerationType.candidates where acceleration.missing(in: runtime) != nil {
            let error = #expect(throws: InferenceError.self) {
                _ = try Session(runtime, model: model, options: .init(acceleration: acceleration))
            }
            #expect(error?.code == .accelerationUnavailable)
            #expect(error?.message.contains("\(acceleration) acceleration cannot be had") == true)
        }
        #expect(AccelerationType.cpu.unavailability(in: runtime) == nil)
    }

    @Test func aProviderIsNamedAndRunsTheModel() throws {
        let runtime = try FakeRuntime.open(.none, in: folder)
        let session = try Session(runtime, model: model, options: openVINO)
        #expect(session.provider == "OpenVINOExecutionProvider" && session.acceleration == .openVINO)
        let own = try Session(OnnxRuntime.open(), model: model)
        #expect(try session.run(inputs(session)) == own.run(inputs(own)))
        #expect(AccelerationType.openVINO.unavailability(in: runtime) == nil)
    }

    @Test func aProviderThatRefusesOrCannotCompileIsAnErrorWithItsWordsAndTheCPUStillRuns() throws {
        for (fault, words) in [(FakeRuntime.Fault.append, "no device"), (.create, "unsupported operator")] {
            let runtime = try FakeRuntime.open(fault, in: folder)
            let error = #expect(throws: InferenceError.self) {
                _ = try Session(runtime, model: model, options: openVINO)
            }
            #expect(error?.code == .accelerationUnavailable)
            #expect(error?.message.contains(words) == true, "\(error.map(\.message) ?? "")")
        }
        let runtime = try FakeRuntime.open(.append, in: folder)
        #expect(AccelerationType.openVINO.unavailability(in: runtime)?.contains("no device") == true)
        #expect(AccelerationType.openCL.unavailability(in: runtime)?.contains("no device") == true)
        let session = try Session(runtime, model: model)
        #expect(try session.run(inputs(session)).values.allSatisfy(\.isFinite))
    }

    @Test func aRunThatFailsInTheMiddleIsAnErrorAndTheSessionGoesOn() throws {
        let runtime = try FakeRuntime.open(.run, in: folder)
        var options = openVINO
        options.probe = false
        let session = try Session(runtime, model: model, options: options)
        let given = try inputs(session)
        let good = try session.run(given)
        var codes: [InferenceError.Code?] = []
        for _ in 2...8 {
            do throws(InferenceError) {
                #expect(try session.run(given) == good)
                codes.append(nil)
            } catch { codes.append(error.code) }
        }
        #expect(codes == [nil, nil, .runFailed, .runFailed, .runFailed, nil, nil])
    }

    @Test func aProviderThatComputesNaNIsRefusedAtLoadOrInTheRun() throws {
        let never = try FakeRuntime.open(.neverFinite, in: folder)
        let error = #expect(throws: InferenceError.self) {
            _ = try Session(never, model: model, options: openVINO)
        }
        #expect(error?.code == .nonFinite)
        #expect(error?.message.contains("OpenVINOExecutionProvider") == true)

        let later = try FakeRuntime.open(.notFinite, in: folder)
        let session = try Session(later, model: model, options: openVINO)  // the probe is two runs
        let given = try inputs(session)
        _ = try session.run(given)
        #expect(throws: InferenceError.self) { try session.run(given) }

        func binding(_ info: TensorInfo) -> BoundRun.Binding {
            let shape = info.shape.map { if case .fixed(let size) = $0 { size } else { 1 } }
            return .init(name: info.name, shape: shape, buffer: TensorBuffer(count: shape.reduce(1, *)))
        }
        let bound = try BoundRun(
            session, inputs: session.inputs.map(binding), outputs: session.outputs.map(binding))
        var code: InferenceError.Code?
        do throws(InferenceError) { try bound.run() } catch { code = error.code }
        #expect(code == .nonFinite)
    }

    @Test func resultsThatAreTooFarFromTheCPUsAreRefusedWithTheFigure() throws {
        var options = openVINO
        options.leastDecibels = 60
        let error = #expect(throws: InferenceError.self) {
            _ = try Session(FakeRuntime.open(.inexact, in: folder), model: model, options: options)
        }
        #expect(error?.code == .accelerationUnavailable)
        #expect(error?.message.contains("dB from the CPU's, and 60.0 are asked for") == true)
        let exact = try Session(FakeRuntime.open(.none, in: folder), model: model, options: options)
        #expect(exact.acceleration == .openVINO)
        options.leastDecibels = -100
        _ = try Session(FakeRuntime.open(.inexact, in: folder), model: model, options: options)
    }

    @Test func finiteIsToldOfEveryElementThatCounts() {
        let buffer = TensorBuffer(count: 21)
        for count in [0, 1, 7, 8, 9, 20] {
            for value in [Float.nan, .infinity, -.infinity] {
                for index in 0..<21 {
                    buffer.fill(3)
                    buffer.withMutableSpan { $0[index] = value }
                    #expect(buffer.isFinite(count) == (index >= count))
                }
            }
        }
    }

    @Test func aPlugInThatIsNoneIsAnErrorWithItsPath() throws {
        let runtime = try OnnxRuntime.open()
        let text = try folder.write("libtext.so", Array("no library".utf8))
        let source = try folder.write("other.c", Array("int other(void) { return 0; }".utf8))
        try FakeRuntime.compile(source, to: "\(folder.path)/libother.so")
        for file in [text, "\(folder.path)/libother.so", "\(folder.path)/libmissing.so"] {
            let error = #expect(throws: InferenceError.self) {
                try runtime.registerProviders(library: file, named: "other")
            }
            #expect(error?.code == .accelerationUnavailable)
            #expect(error?.message.contains(file) == true)
        }
        // One without plug-ins says so before it looks for any.
        let old = try FakeRuntime.open(.none, in: folder)
        #expect(AccelerationType.webGPU.unavailability(in: old)?.contains("takes no plug-ins") == true)
    }
}
