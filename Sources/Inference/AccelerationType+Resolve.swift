extension AccelerationType {
    /// What a session runs on, and what was given up for it.
    struct Choice {
        /// Never `auto`.
        var acceleration: AccelerationType
        var note: String?

        var provider: String { acceleration.provider ?? Session.cpuProvider }
    }

    /// What is asked for, once the library is sure to have it; the processor for `.auto`, with what stands against the others.
    ///
    /// - Throws: `accelerationUnavailable`, unless it is `.cpu` or `.auto`.
    func resolve(in runtime: OnnxRuntime) throws(InferenceError) -> Choice {
        switch self {
        case .cpu: return Choice(acceleration: .cpu, note: nil)
        case .auto:
            let reasons = Self.candidates.compactMap {
                $0.missing(in: runtime).map { "\($0.capitalizedSentence)" }
            }
            return Choice(acceleration: .cpu, note: "The CPU was chosen. " + reasons.joined(separator: " "))
        default:
            if let reason = missing(in: runtime) { throw unavailable(reason) }
            return Choice(acceleration: self, note: nil)
        }
    }

    func unavailable(_ reason: String, underlying: (any Error)? = nil) -> InferenceError {
        InferenceError(
            .accelerationUnavailable, "\(self) acceleration cannot be had: \(reason) Ask for cpu or auto.",
            underlying: underlying)
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
    public func unavailability(in runtime: OnnxRuntime) -> String? {
        if self == .cpu || self == .auto { return nil }
        if let reason = missing(in: runtime) { return reason }
        do throws(InferenceError) {
            try Session.tryProvider(runtime, self)
            return nil
        } catch {
            return (error.underlying as? OnnxRuntimeStatus).map { "\($0.reason(model: ""))." }
                ?? error.message
        }
    }
}

extension String {
    fileprivate var capitalizedSentence: String { prefix(1).uppercased() + dropFirst() }
}
