/// IEEE 754 binary16 to and from `Float`. Swift's own `Float16` is missing on Intel Macs.
enum Half {
    /// Exact.
    static func float(_ bits: UInt16) -> Float {
        let sign = UInt32(bits & 0x8000) << 16
        let exponent = UInt32(bits >> 10) & 0x1F
        let fraction = UInt32(bits & 0x3FF)
        switch exponent {
        case 0:
            let magnitude = Float(fraction) * 0x1p-24  // subnormal, or zero
            return Float(bitPattern: magnitude.bitPattern | sign)
        case 31: return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
        default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
        }
    }

    /// Rounded to nearest, ties to even; too large becomes infinity.
    static func bits(_ value: Float) -> UInt16 {
        let sign = UInt16(value.bitPattern >> 16) & 0x8000
        if value.isNaN { return sign | 0x7E00 }
        let magnitude = value.magnitude
        if magnitude >= 65520 { return sign | 0x7C00 }
        if magnitude < 0x1p-14 { return sign | UInt16((magnitude * 0x1p24).rounded(.toNearestOrEven)) }
        let rounded = magnitude.bitPattern + 0xFFF + (magnitude.bitPattern >> 13 & 1)
        return sign | UInt16(truncatingIfNeeded: rounded >> 13 &- 112 << 10)
    }

    static func isFinite(_ bits: UInt16) -> Bool { bits & 0x7C00 != 0x7C00 }
}
