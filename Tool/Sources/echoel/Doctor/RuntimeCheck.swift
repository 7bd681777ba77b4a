import Inference

/// Whether ONNX Runtime is there, and what it can run on; and LiteRT, which only `.tflite` models need.
enum RuntimeCheck {
    static func liteRT(_ checks: inout [Check]) {
        do throws(InferenceError) {
            checks.append(.passed("litert", try LiteRT.open().path))
        } catch {
            checks.append(
                error.code == .libraryNotFound
                    ? .passed(
                        "litert", "not installed; .tflite models need it: echoel runtime install litert")
                    : .failed("litert", error.message, fix: "run echoel runtime install litert"))
        }
    }

    static func run(_ checks: inout [Check]) -> OnnxRuntime? {
        do throws(InferenceError) {
            let runtime = try OnnxRuntime.open()
            checks.append(.passed("onnxruntime", "\(runtime.version) in \(runtime.path)"))
            checks.append(.passed("providers", runtime.availableProviders.joined(separator: ", ")))
            return runtime
        } catch {
            checks.append(
                .failed(
                    "onnxruntime", error.message,
                    fix:
                        "run script/bootstrap or echoel runtime install cpu, or set ECHOEL_ONNXRUNTIME to the library's path"
                ))
            return nil
        }
    }
}
