extension AccelerationType {
    /// What a session runs on, and what was given up for it.
    struct Choice {
        var acceleration: AccelerationType
        var note: String?

        /// Nil where it is `auto`, to be measured for each model.
        var provider: String? { acceleration.provider }
    }

    /// What is asked for, once the library is sure to have it. `.auto` stays where there is something to measure; else it is
    /// the processor, with what stands against the others.
    ///
    /// - Throws: `accelerationUnavailable`, unless it is `.cpu` or `.auto`.
    func resolve(in runtime: OnnxRuntime) throws(InferenceError) -> Choice {
        switch self {
        case .cpu: return Choice(acceleration: .cpu, note: nil)
        case .auto:
            let reasons = Self.candidates.map { (name: $0, missing: $0.missing(in: runtime)) }
            if reasons.contains(where: { $0.missing == nil }) {
                return Choice(acceleration: .auto, note: nil)
            }
            let text = reasons.compactMap { reason in reason.missing.map { "\(reason.name): \($0)" } }
            return Choice(acceleration: .cpu, note: "The CPU was chosen. " + text.joined(separator: " "))
        default:
            if let reason = missing(in: runtime) { throw unavailable(reason) }
            return Choice(acceleration: self, note: nil)
        }
    }

    /// What the library lacks for it; nil where it has the provider. A sentence.
    func missing(in runtime: OnnxRuntime) -> String? {
        guard let provider, self != .cpu else { return nil }
        if self == .webGPU { return runtime.missingPlugin(.webGPU) }
        if runtime.availableProviders.contains(provider) { return nil }
        let advice =
            switch self {
            case .cuda, .tensorRT: " Install one that has: echoel runtime install cuda."
            case .openVINO, .openCL: " Install one that has: echoel runtime install openvino."
            default: ""
            }
        return "this ONNX Runtime (\(runtime.version), \(runtime.path)) has no \(provider); it has: "
            + "\(runtime.availableProviders.joined(separator: ", ")).\(advice)"
    }

    /// Why models cannot run on it with this library on this machine; nil where they can, as far as it can be told without
    /// one. A sentence. It tries, and so it loads what the provider needs.
    ///
    /// Room: control.
    /// - Parameter options: what the provider is asked for; `acceleration` does not count.
    public func unavailability(in runtime: OnnxRuntime, options: SessionOptions = .init()) -> String? {
        if self == .cpu || self == .auto { return nil }
        if let reason = missing(in: runtime) { return reason }
        do throws(InferenceError) {
            try Session.tryProvider(runtime, self, options)
            return nil
        } catch {
            return reason(in: error)
        }
    }

    private static let remedy = " Ask for cpu or auto."
    private var clause: String { "\(self) acceleration cannot be had: " }

    func unavailable(_ reason: String, underlying: (any Error)? = nil) -> InferenceError {
        InferenceError(.accelerationUnavailable, "\(clause)\(reason)\(Self.remedy)", underlying: underlying)
    }

    /// The sentence that `unavailable` was made of, or the whole message of another error.
    public func reason(in error: InferenceError) -> String {
        guard error.message.hasPrefix(clause), error.message.hasSuffix(Self.remedy) else {
            return error.message
        }
        return String(error.message.dropFirst(clause.count).dropLast(Self.remedy.count))
    }
}
