#if canImport(Darwin)
    import Darwin

    extension OnnxRuntime {
        static let loaderNames = ["libonnxruntime.dylib"]
        static let homebrewPrefixes = ["/opt/homebrew", "/usr/local"]

        /// `libonnxruntime.1.32.0.dylib` and its like.
        static func isVersionedLibraryName(_ name: String) -> Bool {
            name.hasPrefix("libonnxruntime.") && name.hasSuffix(".dylib")
        }

        package static func executablePath() -> String? {
            var size: UInt32 = 0
            unsafe _NSGetExecutablePath(nil, &size)
            return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(size)) { buffer in
                guard unsafe _NSGetExecutablePath(buffer.baseAddress!, &size) == 0 else { return nil }
                return resolvedPath(unsafe String(cString: buffer.baseAddress!))
            }
        }

        static func platformDataFolder(_ variable: (String) -> String?) -> String? {
            variable("HOME").map { "\($0)/Library/Application Support/echoel" }
        }
    }
#endif
