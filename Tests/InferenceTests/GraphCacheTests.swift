import Foundation
import TestSupport
import Testing

@testable import Inference

/// Models of the size that is kept, and what is done with them.
struct GraphCacheBench {
    let folder: TemporaryFolder
    let runtime: OnnxRuntime
    var cache: String { "\(folder.path)/cache/graphs" }

    init() throws {
        folder = try TemporaryFolder()
        runtime = try OnnxRuntime.open()
    }

    var options: SessionOptions { SessionOptions(cache: .folder(cache), sharesWeights: false) }

    /// A fixture's bytes, made long by a description.
    static func padded(_ name: String, filler: UInt8 = 0x61) throws -> [UInt8] {
        let count = 1 << 17
        // Field 6 of a model is a text: its tag, its length in groups of 7 bits, its bytes.
        let head: [UInt8] =
            [0x32] + [UInt8(count & 0x7F | 0x80), UInt8(count >> 7 & 0x7F | 0x80), UInt8(count >> 14)]
        return try Array(Data(contentsOf: URL(fileURLWithPath: fixture(name)))) + head
            + [UInt8](repeating: filler, count: count)
    }

    func write(_ name: String, filler: UInt8 = 0x61, as file: String? = nil) throws -> String {
        try folder.write(file ?? name, Self.padded(name, filler: filler))
    }

    func entries() -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: cache)) ?? []).filter { $0 != "files" }
            .sorted()
    }

    static func decibels(_ results: [String: Tensor], _ wanted: [String: Tensor]) -> Double {
        let names = wanted.keys.sorted()
        return Accuracy.decibels(
            names.compactMap { results[$0]?.floats }, reference: names.compactMap { wanted[$0]?.floats })
    }

    /// What the model makes of noise, with sizes of the dynamic axes.
    static func outputs(_ session: Session, size: Int = 1) throws -> [String: Tensor] {
        try session.run(try #require(session.inputTensors(.positiveNoise, sizeOf: { _ in size })))
    }
}

@Suite struct GraphCacheTests {
    let bench = try! GraphCacheBench()

    /// The shipped models have operators of ours and half-precision weights, the reference ones 36 MB.
    @Test(arguments: [
        "rave_decoder_reference.onnx", "rave_encoder_reference.onnx", "rave_decoder_ensemble.onnx",
        "rave_prior_piano.onnx", "rave_encoder.onnx",
    ])
    func theNextLoadHasTheGraphFromTheCacheAndGivesTheSame(_ name: String) throws {
        let shipped = "\(repositoryRoot)/Models/NeuralSynth/\(name)"
        let model = FileManager.default.fileExists(atPath: shipped) ? shipped : try testModel(name)
        var off = bench.options
        off.cache = .off
        let plain = try Session(bench.runtime, model: model, options: off)
        #expect(plain.origin == .model)
        let first = try Session(bench.runtime, model: model, options: bench.options)
        #expect(first.origin == .model && first.cacheNote == nil)
        let second = try Session(bench.runtime, model: model, options: bench.options)
        #expect(second.origin == .cache)
        #expect(second.inputs == plain.inputs && second.outputs == plain.outputs)
        #expect(second.metadata == plain.metadata && second.path == model)
        #expect(second.sizeBytes == plain.sizeBytes)
        var generator = SeededGenerator.announced()
        var compared = 0
        for size in [1, 16, 2, Int.random(in: 3...15, using: &generator)] {
            guard let inputs = plain.inputTensors(.noise, sizeOf: { _ in size }),
                let wanted = try? plain.run(inputs)
            else { continue }
            let results = try second.run(inputs)
            #expect(try first.run(inputs) == results)
            // With one row a product may be summed up in another order; nothing else differs in a bit.
            let isNear = size == 1 && GraphCacheBench.decibels(results, wanted) >= 100
            #expect(results == wanted || isNear, "size \(size)")
            compared += 1
        }
        #expect(compared > 0)
        #expect(bench.entries().count == 1)
    }

    @Test func aModelInMemoryIsKeptAsItsFileIs() throws {
        let bytes = try GraphCacheBench.padded("scale_bias.onnx")
        let first = try Session(bench.runtime, bytes: bytes, options: bench.options)
        let file = try Session(
            bench.runtime, model: bench.write("scale_bias.onnx"), options: bench.options)
        #expect(first.origin == .model && file.origin == .cache)
        #expect(try GraphCacheBench.outputs(file) == GraphCacheBench.outputs(first))
    }

    /// What the graph depends on has entries of its own.
    @Test func anotherContentOrOptionHasAnotherEntry() throws {
        func origin(_ model: String, _ options: SessionOptions) throws -> Session.Origin {
            try Session(bench.runtime, model: model, options: options).origin
        }
        let model = try bench.write("scale_bias.onnx")
        var basic = bench.options
        basic.graphOptimization = .basic
        var threads = bench.options
        threads.intraOpThreads = 2
        #expect(try origin(model, bench.options) == .model)
        #expect(try origin(model, basic) == .model)
        #expect(try origin(model, bench.options) == .cache)
        #expect(try origin(model, threads) == .cache)
        #expect(
            try origin(bench.write("scale_bias.onnx", filler: 0x62, as: "b.onnx"), bench.options) == .model)
        #expect(try origin(fixture("scale_bias.onnx"), bench.options) == .model)
        #expect(bench.entries().count == 3)
    }

    /// A file that is written anew, even with as many bytes, is another model.
    @Test func aModelThatIsReplacedIsNeverTheOldOne() throws {
        let model = try bench.write("scale_bias.onnx", as: "model.onnx")
        let old = try Session(bench.runtime, model: model, options: bench.options)
        _ = try bench.write("sine_decoder.onnx", as: "model.onnx")
        let new = try Session(bench.runtime, model: model, options: bench.options)
        #expect(new.origin == .model && new.inputs != old.inputs)
        _ = try bench.write("scale_bias.onnx", as: "model.onnx")
        let again = try Session(bench.runtime, model: model, options: bench.options)
        #expect(again.origin == .cache && again.inputs == old.inputs)
    }

    @Test func aDamagedEntryIsMadeAnew() throws {
        let model = try testModel("rave_decoder_reference.onnx")
        let first = try Session(bench.runtime, model: model, options: bench.options)
        let wanted = try GraphCacheBench.outputs(first)
        let entry = "\(bench.cache)/\(try #require(bench.entries().first))"
        let damages: [(String, (String) throws -> Void)] = [
            ("list", { try Data().write(to: URL(fileURLWithPath: $0)) }),
            ("list", { try FileManager.default.removeItem(atPath: $0) }),
            ("list", { try Data(repeating: 0xFF, count: 9000).write(to: URL(fileURLWithPath: $0)) }),
            ("graph.onnx", { unsafe truncate($0, 100) }),
            ("graph.onnx", { try FileManager.default.removeItem(atPath: $0) }),
            ("weights", { unsafe truncate($0, 1_000_000) }),
            ("weights", { try FileManager.default.removeItem(atPath: $0) }),
            (
                "weights",
                { path in
                    let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
                    try file.seek(toOffset: 5_000_000)
                    try file.write(contentsOf: Data(repeating: 0x3F, count: 4096))
                    try file.close()
                }
            ),
        ]
        for (file, damage) in damages {
            try damage("\(entry)/\(file)")
            let session = try Session(bench.runtime, model: model, options: bench.options)
            #expect(session.origin == .model, "\(file)")
            #expect(try GraphCacheBench.decibels(GraphCacheBench.outputs(session), wanted) >= 100)
            let next = try Session(bench.runtime, model: model, options: bench.options)
            #expect(next.origin == .cache, "\(file)")
            #expect(try GraphCacheBench.outputs(next) == GraphCacheBench.outputs(session))
        }
        #expect(bench.entries().count == 1)
    }

    @Test func whereNothingCanBeKeptModelsLoadAndItIsSaidWhy() throws {
        let model = try bench.write("scale_bias.onnx")
        var options = bench.options
        options.cache = .folder(try bench.folder.write("file", []) + "/below")
        for _ in 0..<2 {
            let session = try Session(bench.runtime, model: model, options: options)
            #expect(session.origin == .model)
            #expect(session.cacheNote?.contains("cannot be written (Not a directory)") == true)
            #expect(session.cacheNote?.contains("ECHOEL_GRAPH_CACHE") == true)
        }
        #expect(options.cache.summary().problem?.contains("cannot be written") == true)
        #expect(GraphCache.off.folder == nil)
        #expect(bench.options.cache.summary().problem == nil)
    }

    /// A model that computes NaN is refused every time, not only the first.
    @Test func aModelThatIsRefusedIsNotKept() throws {
        let model = try bench.write("nan_weights.onnx")
        for _ in 0..<2 {
            let error = #expect(throws: InferenceError.self) {
                try Session(bench.runtime, model: model, options: bench.options)
            }
            #expect(error?.code == .nonFinite)
        }
        var unprobed = bench.options
        unprobed.probe = false
        #expect(try Session(bench.runtime, model: model, options: unprobed).origin == .model)
        for _ in 0..<2 {
            #expect(throws: InferenceError.self) {
                try Session(bench.runtime, model: model, options: bench.options)
            }
        }
    }

    @Test func manyAtOnceMakeOneEntryAndAllAreRight() throws {
        let model = try bench.write("scale_bias.onnx")
        let wanted = try GraphCacheBench.outputs(
            Session(bench.runtime, model: model, options: SessionOptions(cache: .off)))
        let (runtime, options) = (bench.runtime, bench.options)
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            let outputs = try? GraphCacheBench.outputs(Session(runtime, model: model, options: options))
            #expect(outputs == wanted)
        }
        #expect(bench.entries().count == 1)
        #expect(try Session(runtime, model: model, options: options).origin == .cache)
    }

    @Test func whatWasUsedLeastRecentlyGoesFirst() throws {
        var paths: [String] = []
        for filler in UInt8(1)...4 {
            let model = try bench.write("scale_bias.onnx", filler: filler, as: "\(filler).onnx")
            let before = bench.entries()
            _ = try Session(bench.runtime, model: model, options: bench.options)
            paths += bench.entries().filter { !before.contains($0) }
        }
        try #require(paths.count == 4)
        let folder = GraphFolder(bench.cache)
        let sizes = folder.entries().map(\.bytes)
        // Used again, the first is the last to go.
        _ = try Session(bench.runtime, model: "\(bench.folder.path)/1.onnx", options: bench.options)
        folder.evict(limitBytes: sizes.reduce(0, +))
        #expect(bench.entries().count == 4)
        folder.evict(limitBytes: sizes.max()! * 2)
        #expect(bench.entries() == [paths[0], paths[3]].sorted())
        #expect(bench.options.cache.summary().models == 2)
        let session = try Session(
            bench.runtime, model: "\(bench.folder.path)/2.onnx", options: bench.options)
        #expect(session.origin == .model)
    }

    /// Their files may change without the model's.
    @Test func weightsInOtherFilesAreSeenWhereverTheyAreNamed() throws {
        let mark = [0x0A, 0x08] + Array("location".utf8)
        for offset in [0, 100, (1 << 18) - 9, (1 << 18) - 5, (1 << 18) - 1, 1 << 18, (1 << 19) - 3] {
            var bytes = [UInt8](repeating: 0x6C, count: 1 << 19 | 7)
            let path = try bench.folder.write("model", bytes)
            #expect(try #require(ModelContent(reading: path)).isWhole)
            bytes.replaceSubrange(offset..<offset + 10, with: mark)
            bytes.removeLast(max(0, bytes.count - (1 << 19 | 7)))
            #expect(!ModelContent(of: bytes).isWhole)
            #expect(try #require(ModelContent(reading: bench.folder.write("model", bytes))).isWhole == false)
        }
    }
}
