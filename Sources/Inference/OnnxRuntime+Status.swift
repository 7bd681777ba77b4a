import COnnxRuntime

extension OnnxRuntime {
    /// Throws what `status` says, and releases it. `context` is a clause without its full stop that names the thing.
    @inline(__always)
    func check(
        _ status: OpaquePointer?, _ code: InferenceError.Code, _ context: @autoclosure () -> String
    ) throws(InferenceError) {
        guard let status = unsafe status else { return }
        throw unsafe Self.error(table, status, code, context())
    }

    static func check(
        _ table: UnsafePointer<OrtTable>, _ status: OpaquePointer?, _ code: InferenceError.Code,
        _ context: @autoclosure () -> String
    ) throws(InferenceError) {
        guard let status = unsafe status else { return }
        throw unsafe error(table, status, code, context())
    }

    @inline(never)
    private static func error(
        _ table: UnsafePointer<OrtTable>, _ status: OpaquePointer, _ code: InferenceError.Code,
        _ context: String
    ) -> InferenceError {
        let cause = unsafe take(table, status)
        return InferenceError(code, "\(context): \(cause.message)", underlying: cause)
    }

    /// Reads a failed status and releases it.
    static func take(_ table: UnsafePointer<OrtTable>, _ status: OpaquePointer) -> OnnxRuntimeStatus {
        let text = unsafe table.pointee.GetErrorMessage(status).map { unsafe String(cString: $0) } ?? ""
        let code = unsafe Int(table.pointee.GetErrorCode(status))
        unsafe table.pointee.ReleaseStatus(status)
        return OnnxRuntimeStatus(code: code, message: text.isEmpty ? "no reason given" : text)
    }

    /// Takes over a string that ONNX Runtime allocated.
    func takeString(_ string: UnsafeMutablePointer<CChar>?) -> String {
        guard let string = unsafe string else { return "" }
        let text = unsafe String(cString: string)
        unsafe free(string)
        return text
    }

    /// Returns memory to ONNX Runtime's allocator.
    func free(_ pointer: UnsafeMutableRawPointer?) {
        guard let pointer = unsafe pointer else { return }
        unsafe table.pointee.AllocatorFree(allocator, pointer).map { unsafe table.pointee.ReleaseStatus($0) }
    }
}
