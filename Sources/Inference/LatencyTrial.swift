/// A model's runs on noise, one at a time, to be measured beside others.
///
/// Room: control.
public final class LatencyTrial {
    private let session: Session
    private let inputs: [String: Tensor]
    private let bound: BoundRun?
    private let prepared: PreparedRun?

    /// - Parameter dimensions: sizes of dynamic axes by name; the others are 1.
    /// - Throws: as `Session.measureLatency`.
    public init(_ session: Session, dimensions: [String: Int] = [:]) throws(InferenceError) {
        self.session = session
        inputs = try session.measuredInputs(dimensions)
        if session.isOnDevice {
            let sizeOf = { (name: String?) -> Int in name.flatMap { dimensions[$0] } ?? 1 }
            bound = try session.boundRun(inputs, sizeOf: sizeOf)
            prepared = nil
        } else {
            bound = nil
            prepared = try PreparedRun(session, inputs: inputs, outputs: nil)
        }
    }

    /// One run. - Returns: milliseconds.
    /// - Throws: `runFailed`, `nonFinite`.
    public func run() throws(InferenceError) -> Double {
        if let prepared { return Double(try prepared.timedRun()) / 1e6 }
        let start = monotonicNanoseconds()
        try bound?.run()
        return Double(monotonicNanoseconds() - start) / 1e6
    }

    /// What the model makes of the noise, which is the same in every trial of the same model: its outputs of floats, in the
    /// model's order.
    ///
    /// - Throws: `runFailed`, `nonFinite`.
    public func outputs() throws(InferenceError) -> [[Float]] {
        let results = try session.run(inputs)
        return session.outputs.compactMap { results[$0.name]?.floats }
    }
}
