#if os(Linux)
    #if canImport(Musl)
        import Musl
    #else
        import Glibc
    #endif

    extension OnnxRuntime {
        static let loaderNames = ["libonnxruntime.so", "libonnxruntime.so.1"]
        static let homebrewPrefixes = ["/home/linuxbrew/.linuxbrew"]

        /// `libonnxruntime.so.1.32.0` and its like.
        static func isVersionedLibraryName(_ name: String) -> Bool { name.hasPrefix("libonnxruntime.so.") }

        package static func executablePath() -> String? { resolvedPath("/proc/self/exe") }

        static func platformDataFolder(_ variable: (String) -> String?) -> String? {
            if let data = variable("XDG_DATA_HOME") { return "\(data)/echoel" }
            return variable("HOME").map { "\($0)/.local/share/echoel" }
        }
    }
#endif
