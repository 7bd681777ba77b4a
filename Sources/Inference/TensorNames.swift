/// C strings that live as long as this.
@safe final class TensorNames {
    let pointers: UnsafeMutablePointer<UnsafePointer<CChar>?>
    private let count: Int

    init(_ names: [String]) {
        count = names.count
        unsafe pointers = .allocate(capacity: Swift.max(count, 1))
        for (index, name) in names.enumerated() {
            let text = name.utf8CString
            let copy = UnsafeMutablePointer<CChar>.allocate(capacity: text.count)
            for (offset, character) in text.enumerated() { unsafe (copy + offset).initialize(to: character) }
            unsafe (pointers + index).initialize(to: UnsafePointer(copy))
        }
    }

    deinit {
        for index in 0..<count { unsafe pointers[index]?.deallocate() }
        unsafe pointers.deallocate()
    }
}
