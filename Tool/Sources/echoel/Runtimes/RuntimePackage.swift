/// A build of ONNX Runtime, a plug-in for one, or LiteRT, that `echoel runtime` installs: a wheel of a Python package index, and the
/// shared libraries in it that are wanted. Nothing of it is Python's.
struct RuntimePackage {
    /// What people call it.
    let name: String
    let version: String
    /// What it is for, a clause.
    let purpose: String
    /// The project that the wheel belongs to.
    let project: String
    /// The folder of the wheel that the libraries lie in.
    let folder: String
    let libraries: [String]
    let wheel: Wheel
    var kind = Kind.onnxRuntime

    enum Kind {
        case onnxRuntime
        /// A library of providers that another build registers, and no build by itself.
        case plugin
        /// What runs `.tflite` models, beside whatever ONNX Runtime is in use.
        case liteRT
    }

    /// The wheel for one platform.
    struct Wheel {
        /// As wheels' names have it, such as `manylinux_2_28_x86_64`.
        let platform: String
        /// In hexadecimal.
        let sha256: String
        let bytes: Int
        /// What it takes on disk to unpack it, all of it.
        let unpackedBytes: Int
    }

    /// Its folder's name among the runtimes; `script/bootstrap` uses the same.
    var folderName: String { "\(name)-\(version)" }
}

extension RuntimePackage {
    /// What there is for this machine. An entry's hash is that of the file in the public index.
    static let catalogue: [RuntimePackage] = {
        #if os(Linux) && arch(x86_64)
            [
                cpu(
                    Wheel(
                        platform: "manylinux_2_28_x86_64",
                        sha256: "99e1074c4b2197accd5073052a465361be17b89c093b8ffb6e6bd8f986c52df8",
                        bytes: 27_780_211, unpackedBytes: 75_707_280)),
                openvino(
                    Wheel(
                        platform: "manylinux_2_28_x86_64",
                        sha256: "d617fac2f59a6ab5ea59a788c3e1592240a129642519aaeaa774761dfe35150e",
                        bytes: 84_433_207, unpackedBytes: 262_530_041)),
                cuda(
                    Wheel(
                        platform: "manylinux_2_28_x86_64",
                        sha256: "05d548956197b9d01f59b625de740e0d6be3593f874e241a12dc0362650ecdf7",
                        bytes: 255_569_273, unpackedBytes: 349_736_453),
                    others: ["libonnxruntime_providers_tensorrt.so"]),
                webgpu(
                    Wheel(
                        platform: "manylinux_2_28_x86_64",
                        sha256: "5d8c961eda91a88961cad1fb7621f389f006b18497d6ea9ecf96f729f066cbfb",
                        bytes: 6_892_120, unpackedBytes: 16_798_234)),
                liteRT(
                    Wheel(
                        platform: "manylinux_2_27_x86_64",
                        sha256: "dc9f56c23e0dcf182b6c35f23fbb102ed048296588882b806d5eff7654c04c88",
                        bytes: 21_781_762, unpackedBytes: 59_671_115)),
            ]
        #elseif os(Linux) && arch(arm64)
            [
                cpu(
                    Wheel(
                        platform: "manylinux_2_28_aarch64",
                        sha256: "e36c187006e7a7c8b8d6d57f1a209dd63f52430dca6c282b177718ad6b841054",
                        bytes: 23_196_724, unpackedBytes: 60_065_987)),
                cuda(
                    Wheel(
                        platform: "manylinux_2_34_aarch64",
                        sha256: "a0f1725c5a6d1ef82d63498b5ebc25e2c90c9560e91dc76db9be4a49162d4d33",
                        bytes: 212_341_829, unpackedBytes: 293_380_575),
                    others: []),
                webgpu(
                    Wheel(
                        platform: "manylinux_2_28_aarch64",
                        sha256: "17f660db53b1a509c63e721ac6784a2daa1c4e91a968523ee9986505ee5b0a55",
                        bytes: 6_096_222, unpackedBytes: 14_209_795)),
                liteRT(
                    Wheel(
                        platform: "manylinux_2_27_aarch64",
                        sha256: "9891611b23a87cc2ace60e4b5ee9a2ee6f0fb7f395f009470961ae6e6310e1b8",
                        bytes: 14_380_093, unpackedBytes: 42_069_887)),
            ]
        #else
            []
        #endif
    }()

    private static func cpu(_ wheel: Wheel) -> RuntimePackage {
        RuntimePackage(
            name: "cpu", version: "1.32.0", purpose: "the processor", project: "onnxruntime",
            folder: "onnxruntime/capi", libraries: ["libonnxruntime.so.1.32.0"], wheel: wheel)
    }

    private static func openvino(_ wheel: Wheel) -> RuntimePackage {
        RuntimePackage(
            name: "openvino", version: "1.24.1",
            purpose: "OpenVINO: processors, and Intel's graphics and neural processors",
            project: "onnxruntime-openvino", folder: "onnxruntime/capi",
            libraries: [
                "libonnxruntime.so.1.24.1", "libonnxruntime_providers_openvino.so",
                "libonnxruntime_providers_shared.so", "libopenvino.so.2541",
                "libopenvino_auto_plugin.so", "libopenvino_hetero_plugin.so",
                "libopenvino_intel_cpu_plugin.so", "libopenvino_intel_gpu_plugin.so",
                "libopenvino_intel_npu_plugin.so", "libopenvino_onnx_frontend.so.2541", "libtbb.so.12",
                "libtbbmalloc.so",
            ], wheel: wheel)
    }

    private static func cuda(_ wheel: Wheel, others: [String]) -> RuntimePackage {
        RuntimePackage(
            name: "cuda", version: "1.31.1",
            purpose: "NVIDIA's graphics processors; CUDA and cuDNN have to be on the machine",
            project: "onnxruntime-gpu", folder: "onnxruntime/capi",
            libraries: [
                "libonnxruntime.so.1.31.1", "libonnxruntime_providers_cuda.so",
                "libonnxruntime_providers_shared.so",
            ] + others, wheel: wheel)
    }

    private static func webgpu(_ wheel: Wheel) -> RuntimePackage {
        RuntimePackage(
            name: "webgpu", version: "0.4.0",
            purpose: "any graphics processor with Vulkan; a plug-in for ONNX Runtime 1.24.4 and later",
            project: "onnxruntime-ep-webgpu", folder: "onnxruntime_ep_webgpu",
            libraries: ["libonnxruntime_providers_webgpu.so"], wheel: wheel, kind: .plugin)
    }

    private static func liteRT(_ wheel: Wheel) -> RuntimePackage {
        RuntimePackage(
            name: "litert", version: "2.3.0",
            purpose: "LiteRT: .tflite models, on processors and on graphics processors with Vulkan",
            project: "ai-edge-litert", folder: "ai_edge_litert",
            libraries: ["libLiteRt.so", "libLiteRtWebGpuAccelerator.so"], wheel: wheel, kind: .liteRT)
    }

    /// The package that people mean by `cpu` or `cpu-1.32.0`.
    ///
    /// - Throws: `unusable`, with what there is.
    static func named(_ name: String, in catalogue: [RuntimePackage] = catalogue) throws(ToolError)
        -> RuntimePackage
    {
        if let package = catalogue.first(where: { $0.name == name || $0.folderName == name }) {
            return package
        }
        guard !catalogue.isEmpty else {
            throw ToolError(
                .unusable,
                "There is no runtime to download for this system. Install ONNX Runtime with the system's package "
                    + "manager, and set ECHOEL_ONNXRUNTIME to its library if it is not found.")
        }
        let names = catalogue.map(\.name).joined(separator: ", ")
        throw ToolError(
            .unusable, "There is no runtime called \(name) for this machine. There are: \(names).")
    }
}
