import Foundation
import TestSupport
import Testing

@testable import Inference

@Suite struct MappedGraphTests {
    let bench = try! GraphCacheBench()

    /// An optimised reference model in a folder, its second form beside it.
    private func optimised(_ name: String) throws -> (
        plain: Session, staged: StagedGraph, source: ModelSource
    ) {
        let model = try testModel(name)
        let options = SessionOptions(cache: .off, sharesWeights: false)
        let plain = try Session(bench.runtime, model: model, options: options)
        let content = try #require(ModelContent(reading: model))
        let folder = GraphFolder(bench.cache)
        let staged = try StagedGraph(GraphEntry(bench.runtime, content, options, in: folder), in: folder)
        let source = ModelSource.file(model, bytes: plain.sizeBytes)
        let handle = try unsafe Session.create(bench.runtime, source, options, .cpu, savingTo: staged.graph)
        _ = try unsafe LoadedGraph(bench.runtime, handle, name: name)
        #expect(MappedGraph.write(in: staged.folder))
        return (plain, staged, source)
    }

    private func session(_ graph: String, _ source: ModelSource) throws -> Session {
        let handle = try unsafe LoadedGraph.optimized(bench.runtime, graph, SessionOptions())
        return Session(try unsafe LoadedGraph(bench.runtime, handle, name: graph), source)
    }

    /// The decoder's matrix is turned, the encoder's too; with several rows the first form is what runs.
    @Test(arguments: ["rave_decoder_reference.onnx", "rave_encoder_reference.onnx"])
    func bothFormsMeanWhatTheModelDoes(_ name: String) throws {
        let (plain, staged, source) = try optimised(name)
        let first = try session(staged.graph, source)
        #expect(plain.isEqual(to: first, sizes: [1, 2, 5, 16]))
        let second = try session(staged.mapped, source)
        #expect(plain.isEqual(to: second, sizes: [1], leastDecibels: 100))
        #expect(second.inputs == plain.inputs)
    }

    /// A graph that is no graph, or whose weights are short, has no second form.
    @Test func whatIsDamagedHasNoSecondForm() throws {
        let (_, staged, _) = try optimised("rave_decoder_reference.onnx")
        let whole = try Data(contentsOf: URL(fileURLWithPath: staged.graph))
        removeFile(staged.mapped)
        var generator = SeededGenerator.announced()
        for _ in 0..<200 {
            var bytes = whole.prefix(Int.random(in: 0...whole.count, using: &generator))
            for _ in 0..<Int.random(in: 0...3, using: &generator) where !bytes.isEmpty {
                bytes[Int.random(in: bytes.indices, using: &generator)] = .random(
                    in: 0...255, using: &generator)
            }
            // Anything but a crash: what is written is compared with the model before it is used.
            try bytes.write(to: URL(fileURLWithPath: staged.graph))
            _ = MappedGraph.write(in: staged.folder)
        }
        removeFile(staged.mapped)
        let weights = "\(staged.folder)/\(GraphEntry.weightsFile)"
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: weights))
        try whole.write(to: URL(fileURLWithPath: staged.graph))
        #expect(MappedGraph.write(in: staged.folder) == (FileStamp(staged.mapped) != nil))
    }

    /// Sessions of one graph run one row and many at once.
    @Test func oneRowAndManyAtOnce() throws {
        let (plain, staged, source) = try optimised("rave_decoder_reference.onnx")
        let handle = try unsafe LoadedGraph.optimized(bench.runtime, staged.mapped, SessionOptions())
        let loads = Monitor(0)
        let runtime = bench.runtime
        let graph = try unsafe LoadedGraph(
            runtime, handle, name: "mapped",
            loadRows: {
                loads.withLock { $0 += 1 }
                return unsafe try? LoadedGraph.optimized(runtime, staged.graph, SessionOptions())
            })
        let session = Session(graph, source)
        #expect(plain.isEqual(to: session, sizes: [1], leastDecibels: 100))
        #expect(loads.withLock { $0 } == 0)
        DispatchQueue.concurrentPerform(iterations: 6) { index in
            #expect(plain.isEqual(to: session, sizes: [index % 2 == 0 ? 1 : index + 1], leastDecibels: 100))
        }
        #expect(loads.withLock { $0 } == 1)
        // Where the cache has been emptied meanwhile, the second form runs rows, too.
        let alone = Session(
            try unsafe LoadedGraph(
                runtime, LoadedGraph.optimized(runtime, staged.mapped, SessionOptions()), name: "alone",
                loadRows: { nil }), source)
        #expect(plain.isEqual(to: alone, sizes: [1, 4], leastDecibels: 100))
    }
}
