internal import CEchoel
internal import Inference
internal import Models
internal import NeuralSynth
internal import Player

/// Why a call failed: the code for the host, the sentence for its user.
struct PluginError: Error {
    let result: echoel_result
    let message: String

    init(_ result: echoel_result, _ message: String) {
        self.result = result
        self.message = message
    }

    init(_ error: any Error) {
        switch error {
        case let error as PluginError: self = error
        case let error as InferenceError: self.init(Self.result(error), error.message)
        case let error as NeuralSynthError: self.init(Self.result(error), error.message)
        default: self.init(ECHOEL_CANNOT_LOAD, "\(error)")
        }
    }

    private static func result(_ error: InferenceError) -> echoel_result {
        switch error.code {
        case .libraryNotFound, .notOnnxRuntime, .libraryTooOld: ECHOEL_NO_RUNTIME
        case .outOfResources: ECHOEL_OUT_OF_RESOURCES
        default: ECHOEL_CANNOT_LOAD
        }
    }

    private static func result(_ error: NeuralSynthError) -> echoel_result {
        if let underlying = error.underlying as? InferenceError { return result(underlying) }
        return switch error.code {
        case .configuration: ECHOEL_INVALID_ARGUMENT
        case .sampleRate: ECHOEL_UNSUPPORTED_RATE
        default: ECHOEL_CANNOT_LOAD
        }
    }

    /// A host's rate in Hz, as a whole number.
    ///
    /// - Parameter own: the model's, to name a rate that always works; nil where it has none.
    /// - Throws: `PluginError` where it is out of range, or not whole.
    static func wholeRate(_ rate: Double, own: Int?) throws(PluginError) -> Int {
        guard let whole = Int(exactly: rate), LiveConfiguration.sampleRates.contains(whole) else {
            throw PluginError(
                ECHOEL_UNSUPPORTED_RATE,
                "\(rate) Hz is no sample rate to play at: a whole number from 8000 to 384000 is. Set the host to "
                    + "\(own ?? 48_000) Hz.")
        }
        return whole
    }

    static func missing(_ argument: String) -> PluginError {
        PluginError(ECHOEL_INVALID_ARGUMENT, "The argument \(argument) is NULL; it is needed.")
    }
}

/// Runs the body of a control function, and leaves its error where `echoel_last_error` finds it.
func reporting(_ body: () throws -> Void) -> echoel_result {
    do {
        try body()
        unsafe support_set_error("")
        return ECHOEL_OK
    } catch {
        let error = PluginError(error)
        unsafe support_set_error(error.message)
        return error.result
    }
}
