extension OnnxRuntime {
    /// Finds and opens ONNX Runtime.
    ///
    /// With a `path` (a file, or a folder that holds the library) only that is tried; else with the environment
    /// variable `ECHOEL_ONNXRUNTIME` only what it names; else, in this order: in the folder of `neighbour`, beside the
    /// executable, `echoel`'s data folder (`runtimes/current/`), the system's loader, Homebrew's prefixes.
    ///
    /// Room: control.
    /// - Parameter neighbour: a file that may have brought the library along, such as a plugin that holds this code.
    /// - Throws: `libraryNotFound` with every place that was tried, `notOnnxRuntime`, `libraryTooOld`.
    public static func open(
        library path: String? = nil, neighbour: String? = nil
    ) throws(InferenceError) -> OnnxRuntime {
        try open(library: path, in: Surroundings(neighbour: neighbour))
    }

    /// What the search depends on besides the disk.
    struct Surroundings {
        /// The environment.
        var variable: (String) -> String? = environmentVariable
        var neighbour: String?
        var executable: String? = executablePath()
        var loaderNames = OnnxRuntime.loaderNames
        var homebrewPrefixes = OnnxRuntime.homebrewPrefixes
    }

    static func open(
        library path: String?, in surroundings: Surroundings
    ) throws(InferenceError) -> OnnxRuntime {
        if let path { return try open(named: path) }
        if let path = surroundings.variable("ECHOEL_ONNXRUNTIME") {
            do throws(InferenceError) {
                return try open(named: path)
            } catch {
                throw InferenceError(
                    error.code, "ECHOEL_ONNXRUNTIME: \(error.message)", underlying: error.underlying)
            }
        }
        var tried: [String] = []
        var unusable: InferenceError?
        for place in places(in: surroundings) {
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

    static func places(in surroundings: Surroundings) -> [Place] {
        var places: [Place] = []
        for file in [surroundings.neighbour, surroundings.executable].compactMap({ $0 }) {
            places.append(.folder(folder(of: file)))
        }
        if let data = dataFolder(surroundings.variable) {
            places.append(.folder("\(data)/runtimes/current"))
        }
        places += surroundings.loaderNames.map(Place.loader)
        places += surroundings.homebrewPrefixes.map { .folder("\($0)/lib") }
        return places
    }

    private static func open(named path: String) throws(InferenceError) -> OnnxRuntime {
        if case .directory = fileKind(path) { return try open(folder: path) }
        // A name without a slash is a file here, not one for the system's loader.
        return try open(file: path.contains("/") ? path : "./\(path)")
    }

    private static func open(place: Place) throws(InferenceError) -> OnnxRuntime {
        switch place {
        case .folder(let path): return try open(folder: path)
        case .loader(let name):
            do throws(InferenceError) {
                return try open(file: name)
            } catch {
                // What the loader does not open, it mostly does not have.
                guard error.underlying is LibraryLoaderError else { throw error }
                throw InferenceError(.libraryNotFound, error.message, underlying: error.underlying)
            }
        }
    }

    private static func open(folder: String) throws(InferenceError) -> OnnxRuntime {
        guard let name = libraryName(among: (try? folderEntries(folder)) ?? []) else {
            throw InferenceError(.libraryNotFound, "No ONNX Runtime library in \(folder). \(remedy)")
        }
        return try open(file: "\(folder)/\(name)")
    }

    /// The library's file in a folder: the plain name, else the newest-looking versioned one.
    static func libraryName(among entries: [String]) -> String? {
        for name in loaderNames where entries.contains(name) { return name }
        return entries.last { isVersionedLibraryName($0) }
    }

    /// echoel's data folder: `ECHOEL_HOME`, else the platform's place for it; nil without a home.
    ///
    /// - Parameter variable: an environment variable's value, nil where it is unset or empty.
    package static func dataFolder(_ variable: (String) -> String? = environmentVariable) -> String? {
        variable("ECHOEL_HOME") ?? platformDataFolder(variable)
    }

    package static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
