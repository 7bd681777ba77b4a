import COnnxRuntime

/// A library of providers that is no part of a build of ONNX Runtime, and is registered at run time.
public struct ProviderPlugin: Sendable, Hashable {
    /// ONNX Runtime's name for the provider.
    public let provider: String
    /// What it is for.
    let acceleration: AccelerationType
    /// The package of `echoel runtime` that it comes in.
    let package: String
    let libraryName: String
    /// What a machine without a device for it may lack. A sentence.
    let remedy: String

    static let webGPU = ProviderPlugin(
        provider: "WebGpuExecutionProvider", acceleration: .webGPU, package: "webgpu",
        libraryName: "libonnxruntime_providers_webgpu.so",
        remedy: "It takes a graphics processor whose driver has Vulkan, and Vulkan's loader, libvulkan.so.1.")
}

extension OnnxRuntime {
    /// Why a plug-in cannot be registered with this library; nil where it can be tried. A sentence.
    func missingPlugin(_ plugin: ProviderPlugin) -> String? {
        guard unsafe plugins != nil else {
            return "this ONNX Runtime (\(version), \(path)) takes no plug-ins; 1.22 and later do."
        }
        guard pluginLibrary(plugin) != nil else {
            return "its plug-in is not installed. Install it: echoel runtime install \(plugin.package)."
        }
        return nil
    }

    /// Why the system's loader does not load a library that comes with this one, in its words; nil where it does.
    func problem(ofLibrary name: String) -> String? {
        let message = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1024) { buffer in
            unsafe ort_library_problem("\(Self.folder(of: path))/\(name)", buffer.baseAddress!, buffer.count)
            return unsafe String(cString: buffer.baseAddress!)
        }
        return message.isEmpty ? nil : message
    }

    /// Where a plug-in's library is: beside ONNX Runtime's, or the newest in echoel's data folder.
    func pluginLibrary(_ plugin: ProviderPlugin) -> String? {
        var folders = [Self.folder(of: path)]
        if let data = Self.dataFolder() {
            let names = ((try? folderEntries("\(data)/runtimes")) ?? []).filter {
                $0.hasPrefix("\(plugin.package)-")
            }
            folders += names.reversed().map { "\(data)/runtimes/\($0)" }
        }
        return folders.map { "\($0)/\(plugin.libraryName)" }.first {
            if case .file = fileKind($0) { true } else { false }
        }
    }

    /// Registers a library of providers under a name; once, whoever asks.
    ///
    /// Room: control.
    /// - Throws: `accelerationUnavailable`, with what the library lacks.
    public func registerProviders(library file: String, named name: String) throws(InferenceError) {
        guard let plugins = unsafe plugins else {
            throw InferenceError(
                .accelerationUnavailable,
                "ONNX Runtime \(version) takes no plug-ins such as \(file). Use 1.22 or later.")
        }
        let key = resolvedPath(file) ?? file
        try registeredPlugins.withLock { registered throws(InferenceError) in
            if registered.contains(key) { return }
            try unsafe check(
                plugins.pointee.RegisterExecutionProviderLibrary(environment, name, file),
                .accelerationUnavailable, "\(file) cannot be registered with ONNX Runtime \(version)")
            registered.insert(key)
        }
    }

    /// The providers that have a device on this machine, plug-ins' among them.
    func deviceProviders() throws(InferenceError) -> [(name: String, device: OpaquePointer)] {
        guard let plugins = unsafe plugins else { return [] }
        var devices: UnsafePointer<OpaquePointer?>?
        var count = 0
        try unsafe check(
            plugins.pointee.GetEpDevices(environment, &devices, &count), .accelerationUnavailable,
            "ONNX Runtime \(version) does not tell its devices")
        var found: [(name: String, device: OpaquePointer)] = unsafe []
        for index in 0..<count {
            guard let device = unsafe devices?[index],
                let name = unsafe plugins.pointee.EpDevice_EpName(device)
            else { continue }
            unsafe found.append((String(cString: name), device))
        }
        return unsafe found
    }

    /// Hands a session to a plug-in's provider.
    ///
    /// - Throws: `accelerationUnavailable`.
    func append(
        _ plugin: ProviderPlugin, to handle: OpaquePointer, _ options: [String: String]
    ) throws(InferenceError) {
        if let reason = missingPlugin(plugin) { throw plugin.acceleration.unavailable(reason) }
        guard let file = pluginLibrary(plugin), let plugins = unsafe plugins else { return }
        try registerProviders(library: file, named: plugin.package)
        let devices = try unsafe deviceProviders()
        var device: OpaquePointer? = unsafe devices.first { unsafe $0.name == plugin.provider }?.device
        guard unsafe device != nil else {
            throw plugin.acceleration.unavailable(
                "its plug-in finds no device on this machine. \(plugin.remedy)")
        }
        let entries = ProviderEntries(options)
        try unsafe Session.refuse(
            self, plugin.acceleration,
            plugins.pointee.SessionOptionsAppendExecutionProvider_V2(
                handle, environment, &device, 1, entries.keys.pointers, entries.values.pointers, entries.count
            ))
    }
}
