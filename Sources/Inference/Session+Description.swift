import COnnxRuntime

/// What a session says about its model.
struct SessionDescription {
    let inputs: [TensorInfo]
    let outputs: [TensorInfo]
    let metadata: [String: String]

    init(_ runtime: OnnxRuntime, _ session: OpaquePointer, name: String) throws(InferenceError) {
        let reader = unsafe SessionReader(runtime: runtime, session: session, name: name)
        inputs = try reader.inputs()
        outputs = try reader.outputs()
        metadata = try reader.metadata()
    }
}

/// Reads one session through the C table.
@safe private struct SessionReader {
    let runtime: OnnxRuntime
    let session: OpaquePointer
    let name: String

    func check(_ status: OpaquePointer?) throws(InferenceError) {
        try unsafe runtime.check(status, .modelUnreadable, "\(name) does not describe itself")
    }

    func inputs() throws(InferenceError) -> [TensorInfo] {
        let table = unsafe runtime.table
        var count = 0
        try unsafe check(table.pointee.SessionGetInputCount(session, &count))
        var infos: [TensorInfo] = []
        for index in 0..<count {
            var name: UnsafeMutablePointer<CChar>?
            var type: OpaquePointer?
            try unsafe check(table.pointee.SessionGetInputName(session, index, runtime.allocator, &name))
            let text = unsafe runtime.takeString(name)
            try unsafe check(table.pointee.SessionGetInputTypeInfo(session, index, &type))
            infos.append(try unsafe info(named: text, takingType: type))
        }
        return infos
    }

    func outputs() throws(InferenceError) -> [TensorInfo] {
        let table = unsafe runtime.table
        var count = 0
        try unsafe check(table.pointee.SessionGetOutputCount(session, &count))
        var infos: [TensorInfo] = []
        for index in 0..<count {
            var name: UnsafeMutablePointer<CChar>?
            var type: OpaquePointer?
            try unsafe check(table.pointee.SessionGetOutputName(session, index, runtime.allocator, &name))
            let text = unsafe runtime.takeString(name)
            try unsafe check(table.pointee.SessionGetOutputTypeInfo(session, index, &type))
            infos.append(try unsafe info(named: text, takingType: type))
        }
        return infos
    }

    private func info(named name: String, takingType type: OpaquePointer?) throws(InferenceError)
        -> TensorInfo
    {
        defer { unsafe runtime.table.pointee.ReleaseTypeInfo(type) }
        var tensor: OpaquePointer?
        try unsafe check(runtime.table.pointee.CastTypeInfoToTensorInfo(type, &tensor))
        guard let tensor = unsafe tensor else {
            // A sequence, a map or an optional.
            return TensorInfo(name: name, shape: [], elementType: .unknown)
        }
        return TensorInfo(
            name: name, shape: try unsafe shape(of: tensor), elementType: try unsafe elementType(of: tensor))
    }

    private func elementType(of tensor: OpaquePointer) throws(InferenceError) -> ElementType {
        var raw: Int32 = 0
        try unsafe check(runtime.table.pointee.GetTensorElementType(tensor, &raw))
        return ElementType(rawValue: Int(raw)) ?? .unknown
    }

    private func shape(of tensor: OpaquePointer) throws(InferenceError) -> [Dimension] {
        let table = unsafe runtime.table
        var rank = 0
        try unsafe check(table.pointee.GetDimensionsCount(tensor, &rank))
        var sizes = [Int64](repeating: 0, count: rank)
        try unsafe check(table.pointee.GetDimensions(tensor, &sizes, rank))
        var names = unsafe [UnsafePointer<CChar>?](repeating: nil, count: rank)
        try unsafe check(table.pointee.GetSymbolicDimensions(tensor, &names, rank))
        var shape: [Dimension] = []
        for axis in 0..<rank {
            if sizes[axis] >= 0 {
                shape.append(.fixed(Int(sizes[axis])))
            } else {
                let name = unsafe names[axis].map { unsafe String(cString: $0) } ?? ""
                shape.append(.dynamic(name.isEmpty ? nil : name))
            }
        }
        return shape
    }

    func metadata() throws(InferenceError) -> [String: String] {
        let table = unsafe runtime.table
        var handle: OpaquePointer?
        try unsafe check(table.pointee.SessionGetModelMetadata(session, &handle))
        defer { unsafe table.pointee.ReleaseModelMetadata(handle) }
        var metadata = try unsafe customMetadata(handle)

        var text: UnsafeMutablePointer<CChar>?
        try unsafe check(table.pointee.ModelMetadataGetProducerName(handle, runtime.allocator, &text))
        add("producer", unsafe runtime.takeString(text), to: &metadata)
        try unsafe check(table.pointee.ModelMetadataGetGraphName(handle, runtime.allocator, &text))
        add("graph", unsafe runtime.takeString(text), to: &metadata)
        try unsafe check(table.pointee.ModelMetadataGetDomain(handle, runtime.allocator, &text))
        add("domain", unsafe runtime.takeString(text), to: &metadata)
        try unsafe check(table.pointee.ModelMetadataGetDescription(handle, runtime.allocator, &text))
        add("description", unsafe runtime.takeString(text), to: &metadata)
        var version: Int64 = 0
        try unsafe check(table.pointee.ModelMetadataGetVersion(handle, &version))
        // ONNX Runtime gives the largest integer where a file has no version.
        if version > 0, version < .max { add("version", String(version), to: &metadata) }
        return metadata
    }

    private func add(_ key: String, _ value: String, to metadata: inout [String: String]) {
        if !value.isEmpty, metadata[key] == nil { metadata[key] = value }
    }

    private func customMetadata(_ handle: OpaquePointer?) throws(InferenceError) -> [String: String] {
        let table = unsafe runtime.table
        var keys: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        var count: Int64 = 0
        try unsafe check(
            table.pointee.ModelMetadataGetCustomMetadataMapKeys(handle, runtime.allocator, &keys, &count))
        defer { unsafe runtime.free(keys) }
        var names: [String] = []
        for index in 0..<Int(count) { names.append(unsafe runtime.takeString(keys?[index])) }
        var metadata: [String: String] = [:]
        for name in names {
            var value: UnsafeMutablePointer<CChar>?
            try unsafe check(
                table.pointee.ModelMetadataLookupCustomMetadataMap(handle, runtime.allocator, name, &value))
            metadata[name] = unsafe runtime.takeString(value)
        }
        return metadata
    }
}
