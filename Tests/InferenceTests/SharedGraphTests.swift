import Foundation
import TestSupport
import Testing

@testable import Inference

@Suite struct SharedGraphTests {
    let runtime = try! OnnxRuntime.open()
    let folder = try! TemporaryFolder()
    let options = SessionOptions(cache: .off)

    /// Its own, so that no other test has it in use.
    func model(_ filler: UInt8 = 0x70, as name: String = "model.onnx") throws -> String {
        try folder.write(name, GraphCacheBench.padded("scale_bias.onnx", filler: filler))
    }

    /// Which graph a session has, without keeping it.
    private func graph(of session: Session) throws -> ObjectIdentifier {
        guard case .onnxRuntime(let graph) = session.engine else { throw CancellationError() }
        return ObjectIdentifier(graph)
    }

    @Test func sessionsOfOneContentShareItsGraphForAsLongAsOneIsThere() throws {
        let path = try model(1)
        var first: Session? = try Session(runtime, model: path, options: options)
        #expect(first?.origin == .model)
        var second: Session? = try Session(
            runtime, bytes: GraphCacheBench.padded("scale_bias.onnx", filler: 1), options: options)
        #expect(second?.origin == .shared)
        #expect(try graph(of: #require(first)) == graph(of: #require(second)))
        #expect(
            try GraphCacheBench.outputs(#require(second)) == GraphCacheBench.outputs(#require(first)))
        first = nil
        #expect(try Session(runtime, model: model(1, as: "copy.onnx"), options: options).origin == .shared)
        second = nil
        #expect(try Session(runtime, model: path, options: options).origin == .model)
    }

    @Test func otherOptionsThreadsAndContentsShareNothing() throws {
        let path = try model(2)
        let first = try Session(runtime, model: path, options: options)
        #expect(first.origin == .model)
        var others = [options, options, options, options]
        others[0].sharesWeights = false
        others[1].intraOpThreads = 2
        others[2].graphOptimization = .none
        others[3].ownOperators = false
        for other in others {
            #expect(try Session(runtime, model: path, options: other).origin == .model)
        }
        #expect(try Session(runtime, model: model(3, as: "other.onnx"), options: options).origin == .model)
        #expect(try Session(runtime, model: path, options: options).origin == .shared)
    }

    @Test func loadsAtOnceAreOneLoad() throws {
        let path = try model(4)
        let (runtime, options) = (runtime, options)
        let sessions = Monitor<[Session]>([])
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            guard let session = try? Session(runtime, model: path, options: options) else { return }
            let outputs = try? GraphCacheBench.outputs(session)
            #expect(outputs != nil)
            sessions.withLock { $0.append(session) }
        }
        let origins = sessions.withLock { $0.map(\.origin) }
        #expect(origins.count == 8 && origins.count { $0 == .model } == 1)
    }

    /// A model that fails to load does not stand in the way of those that wait for it.
    @Test func aLoadThatFailsFailsForEach() throws {
        let path = try folder.write("bad.onnx", [UInt8](repeating: 0x37, count: 1 << 17))
        let (runtime, options) = (runtime, options)
        let failures = Monitor(0)
        DispatchQueue.concurrentPerform(iterations: 6) { _ in
            if (try? Session(runtime, model: path, options: options)) == nil {
                failures.withLock { $0 += 1 }
            }
        }
        #expect(failures.withLock { $0 } == 6)
    }

    /// Every session asks for finite results, whichever loaded the graph.
    @Test func aSharedGraphIsProbedForWhoAsksForIt() throws {
        let path = try folder.write("nan.onnx", GraphCacheBench.padded("nan_weights.onnx"))
        var unprobed = options
        unprobed.probe = false
        let first = try Session(runtime, model: path, options: unprobed)
        #expect(first.origin == .model)
        #expect(throws: InferenceError.self) { try Session(runtime, model: path, options: options) }
        #expect(try Session(runtime, model: path, options: unprobed).origin == .shared)
    }
}
