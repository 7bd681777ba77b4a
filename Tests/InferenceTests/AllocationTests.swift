import Inference
import TestSupport
import Testing

@Suite(.enabled(if: allocationsCanBeCounted, "allocations are counted with glibc and without sanitizers"))
struct AllocationTests {
    /// Allocations in a thousand runs: ours, and those of a bare C loop over the same binding.
    func count(_ run: borrowing BoundRun) throws -> (ours: Int, bare: Int) {
        for _ in 0..<100 { try run.run() }
        _ = try run.bareNanoseconds(100)
        let bare = try allocations { _ = try run.bareNanoseconds(1000) }
        let ours = try allocations { () throws(InferenceError) in for _ in 0..<1000 { try run.run() } }
        return (ours, bare)
    }

    @Test func aBoundRunAllocatesNothingOnOurSide() throws {
        let session = try Session(OnnxRuntime.open(), model: fixture("one_node.onnx"))
        let x = TensorBuffer(count: 16)
        let y = TensorBuffer(count: 16)
        let run = try BoundRun(
            session, inputs: [.init(name: "x", shape: [1, 16], buffer: x)],
            outputs: [.init(name: "y", shape: [1, 16], buffer: y)])
        let (ours, bare) = try count(run)
        #expect(ours - bare == 0, "ours \(ours), bare \(bare)")
    }

    @Test func norDoesOneOfManyTensors() throws {
        let session = try Session(OnnxRuntime.open(), model: fixture("sine_decoder.onnx"))
        let sizes = ["batch": 8, "slots": 2, "frames": 16, "samples": 256]
        func bindings(_ infos: [TensorInfo]) -> [BoundRun.Binding] {
            infos.map { info in
                let shape = info.shape.map {
                    if case .fixed(let size) = $0 { size } else { sizes[$0.description] ?? 1 }
                }
                return .init(name: info.name, shape: shape, buffer: TensorBuffer(count: shape.reduce(1, *)))
            }
        }
        let run = try BoundRun(session, inputs: bindings(session.inputs), outputs: bindings(session.outputs))
        let (ours, bare) = try count(run)
        #expect(ours - bare == 0, "ours \(ours), bare \(bare)")
    }

    @Test func theCounterSeesAnAllocation() {
        let counted = allocations { for _ in 0..<10 { TensorBuffer(count: 1000).fill(1) } }
        #expect(counted >= 10)
        #expect(allocations {} == 0)
    }
}
