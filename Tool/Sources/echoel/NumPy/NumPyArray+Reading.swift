import Models

extension NumPyArray {
    /// No array is larger, in bytes.
    static let limitBytes = 1 << 30
    private static let limitHeaderBytes = 1 << 16
    private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

    /// Reads an `.npy` file. An array in Fortran order is turned into C order.
    ///
    /// - Throws: `ModelsError` for a file that cannot be read, `ToolError` for one that is no such array.
    init(contentsOf path: String) throws {
        try self.init(bytes: try BoundedFile.bytes(path, limitBytes: Self.limitBytes + (1 << 17)), name: path)
    }

    /// Reads the bytes of an `.npy` file; any bytes are safe.
    ///
    /// - Parameter name: what errors call it.
    init(bytes file: [UInt8], name: String) throws(ToolError) {
        func refusal(_ reason: String) -> ToolError {
            ToolError(.notNumPy, "\(name): this is not a NumPy array (\(reason)). Write it with numpy.save.")
        }
        guard file.starts(with: Self.magic), file.count >= 10 else {
            throw refusal(
                file.isEmpty ? "the file is empty" : "it does not begin with \\x93NUMPY and a header")
        }
        let start: Int
        let length: Int
        switch file[6] {
        case 1:
            start = 10
            length = Int(file[8]) | Int(file[9]) << 8
        case 2, 3:
            guard file.count >= 12 else { throw refusal("its header is cut off") }
            start = 12
            length = (0..<4).reduce(0) { $0 | Int(file[8 + $1]) << (8 * $1) }
        default: throw refusal("its format version \(file[6]).\(file[7]) is not 1, 2 or 3")
        }
        guard length <= Self.limitHeaderBytes else { throw refusal("its header claims \(length) bytes") }
        guard length <= file.count - start else { throw refusal("its header is cut off") }

        let header: NumPyHeader
        do throws(NumPyHeader.Failure) {
            header = try NumPyHeader(parsing: Array(file[start..<(start + length)]))
        } catch {
            throw refusal(error.reason)
        }
        guard let element = Element(rawValue: header.type) else {
            throw ToolError(
                .unsupportedArray,
                "\(name): models do not run on arrays of type \(Terminal.clean(header.type)). "
                    + "Save it as float32, float16, int64 or int32, with a.astype('float32') for instance.")
        }
        let data = file.count - start - length
        guard let count = Self.byteCount(of: header.shape, element), count <= Self.limitBytes else {
            throw ToolError(
                .unsupportedArray,
                "\(name): its shape \(header.shape) is larger than \(Self.limitBytes >> 20) MB. Split it.")
        }
        guard count <= data else {
            throw refusal("its shape \(header.shape) needs \(count) bytes, and it has \(data)")
        }
        guard count == data else {
            throw refusal("it goes on for \(data - count) bytes after the array")
        }
        let body = file[(start + length)...]
        self.init(
            element: element, shape: header.shape,
            bytes: header.isFortranOrder
                ? Self.cOrder(body, shape: header.shape, size: element.byteCount) : Array(body))
    }

    /// The elements of a Fortran-ordered array (first axis fastest) in C order.
    private static func cOrder(_ body: ArraySlice<UInt8>, shape: [Int], size: Int) -> [UInt8] {
        guard shape.count > 1, !body.isEmpty else { return Array(body) }
        var strides = [Int](repeating: size, count: shape.count)
        for axis in 1..<shape.count { strides[axis] = strides[axis - 1] * shape[axis - 1] }
        var result: [UInt8] = []
        result.reserveCapacity(body.count)
        var index = [Int](repeating: 0, count: shape.count)
        var offset = body.startIndex
        while result.count < body.count {
            result += body[offset..<(offset + size)]
            var axis = shape.count - 1
            while axis >= 0 {
                index[axis] += 1
                offset += strides[axis]
                if index[axis] < shape[axis] { break }
                offset -= strides[axis] * shape[axis]
                index[axis] = 0
                axis -= 1
            }
        }
        return result
    }
}
