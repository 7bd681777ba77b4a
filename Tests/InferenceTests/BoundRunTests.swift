import Inference
import TestSupport
import Testing

@Suite struct BoundRunTests {
    let runtime = try! OnnxRuntime.open()

    @Test func aBoundRunAddsItsInputToItself() throws {
        let session = try Session(runtime, model: fixture("one_node.onnx"))
        let x = TensorBuffer(count: 16)
        let y = TensorBuffer(count: 16)
        let run = try BoundRun(
            session, inputs: [.init(name: "x", shape: [1, 16], buffer: x)],
            outputs: [.init(name: "y", shape: [1, 16], buffer: y)])
        for value in [Float(1), -3.5, 0] {
            x.fill(value)
            try run.run()
            y.withSpan { y in for i in 0..<16 { #expect(y[i] == 2 * value) } }
        }
    }
}
