#if os(Linux)
    extension LiteRT {
        static let libraryName = "libLiteRt.so"
        static let gpuLibraryName = "libLiteRtWebGpuAccelerator.so"
    }
#endif
