import CDigest

/// The Secure Hash Algorithm SHA-256 (FIPS 180-4, 6.2), to tell files and their contents apart.
///
/// Ours, because the packages that have it bring Foundation along, which a plugin must not. It takes as long as the bytes
/// make it take: not for secrets.
package struct SHA256 {
    private var state: [UInt32] = [
        0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab,
        0x5be0_cd19,
    ]
    /// The bytes of a block that is not full yet.
    private var block: [UInt8] = []
    private var byteCount: UInt64 = 0

    package init() {}

    package mutating func update(_ bytes: Span<UInt8>) {
        byteCount &+= UInt64(bytes.count)
        var done = 0
        if !block.isEmpty {
            done = min(64 - block.count, bytes.count)
            for index in 0..<done { block.append(bytes[index]) }
            if block.count < 64 { return }
            let full = block
            Self.compress(full.span, into: &state)
            block.removeAll(keepingCapacity: true)
        }
        let whole = (bytes.count - done) / 64 * 64
        Self.compress(bytes.extracting(done..<done + whole), into: &state)
        for index in done + whole..<bytes.count { block.append(bytes[index]) }
    }

    /// The digest's eight words. (5.1.1: a one, zeros, and the length in bits fill up the last block.)
    package consuming func finish() -> [UInt32] {
        block.append(0x80)
        while block.count % 64 != 56 { block.append(0) }
        for shift in stride(from: UInt64(56), through: 0, by: -8) {
            block.append(UInt8(truncatingIfNeeded: (byteCount &* 8) >> shift))
        }
        let last = block
        Self.compress(last.span, into: &state)
        return state
    }

    /// The digest as 64 lower-case hex digits.
    package consuming func hexDigest() -> String {
        finish().map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }.joined()
    }

    /// - Parameter bytes: whole blocks.
    private static func compress(_ bytes: Span<UInt8>, into state: inout [UInt32]) {
        unsafe bytes.withUnsafeBufferPointer { bytes in
            unsafe sha256_compress(&state, bytes.baseAddress, bytes.count / 64)
        }
    }
}
