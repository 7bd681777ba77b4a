package import Inference
package import OnnxProto
import SwiftProtobuf

/// Rewrites a model step by step, and keeps of each step only what is proven: that the results are near enough to the
/// original's, and that this machine gains from it.
///
/// Room: control.
package struct Optimizer {
    package let runtime: OnnxRuntime
    package var rewrites: [any GraphRewrite]
    package var stimulus: Stimulus
    /// The least signal-to-noise ratio to the original's results, in dB.
    package var leastDecibels: Double
    package var options: SessionOptions
    /// Of each comparison of times.
    package var seconds: Double

    package init(
        _ runtime: OnnxRuntime, rewrites: [any GraphRewrite], stimulus: Stimulus, leastDecibels: Double,
        threads: Int = 1, seconds: Double = 1
    ) {
        self.runtime = runtime
        self.rewrites = rewrites
        self.stimulus = stimulus
        self.leastDecibels = leastDecibels
        // What is tried once is nothing to keep, and every candidate has to be loaded in the same way.
        options = SessionOptions(intraOpThreads: threads, cache: .off)
        self.seconds = seconds
    }

    /// The key of a model's metadata that names the rewrites that were tried on it, separated by commas.
    package static let mark = "echoel.optimized"

    /// Below this share of the time before a rewrite for time is kept.
    static let faster = 0.97
    /// Up to this share of the time before a rewrite for size is kept.
    static let notSlower = 1.05

    /// - Parameter progress: is told of each step.
    /// - Throws: `OptimizeError`, `InferenceError` where the model itself does not run or the result is not as it should be.
    package func optimize(
        _ model: Onnx_ModelProto, progress: (Step) -> Void = { _ in }
    ) throws -> Outcome {
        let original = try session(model)
        let stimulus = try usable(self.stimulus, original)
        let reference = try stimulus.outputs(of: original)
        var proof = Proof(
            original: original, reference: reference, stimulus: stimulus, optimizer: self,
            current: Candidate(graph: try Graph(model), session: original))
        let tried = Self.tried(model)
        for rewrite in rewrites where !tried.contains(rewrite.name) {
            for step in try proof.tryOut(rewrite) { progress(step) }
        }
        let result = Self.marked(proof.current.graph.model, tried + rewrites.map(\.name))
        // Nothing that could be said is taken on trust: the model that is returned is the one that is measured.
        let final = try session(result)
        let decibels = try proof.decibels(of: final)
        guard decibels >= leastDecibels else {
            throw OptimizeError("the result is \(decibels) dB from the original, below \(leastDecibels).")
        }
        try requireOtherSizes(original, final, stimulus)
        let times = try Turns(original, final, sizes: stimulus.sizes, seconds: 2 * seconds)
        return Outcome(
            model: result, steps: proof.steps, decibels: decibels, beforeMilliseconds: times.before,
            afterMilliseconds: times.after, ratio: times.ratio)
    }

    func session(_ model: Onnx_ModelProto) throws -> Session {
        try Session(runtime, bytes: try model.serializedBytes(), options: options)
    }

    /// With positive numbers, where the model computes from others what is not finite.
    private func usable(_ stimulus: Stimulus, _ session: Session) throws -> Stimulus {
        var stimulus = stimulus
        for isPositive in [false, true] {
            stimulus.isPositive = isPositive
            let outputs: [[Float]]
            do {
                outputs = try stimulus.outputs(of: session)
            } catch let error as InferenceError where error.code == .runFailed {
                throw OptimizeError(
                    "it does not run with the sizes that its axes have here, which are 1 unless they are given: "
                        + "\(error.message)")
            }
            if outputs.allSatisfy({ $0.allSatisfy(\.isFinite) }) { return stimulus }
        }
        throw OptimizeError(
            "it computes NaN or infinity from random numbers, so that nothing can be compared. Give its manifest the "
                + "units of its inputs, or export it again from a healthy checkpoint.")
    }

    /// Axes that were open are open, and other sizes give what they gave.
    private func requireOtherSizes(_ original: Session, _ final: Session, _ stimulus: Stimulus) throws {
        guard final.inputs == original.inputs,
            original.inputs.contains(where: { $0.shape.contains(where: \.isDynamic) })
        else { return }
        var other = stimulus
        other.sizes = stimulus.sizes.mapValues { $0 + 1 }
        other.otherSize = 2
        other.runs = min(2, stimulus.runs)
        guard let reference = try? other.outputs(of: original) else { return }
        let decibels = Accuracy.decibels(try other.outputs(of: final), reference: reference)
        guard decibels >= leastDecibels else {
            throw OptimizeError(
                "the result is \(decibels) dB from the original with other sizes (\(other.sizes)), below \(leastDecibels)."
            )
        }
    }

    private static func tried(_ model: Onnx_ModelProto) -> [String] {
        model.metadataProps.first { $0.key == mark }.map { $0.value.split(separator: ",").map(String.init) }
            ?? []
    }

    private static func marked(_ model: Onnx_ModelProto, _ names: [String]) -> Onnx_ModelProto {
        var model = model
        var entry = Onnx_StringStringEntryProto()
        entry.key = mark
        entry.value = Set(names).sorted().joined(separator: ",")
        model.metadataProps.removeAll { $0.key == mark }
        model.metadataProps.append(entry)
        return model
    }
}

extension Optimizer {
    /// What came of one rewrite.
    package struct Step: Sendable {
        package let name: String
        /// What it did, for a person.
        package var what: String
        package var decibels: Double?
        package var beforeMilliseconds: Double?
        package var afterMilliseconds: Double?
        package var isKept = false
        /// Why it was not kept.
        package var reason: String?
    }

    package struct Outcome: Sendable {
        package let model: Onnx_ModelProto
        package let steps: [Step]
        /// Of the results to the original's, at least.
        package let decibels: Double
        package let beforeMilliseconds, afterMilliseconds: Double
        /// After through before, measured in turns.
        package let ratio: Double
    }
}
