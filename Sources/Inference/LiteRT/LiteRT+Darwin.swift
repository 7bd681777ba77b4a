#if canImport(Darwin)
    extension LiteRT {
        static let libraryName = "libLiteRt.dylib"
        static let gpuLibraryName = "libLiteRtWebGpuAccelerator.dylib"
    }
#endif
