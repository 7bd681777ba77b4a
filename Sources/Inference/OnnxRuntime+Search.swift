extension OnnxRuntime {
    /// Finds and opens ONNX Runtime.
    ///
    /// With a `path` (a file, or a folder that holds the library) only that is tried; else with the environment
    /// variable `ECHOEL_ONNXRUNTIME` only what it names; else, in this order: beside the executable, `echoel`'s
    /// data folder (`runtimes/current/`), the system's loader, Homebrew's prefixes.
    ///
    /// Room: control.
    /// - Throws: `libraryNotFound` with every place that was tried, `notOnnxRuntime`, `libraryTooOld`.
    public static func open(library path: String? = nil) throws(InferenceError) -> OnnxRuntime {
        if let path { return try open(named: path) }
        if let path = environmentVariable("ECHOEL_ONNXRUNTIME") {
            do throws(InferenceError) {
                return try open(named: path)
            } catch {
                throw InferenceError(
                    error.code, "ECHOEL_ONNXRUNTIME: \(error.message)", underlying: error.underlying)
            }
        }
        var tried: [String] = []
        var unusable: InferenceError?
        for place in searchPlaces() {
            do throws(InferenceError) {
                return try open(place: place)
            } catch {
                tried.append(error.code == .libraryNotFound ? place.text : "\(place.text): \(error.message)")
                if error.code != .libraryNotFound, unusable == nil { unusable = error }
            }
        }
        throw InferenceError(
            unusable?.code ?? .libraryNotFound,
            "No usable ONNX Runtime library was found. \(remedy) Tried: \(tried.joined(separator: "; ")).",
            underlying: unusable)
    }

    /// Somewhere to look.
    enum Place {
        /// A folder that may hold the library under one of its names.
        case folder(String)
        /// A bare name that the system's loader looks up.
        case loader(String)

        var text: String {
            switch self {
            case .folder(let path): path
            case .loader(let name): "\(name) (system loader)"
            }
        }
    }

    static func searchPlaces() -> [Place] {
        var places: [Place] = []
        if let executable = executablePath() { places.append(.folder(folder(of: executable))) }
        if let data = dataFolder() { places.append(.folder("\(data)/runtimes/current")) }
        places += loaderNames.map(Place.loader)
        places += homebrewPrefixes.map { .folder("\($0)/lib") }
        return places
    }

    /// `echoel`'s data folder: `ECHOEL_HOME`, else the platform's place for it.
    static func dataFolder() -> String? { environmentVariable("ECHOEL_HOME") ?? platformDataFolder() }

    private static func open(named path: String) throws(InferenceError) -> OnnxRuntime {
        guard case .directory = fileKind(path) else { return try open(file: path) }
        return try open(folder: path)
    }

    private static func open(place: Place) throws(InferenceError) -> OnnxRuntime {
        switch place {
        case .folder(let path): return try open(folder: path)
        case .loader(let name):
            do throws(InferenceError) {
                return try open(file: name)
            } catch {
                // The loader says "no such file" and "not a library" with one voice.
                guard error.code == .notOnnxRuntime, error.underlying == nil else { throw error }
                throw InferenceError(.libraryNotFound, error.message)
            }
        }
    }

    private static func open(folder: String) throws(InferenceError) -> OnnxRuntime {
        guard let name = libraryName(among: folderEntries(folder)) else {
            throw InferenceError(.libraryNotFound, "No ONNX Runtime library in \(folder). \(remedy)")
        }
        return try open(file: "\(folder)/\(name)")
    }

    /// The library's file in a folder: the plain name, else the newest-looking versioned one.
    static func libraryName(among entries: [String]) -> String? {
        for name in loaderNames where entries.contains(name) { return name }
        return entries.last { isVersionedLibraryName($0) }
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
