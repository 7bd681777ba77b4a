import Foundation
import TestSupport
import Testing

@testable import Inference

@Suite struct AutoTests {
    let folder = try! TemporaryFolder()
    let model = fixture("scale_bias.onnx")

    func options(deadline: Double? = nil, threads: Int = 1) -> SessionOptions {
        SessionOptions(
            intraOpThreads: threads, acceleration: .auto,
            auto: AutoOptions(
                deadlineMilliseconds: deadline, seconds: 0, cacheFolder: "\(folder.path)/cache/choices"))
    }

    /// A provider that is slower, wrong, or does not do its work is given up, and it is said why.
    @Test(arguments: [
        (FakeRuntime.Fault.slow, "openVINO: p99"), (.inexact, "dB from the CPU's"), (.append, "no device"),
        (.create, "cannot load the model"), (.run, "failed while it was measured"),
        (.neverFinite, "computed NaN"), (.notFinite, "OpenVINOExecutionProvider computed NaN"),
    ])
    func theCPUIsChosen(_ fault: FakeRuntime.Fault, _ words: String) throws {
        let runtime = try FakeRuntime.open(fault, in: folder)
        let session = try Session(runtime, model: model, options: options())
        #expect(session.acceleration == .cpu && session.provider == "CPUExecutionProvider")
        let note = session.accelerationNote ?? ""
        #expect(note.hasPrefix("The CPU was chosen"), "\(note)")
        #expect(note.contains(words), "\(note)")
        #expect(note.contains("cuda: this ONNX Runtime"), "\(note)")
    }

    @Test func theFasterIsChosenAndRememberedForTheSameModelLibraryAndOptions() throws {
        let runtime = try FakeRuntime.open(.slowProcessor, in: folder)
        func load(_ options: SessionOptions, _ model: String) throws -> (AccelerationType, isRemembered: Bool)
        {
            let session = try Session(runtime, model: model, options: options)
            #expect(session.accelerationNote?.contains("cpu: p99") == true)
            return (session.acceleration, session.accelerationNote?.contains("Remembered") == true)
        }
        #expect(try load(options(), model) == (.openVINO, false))
        #expect(try load(options(), model) == (.openVINO, true))
        #expect(try load(options(threads: 2), model) == (.openVINO, false))
        #expect(try load(options(deadline: 10), model) == (.openVINO, false))
        #expect(try load(options(), fixture("identity.onnx")) == (.openVINO, false))
        #expect(try load(options(), model) == (.openVINO, true))
    }

    @Test func aDamagedMemoryIsIgnoredAndWrittenAnew() throws {
        let runtime = try FakeRuntime.open(.slowProcessor, in: folder)
        _ = try Session(runtime, model: model, options: options())
        let cache = "\(folder.path)/cache/choices"
        let names = try FileManager.default.contentsOfDirectory(atPath: cache)
        try #require(names.count == 1)
        let file = URL(fileURLWithPath: "\(cache)/\(names[0])")
        let whole = try Data(contentsOf: file)
        let damages: [Data] = [
            Data(), whole.prefix(whole.count / 2), whole.dropLast(2), Data(repeating: 0xFF, count: 5000),
            Data(
                String(decoding: whole, as: UTF8.self).replacingOccurrences(
                    of: "\nopenVINO\n", with: "\nauto\n"
                ).utf8),
            Data(String(decoding: whole, as: UTF8.self).replacingOccurrences(of: "1", with: "7").utf8),
        ]
        for damage in damages {
            try Data(damage).write(to: file)
            let session = try Session(runtime, model: model, options: options())
            #expect(session.acceleration == .openVINO)
            #expect(session.accelerationNote?.contains("Remembered") == false)
            #expect(try Data(contentsOf: file).starts(with: whole.prefix(40)))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: cache) == names)
    }

    @Test func whereItCannotBeRememberedItIsMeasuredEveryTime() throws {
        let runtime = try FakeRuntime.open(.slowProcessor, in: folder)
        var options = options()
        options.auto.cacheFolder = try folder.write("file", []) + "/below"
        for _ in 0..<2 {
            let session = try Session(runtime, model: model, options: options)
            #expect(session.acceleration == .openVINO)
            #expect(session.accelerationNote?.contains("Remembered") == false)
        }
    }

    @Test func theEngineTellsOfEachModel() throws {
        let runtime = try FakeRuntime.open(.slowProcessor, in: folder)
        let engine = MLEngine(library: runtime.path)
        try engine.initialize(.auto)
        #expect(engine.provider == nil && engine.accelerationNote == nil)
        var options = SessionOptions()
        options.auto = self.options().auto
        let info = try engine.loadModel(at: model, named: "model", options: options)
        #expect(info.provider == "OpenVINOExecutionProvider")
        #expect(info.accelerationNote?.contains("openVINO was chosen") == true)
    }

    @Test func decibelsAreThoseOfTheWorstOutput() {
        #expect(Accuracy.decibels([[1, 2]], reference: [[1, 2]]) == 200)
        #expect(abs(Accuracy.decibels([[1.1], [5]], reference: [[1], [5]]) - 20) < 1e-4)
        #expect(Accuracy.decibels([[.nan]], reference: [[1]]) == -200)
        #expect(Accuracy.decibels([[1]], reference: [[1, 2]]) == -200)
        #expect(Accuracy.decibels([[1]], reference: [[0]]) == -200)
        #expect(Accuracy.decibels([[0]], reference: [[0]]) == 200)
    }
}
