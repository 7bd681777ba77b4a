import Inference
import TestSupport
import Testing

@Suite struct BoundRunTests {
    let runtime = try! OnnxRuntime.open()

    func session(_ name: String) throws -> Session { try Session(runtime, model: fixture("\(name).onnx")) }

    @Test func aRunReadsAndWritesTheBoundMemory() throws {
        let x = TensorBuffer(count: 16)
        let y = TensorBuffer(count: 16)
        let run = try BoundRun(
            try session("one_node"), inputs: [.init(name: "x", shape: [1, 16], buffer: x)],
            outputs: [.init(name: "y", shape: [1, 16], buffer: y)])
        for value in [Float(1), -3.5, 0] {
            x.fill(value)
            try run.run()
            y.withSpan { y in for i in 0..<16 { #expect(y[i] == -value) } }
        }
    }

    @Test func runsOfSeveralSizesShareOneLargeBuffer() throws {
        let session = try session("identity")
        let x = TensorBuffer(count: 64)
        let y = TensorBuffer(count: 64)
        x.withMutableSpan { x in for i in 0..<64 { x[i] = Float(i) + 1 } }
        for batch in [16, 3, 1] {
            let run = try BoundRun(
                session, inputs: [.init(name: "x", shape: [batch, 4], buffer: x)],
                outputs: [.init(name: "y", shape: [batch, 4], buffer: y)])
            y.fill(0)
            try run.run()
            y.withSpan { y in for i in 0..<64 { #expect(y[i] == (i < 4 * batch ? Float(i) + 1 : 0)) } }
        }
    }

    @Test func theOutputOfOneRunIsTheInputOfTheNext() throws {
        let session = try session("stateful")
        let audio = TensorBuffer(count: 8)
        let sum = TensorBuffer(count: 8)
        let states = [TensorBuffer(count: 1), TensorBuffer(count: 1)]
        audio.fill(1)
        let runs = Runs(
            even: try bind(session, audio, states[0], sum, states[1]),
            odd: try bind(session, audio, states[1], sum, states[0]))
        for round in 0..<10 {
            if round % 2 == 0 { try runs.even.run() } else { try runs.odd.run() }
            sum.withSpan { sum in #expect(sum[7] == Float(8 * (round + 1))) }
        }
    }

    struct Runs: ~Copyable { let even: BoundRun, odd: BoundRun }

    func bind(
        _ session: Session, _ audio: TensorBuffer, _ before: TensorBuffer, _ sum: TensorBuffer,
        _ after: TensorBuffer
    ) throws -> BoundRun {
        try BoundRun(
            session,
            inputs: [
                .init(name: "audio", shape: [1, 1, 8], buffer: audio),
                .init(name: "state_sum", shape: [1, 1], buffer: before),
            ],
            outputs: [
                .init(name: "sum", shape: [1, 1, 8], buffer: sum),
                .init(name: "next_sum", shape: [1, 1], buffer: after),
            ])
    }

    @Test func buffersAreZeroedAndAligned() {
        for count in [0, 1, 15, 1000] {
            let buffer = TensorBuffer(count: count)
            #expect(unsafe UInt(bitPattern: buffer.base) % 64 == 0)
            buffer.withSpan { span in
                #expect(span.count == count)
                for i in 0..<count { #expect(span[i] == 0) }
            }
        }
    }

    @Test func wrongBindingsAreNamed() throws {
        let session = try session("scale_bias")
        let four = TensorBuffer(count: 4)
        func binding(_ name: String, _ shape: [Int] = [1, 4]) -> BoundRun.Binding {
            .init(name: name, shape: shape, buffer: four)
        }
        let good = [binding("a"), binding("b")]
        let huge = [1 << 40, 4]
        let wrong: [([BoundRun.Binding], [BoundRun.Binding], InferenceError.Code, String)] = [
            ([binding("a")], [binding("sum")], .unknownTensor, "b: float32"),
            (good + [binding("c")], [binding("sum")], .unknownTensor, "\"c\""),
            (good + [binding("a")], [binding("sum")], .unknownTensor, "twice"),
            (good, [], .unknownTensor, "No output"),
            (good, [binding("total")], .unknownTensor, "sum, product"),
            ([binding("a", [1, 5]), binding("b")], [binding("sum")], .shapeMismatch, "[1, 5]"),
            ([binding("a", [4]), binding("b")], [binding("sum")], .shapeMismatch, "[4]"),
            ([binding("a", [0, 4]), binding("b")], [binding("sum")], .shapeMismatch, "[0, 4]"),
            ([binding("a", [-1, 4]), binding("b")], [binding("sum")], .shapeMismatch, "[-1, 4]"),
            ([binding("a", [2, 4]), binding("b")], [binding("sum")], .shapeMismatch, "holds 4"),
            ([binding("a", huge), binding("b")], [binding("sum")], .shapeMismatch, "1099511627776"),
            ([binding("a", [.max, 4]), binding("b")], [binding("sum")], .shapeMismatch, "too large"),
            (good, [binding("sum", [1, 3])], .shapeMismatch, "[1, 3]"),
        ]
        for (inputs, outputs, code, part) in wrong {
            let error = #expect(throws: InferenceError.self) {
                _ = try BoundRun(session, inputs: inputs, outputs: outputs)
            }
            #expect(error?.code == code, "\(part)")
            #expect(error?.message.contains(part) == true, "\(error.map(\.message) ?? "")")
            #expect(error?.message.contains("scale_bias.onnx") == true)
        }
    }

    @Test func onlyFloat32IsBound() throws {
        let buffer = TensorBuffer(count: 4)
        let error = #expect(throws: InferenceError.self) {
            _ = try BoundRun(
                try session("int64"), inputs: [.init(name: "x", shape: [1, 4], buffer: buffer)],
                outputs: [.init(name: "y", shape: [1, 4], buffer: buffer)])
        }
        #expect(error?.code == .typeUnsupported)
        #expect(error?.message.contains("int64") == true)
    }

    @Test func anOutputOfTheWrongDynamicSizeFailsInTheRun() throws {
        let x = TensorBuffer(count: 16)
        let y = TensorBuffer(count: 16)
        let run = try BoundRun(
            try session("identity"), inputs: [.init(name: "x", shape: [4, 4], buffer: x)],
            outputs: [.init(name: "y", shape: [2, 4], buffer: y)])
        x.fill(9)
        do {
            try run.run()
            Issue.record("the run did not fail")
        } catch {
            #expect(error.code == .runFailed)
            #expect(error.message.contains("identity.onnx"))
        }
        // Nothing was written past what was bound.
        y.withSpan { y in for i in 8..<16 { #expect(y[i] == 0) } }
    }
}
