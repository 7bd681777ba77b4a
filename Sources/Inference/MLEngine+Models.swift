extension MLEngine {
    /// Loads a model's file under a name: by LiteRT where it is a `.tflite`, by ONNX Runtime else. A model that has the
    /// name already is replaced, once its runs have ended.
    ///
    /// - Parameter options: its `acceleration` does not count: the engine's does.
    /// - Throws: `notInitialized`, `modelNotFound`, `modelUnreadable`, `nonFinite`, `invalidArgument`; for a `.tflite` also what
    ///   `LiteRT.open` throws, and `accelerationUnavailable`.
    @discardableResult
    public func loadModel(
        at path: String, named name: String, options: SessionOptions = .init()
    ) throws(InferenceError) -> ModelInfo {
        let core = try core()
        var options = options
        options.acceleration = core.asked
        let session =
            Session.isForLiteRT(path)
            ? try Session(LiteRT.open(), model: path, options: options)
            : try Session(core.runtime, model: path, options: options)
        let model = LoadedModel(session, name: name, path: path)
        let replaced = state.withLock { state in
            state.unloaded[name] = nil
            return state.models.updateValue(model, forKey: name)
        }
        replaced?.close()
        return model.info
    }

    /// Loads a model on one of the engine's threads.
    @discardableResult
    public func loadModel(
        at path: String, named name: String, options: SessionOptions = .init()
    ) async throws(InferenceError) -> ModelInfo {
        try await onPool { engine throws(InferenceError) in
            try engine.loadModel(at: path, named: name, options: options)
        }
    }

    /// Unloads a model: no run begins any more, and this waits for those that have begun. Runs that are still queued
    /// fail with `modelNotLoaded`.
    ///
    /// - Throws: `unknownModel`, `modelNotLoaded`.
    public func unloadModel(named name: String) throws(InferenceError) {
        let model = try take(name)
        model.close()
    }

    /// Unloads a model on one of the engine's threads.
    public func unloadModel(named name: String) async throws(InferenceError) {
        try await onPool { engine throws(InferenceError) in try engine.unloadModel(named: name) }
    }

    /// Everything known of a model that is, or was, loaded (`isLoaded`).
    /// - Throws: `unknownModel`.
    public func modelInfo(named name: String) throws(InferenceError) -> ModelInfo {
        let info = state.withLock { $0.models[name]?.info ?? $0.unloaded[name] }
        guard let info else { throw unknown(name) }
        return info
    }

    /// The names of the models that are loaded, sorted.
    public var loadedModels: [String] { state.withLock { $0.models.keys.sorted() } }

    func model(_ name: String) throws(InferenceError) -> LoadedModel {
        let (model, wasLoaded) = state.withLock { ($0.models[name], $0.unloaded[name] != nil) }
        guard let model else { throw wasLoaded ? LoadedModel.notLoaded(name) : unknown(name) }
        return model
    }

    private func take(_ name: String) throws(InferenceError) -> LoadedModel {
        let (model, wasLoaded): (LoadedModel?, Bool) = state.withLock { state in
            guard let model = state.models.removeValue(forKey: name) else {
                return (nil, state.unloaded[name] != nil)
            }
            var info = model.info
            info.isLoaded = false
            state.unloaded[name] = info
            return (model, true)
        }
        guard let model else { throw wasLoaded ? LoadedModel.notLoaded(name) : unknown(name) }
        return model
    }

    private func unknown(_ name: String) -> InferenceError {
        let names = loadedModels
        return InferenceError(
            .unknownModel,
            "No model is loaded as \"\(name)\". "
                + (names.isEmpty ? "Load one first." : "Loaded: \(names.joined(separator: ", "))."))
    }
}
