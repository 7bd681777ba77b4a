import TestSupport
import Testing

@testable import Inference

@Suite struct CUDAOptionsTests {
    @Test func entriesAreOnnxRuntimesOwnNames() {
        let options = CUDAOptions(
            device: 1, graph: true, memoryLimitBytes: 1 << 30, convolutionSearch: .heuristic,
            tensorFloat32: true,
            others: ["device_id": "7", "prefer_nhwc": "1"])
        #expect(
            options.entries == [
                "device_id": "1", "enable_cuda_graph": "1", "gpu_mem_limit": "1073741824",
                "cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "1", "do_copy_in_default_stream": "1",
                "prefer_nhwc": "1",
            ])
        #expect(CUDAOptions().entries["gpu_mem_limit"] == nil)
    }

    /// A library without the provider refuses by itself what it is asked for past our own check.
    @Test func aLibraryWithoutTheProviderSaysSo() throws {
        let runtime = try OnnxRuntime.open()
        guard !runtime.availableProviders.contains(Session.cudaProvider) else { return }
        let error = #expect(throws: InferenceError.self) {
            _ = try Session(runtime, bytes: [0], options: SessionOptions(acceleration: .cuda))
        }
        #expect(error?.code == .accelerationUnavailable)
        #expect(error?.message.contains(Session.cudaProvider) == true)
    }
}
