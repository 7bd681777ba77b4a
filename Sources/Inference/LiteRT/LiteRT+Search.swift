extension LiteRT {
    /// Finds and opens LiteRT.
    ///
    /// With a `path` (a file, or a folder that holds the library) only that is tried; else with the environment
    /// variable `ECHOEL_LITERT` only what it names; else, in this order: beside the executable, the newest of `echoel`'s
    /// data folder (`runtimes/litert-*/`).
    ///
    /// Room: control.
    /// - Throws: `libraryNotFound` with every place that was tried, `notLiteRT`, `libraryTooOld`.
    public static func open(library path: String? = nil) throws(InferenceError) -> LiteRT {
        try open(library: path, variable: environmentVariable, executable: OnnxRuntime.executablePath())
    }

    static func open(
        library path: String?, variable: (String) -> String?, executable: String?
    ) throws(InferenceError) -> LiteRT {
        if let path { return try open(named: path) }
        if let path = variable("ECHOEL_LITERT") {
            do throws(InferenceError) {
                return try open(named: path)
            } catch {
                throw InferenceError(
                    error.code, "ECHOEL_LITERT: \(error.message)", underlying: error.underlying)
            }
        }
        let places = folders(variable: variable, executable: executable)
        for folder in places {
            if case .file = fileKind("\(folder)/\(libraryName)") { return try open(named: folder) }
        }
        throw InferenceError(
            .libraryNotFound,
            "No LiteRT library was found. \(remedy) Tried: \(places.joined(separator: "; ")).")
    }

    /// The folders that may hold the library, best first.
    static func folders(variable: (String) -> String?, executable: String?) -> [String] {
        var folders = executable.map { [OnnxRuntime.folder(of: $0)] } ?? []
        guard let data = OnnxRuntime.dataFolder(variable) else { return folders }
        let runtimes = "\(data)/runtimes"
        let installed = ((try? folderEntries(runtimes)) ?? []).filter { $0.hasPrefix("litert-") }
        folders +=
            installed.isEmpty ? ["\(runtimes)/litert-*"] : newestFirst(installed).map { "\(runtimes)/\($0)" }
        return folders
    }

    private static func newestFirst(_ names: [String]) -> [String] {
        func version(_ name: String) -> [Int] {
            name.dropFirst("litert-".count).split(separator: ".").map { Int($0) ?? 0 }
        }
        return names.sorted { version($1).lexicographicallyPrecedes(version($0)) }
    }

    private static func open(named path: String) throws(InferenceError) -> LiteRT {
        if case .directory = fileKind(path) { return try open(file: "\(path)/\(libraryName)") }
        // A name without a slash is a file here, not one for the system's loader.
        return try open(file: path.contains("/") ? path : "./\(path)")
    }
}
