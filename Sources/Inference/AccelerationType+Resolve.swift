extension AccelerationType {
    /// What a session runs on, and what was given up for it.
    struct Choice {
        let provider: String
        let note: String?
    }

    /// The providers that this version's engine can hand a model to.
    static let wiredProviders: Set<String> = ["CPUExecutionProvider", "CUDAExecutionProvider"]

    /// - Throws: `accelerationUnavailable`, unless it is `.cpu` or `.auto`.
    func resolve(in runtime: OnnxRuntime) throws(InferenceError) -> Choice {
        switch self {
        case .cpu: return Choice(provider: "CPUExecutionProvider", note: nil)
        case .auto:
            // On a graphics processor a model is not faster because there is one: that is measured, not guessed.
            let reasons = [AccelerationType.cuda, .metal, .openCL].compactMap {
                $0.unavailability(in: runtime)
            }
            return Choice(
                provider: "CPUExecutionProvider",
                note: "The CPU was chosen. " + reasons.joined(separator: " "))
        case .cuda, .metal, .openCL:
            if let reason = unavailability(in: runtime) {
                throw InferenceError(
                    .accelerationUnavailable,
                    "\(self) acceleration cannot be had: \(reason) Ask for cpu or auto.")
            }
            return Choice(provider: providers.first { Self.wiredProviders.contains($0) }!, note: nil)
        }
    }

    /// Why models cannot run on it with this library; nil where they can. A sentence.
    public func unavailability(in runtime: OnnxRuntime) -> String? {
        if self == .cpu || self == .auto { return nil }
        let built = providers.filter { runtime.availableProviders.contains($0) }
        guard let provider = built.first else {
            return "this ONNX Runtime (\(runtime.version), \(runtime.path)) has no "
                + "\(providers.joined(separator: " or ")); it has: "
                + "\(runtime.availableProviders.joined(separator: ", "))."
        }
        guard built.contains(where: { Self.wiredProviders.contains($0) }) else {
            return
                "this ONNX Runtime (\(runtime.version)) has \(provider), but this version of the engine does not "
                + "run models on it yet."
        }
        return nil
    }
}
