// What a BoundRun costs beside a bare C loop over ONNX Runtime's API, in one process, on one binding.
//
//   swift run --package-path Benchmarks -c release inference-overhead
//
// Rounds of the two alternate; each figure is the median over the rounds. Exits with 1 over the budget.
import Inference

// Short rounds, so that few of them are interrupted by other work of the machine.
let runsPerRound = 100
let rounds = 4_001
let budgetNanoseconds = 100.0

let root = "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/")

/// Nanoseconds of `count` runs.
func nanoseconds(_ run: borrowing BoundRun, _ count: Int) throws -> Double {
    let clock = ContinuousClock()
    let start = clock.now
    for _ in 0..<count { try run.run() }
    let spent = start.duration(to: clock.now).components
    return Double(spent.seconds) * 1e9 + Double(spent.attoseconds) / 1e9
}

/// Median nanoseconds per run: ours and a bare loop's. Each is first in every other round.
func overhead(_ run: borrowing BoundRun, runs: Int, rounds: Int) throws -> (ours: Double, bare: Double) {
    var ours: [Double] = []
    var bare: [Double] = []
    for round in 0..<rounds + 20 {
        var floor = 0.0
        if round % 2 == 0 { floor = Double(try run.bareNanoseconds(runs)) }
        let spent = try nanoseconds(run, runs)
        if round % 2 == 1 { floor = Double(try run.bareNanoseconds(runs)) }
        if round < 20 { continue }  // warm-up
        ours.append(spent / Double(runs))
        bare.append(floor / Double(runs))
    }
    return (median(ours), median(bare))
}

func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

/// Binds every tensor of a model, with `sizes` for the dynamic axes.
func bind(_ session: Session, _ sizes: [String: Int]) throws -> BoundRun {
    func bindings(_ infos: [TensorInfo]) -> [BoundRun.Binding] {
        infos.map { info in
            let shape = info.shape.map {
                if case .fixed(let size) = $0 { size } else { sizes[$0.description] ?? 1 }
            }
            return .init(name: info.name, shape: shape, buffer: TensorBuffer(count: shape.reduce(1, *)))
        }
    }
    return try BoundRun(session, inputs: bindings(session.inputs), outputs: bindings(session.outputs))
}

func text(_ nanoseconds: Double) -> String { "\((nanoseconds * 10).rounded() / 10) ns" }

let runtime = try OnnxRuntime.open()
print("ONNX Runtime \(runtime.version); medians of alternating rounds, per run")
var isWithinBudget = true
for (name, sizes, runs, rounds) in [
    ("one_node", [:], runsPerRound, rounds),
    ("sine_decoder", ["batch": 8, "slots": 2, "frames": 16, "samples": 256], 5, rounds / 4),
] {
    let session = try Session(runtime, model: "\(root)/Tests/Fixtures/\(name).onnx")
    let result = try overhead(try bind(session, sizes), runs: runs, rounds: rounds)
    let difference = result.ours - result.bare
    print(
        "\(name): BoundRun \(text(result.ours)), bare C loop \(text(result.bare)), overhead \(text(difference))"
    )
    if name == "one_node" { isWithinBudget = difference <= budgetNanoseconds }
}
print("budget: \(text(budgetNanoseconds)) on one_node")
if !isWithinBudget { throw InferenceError(.runFailed, "BoundRun's overhead is over its budget.") }
